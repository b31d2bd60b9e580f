package dev.tern.core.quorum;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Hint;
import dev.tern.core.replica.HintPage;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RoutedKey;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Brings the writes that are held here to the replicas they are held for, once these are back: a
/// page at a time for each, the next when all of one are answered. Those of a node that is no
/// member any more, and all of a holder that leaves, go to another replica of their key.
///
/// One that is refused or cannot be read is passed over, counted, and tried again in the next pass,
/// [#AGAIN_NANOS] later: it holds up no other. Where a replica was only too busy for one, the next
/// pass begins [#BUSY_NANOS] later. A pass ends where nobody answers a whole page.
final class HintReplay {
  /// Hints on a page.
  private static final int PAGE = 64;

  private static final int PAGE_BYTES = 256 << 10;
  private static final long DELIVERY_NANOS = 2_000_000_000L;

  /// From the beginning of a pass over a target's hints to that of the next, if some are left.
  private static final long AGAIN_NANOS = 10_000_000_000L;

  /// The same where a replica will take what it refused before long.
  private static final long BUSY_NANOS = 1_000_000_000L;

  private final Coordinator coordinator;

  /// By target.
  private final TreeMap<Integer, Pass> passes = new TreeMap<>();

  /// Where the delivery to a target is.
  private static final class Pass {
    boolean underWay;

    /// The number of the hint to go on from.
    long from;

    /// When those that were passed over are tried again.
    long againNanos;
  }

  HintReplay(Coordinator coordinator) {
    this.coordinator = coordinator;
  }

  /// A few times a second.
  void beat() {
    long now = coordinator.nowNanos();
    for (int target : coordinator.replica().store().hints().targets()) {
      Pass pass = passes.computeIfAbsent(target, first -> new Pass());
      if (pass.underWay || !coordinator.lists().live(target) && !isGone(target) && !leaves()) {
        continue;
      }
      if (now >= pass.againNanos) {
        pass.from = 0;
        pass.againNanos = now + AGAIN_NANOS;
      }
      if (coordinator.replica().store().hints().reaches(target, pass.from)) {
        pass.underWay = true;
        page(target, pass);
      }
    }
  }

  private boolean isGone(int target) {
    return coordinator.view().members().stream().noneMatch(member -> member.number() == target);
  }

  /// Whether this node is on its way out, and hands on what it holds.
  private boolean leaves() {
    MemberEntry own = coordinator.view().state().member(coordinator.self());
    return own == null || own.leaving();
  }

  private void page(int target, Pass pass) {
    coordinator
        .replica()
        .reads()
        .hintPage(
            target,
            pass.from,
            PAGE,
            PAGE_BYTES,
            (page, failure) -> {
              if (page == null) {
                pass.underWay = false;
              } else {
                new Page(target, pass, page).deliver();
              }
            });
  }

  /// What became of a hint.
  private enum End {
    STORED,
    REFUSED,
    /// A replica refused it that will take it before long.
    BUSY,
    UNANSWERED,
    /// There was no room for it among what is in flight: it goes next.
    UNSENT
  }

  /// One page on its way.
  private final class Page {
    private final int target;
    private final Pass pass;
    private final HintPage page;
    private final List<Hint> stored = new ArrayList<>();
    private int left;
    private int refused;

    /// The least number of those that were not sent.
    private long unsent = Long.MAX_VALUE;

    Page(int target, Pass pass, HintPage page) {
      this.target = target;
      this.pass = pass;
      this.page = page;
      this.left = page.hints().size() + 1;
    }

    void deliver() {
      for (Hint hint : page.hints()) {
        KeyspaceConfig keyspace = coordinator.view().keyspace(hint.keyspace());
        Topology topology = coordinator.view().topology(hint.keyspace());
        if (keyspace == null || topology == null) {
          // The keyspace was dropped.
          ended(hint, End.STORED);
        } else {
          new Delivery(this, keyspace, topology, hint).start();
        }
      }
      oneLess();
    }

    void ended(Hint hint, End end) {
      switch (end) {
        case STORED -> stored.add(hint);
        case REFUSED -> refused++;
        case BUSY -> {
          refused++;
          pass.againNanos = Math.min(pass.againNanos, coordinator.nowNanos() + BUSY_NANOS);
        }
        case UNANSWERED -> {}
        case UNSENT -> unsent = Math.min(unsent, hint.number());
      }
      oneLess();
    }

    private void oneLess() {
      left--;
      assert left >= 0 : "a hint has two ends";
      if (left > 0) {
        return;
      }
      int hints = page.hints().size();
      int passedOver = hints - stored.size() + page.unreadable();
      boolean answered = hints == 0 || !stored.isEmpty() || refused > 0;
      if (coordinator.planted() == PlantedBug.HINT_REFUSAL_STOPS_ALL && passedOver > 0) {
        // The next beat begins where this page began.
        pass.underWay = false;
        return;
      }
      coordinator.statistics().add(Statistics.Counter.HINTS_REPLAYED, stored.size());
      coordinator.statistics().add(Statistics.Counter.HINTS_PASSED_OVER, passedOver);
      if (hints > 0 && answered) {
        coordinator.replica().store().hints().delivered(target, stored);
      }
      if (answered) {
        pass.from = page.next();
      }
      if (unsent < Long.MAX_VALUE) {
        // The next beat goes on from here.
        pass.from = Math.min(pass.from, unsent);
        pass.underWay = false;
      } else if (answered && coordinator.replica().store().hints().reaches(target, pass.from)) {
        page(target, pass);
      } else {
        pass.from = answered ? Math.min(pass.from, nextNumber()) : pass.from;
        pass.underWay = false;
      }
    }

    /// Where hints that come from now on begin.
    private long nextNumber() {
      return coordinator.replica().store().hints().next(target);
    }
  }

  /// One hint on its way.
  private final class Delivery extends Operation<Message.WriteReply> implements Applied {
    private final Page page;
    private final KeyspaceConfig keyspace;
    private final Topology topology;
    private final Hint hint;
    private int destination;
    private boolean over;

    Delivery(Page page, KeyspaceConfig keyspace, Topology topology, Hint hint) {
      super(Message.WriteReply.class, coordinator.nowNanos() + DELIVERY_NANOS);
      this.page = page;
      this.keyspace = keyspace;
      this.topology = topology;
      this.hint = hint;
    }

    void start() {
      int slot = hint.slot();
      int partition = topology.partitionOf(slot);
      ReplicaSet replicas = topology.replicaSet(partition);
      boolean home = replicas.serving().has(page.target);
      boolean there = home && coordinator.lists().live(page.target);
      destination = there ? page.target : coordinator.lists().firstLive(replicas);
      if (destination == coordinator.self()) {
        coordinator.replica().writes().apply(keyspace, slot, hint.key(), hint.record(), this);
        return;
      }
      if (destination == 0) {
        end(End.UNANSWERED);
        return;
      } else if (!coordinator.inFlight().add(this)) {
        end(End.UNSENT);
        return;
      }
      long epoch = topology.epoch(partition);
      int set = java.util.Objects.requireNonNull(coordinator.view().groups(keyspace.id())).number();
      RoutedKey at = new RoutedKey(set, slot, keyspace.id(), hint.key());
      Message.Write write = new Message.Write(id, epoch, at, hint.record());
      if (!coordinator.transport().send(destination, slot, write)) {
        end(End.UNANSWERED);
      } else if (coordinator.planted() == PlantedBug.HINT_FORGOTTEN_WHEN_SENT) {
        end(End.STORED);
      }
    }

    private void end(End how) {
      if (!over) {
        over = true;
        coordinator.inFlight().remove(this);
        page.ended(hint, how);
      }
    }

    @Override
    public void durable() {
      end(End.STORED);
    }

    @Override
    public void superseded(@Nullable Version by) {
      end(End.STORED);
    }

    @Override
    public void refused(Unanswered.Refused why) {
      boolean busy = why.reason() == Unanswered.Reason.OVERLOADED;
      boolean moving = why.reason() == Unanswered.Reason.MOVING;
      end(busy || moving || why.reason() == Unanswered.Reason.TRY_AGAIN ? End.BUSY : End.REFUSED);
    }

    @Override
    void reply(int node, Message.WriteReply reply) {
      if (node != destination) {
        return;
      }
      switch (reply) {
        case Message.Written m -> end(End.STORED);
        case Message.Superseded m -> end(End.STORED);
        case Message.Refused m -> refused(m.why());
        // A held write has no ballot, so no replica answers this.
        case Message.Outvoted m -> {}
      }
    }

    @Override
    void lost(int node) {
      if (node == destination) {
        end(End.UNANSWERED);
      }
    }

    @Override
    void tick(long nowNanos) {
      if (nowNanos >= deadlineNanos) {
        end(End.UNANSWERED);
      }
    }
  }
}
