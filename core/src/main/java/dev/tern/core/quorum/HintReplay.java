package dev.tern.core.quorum;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Hint;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.Version;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Brings the writes that are held here to the replicas they are held for, once these are back: a
/// page at a time for each, the next when all of one are stored. Those of a node that is no member
/// any more, and all of a holder that leaves, go to another replica of their key.
final class HintReplay {
  /// Hints on a page.
  private static final int PAGE = 64;

  private static final int PAGE_BYTES = 256 << 10;
  private static final long DELIVERY_NANOS = 2_000_000_000L;

  private final Coordinator coordinator;
  private final TreeSet<Integer> underWay = new TreeSet<>();

  HintReplay(Coordinator coordinator) {
    this.coordinator = coordinator;
  }

  /// A few times a second.
  void beat() {
    for (int target : coordinator.replica().store().hints().targets()) {
      boolean moves = coordinator.live(target) || isGone(target) || leaves();
      if (moves && !underWay.contains(target)) {
        underWay.add(target);
        page(target);
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

  private void page(int target) {
    coordinator
        .replica()
        .hintPage(
            target,
            PAGE,
            PAGE_BYTES,
            (page, failure) -> {
              if (page == null || page.isEmpty()) {
                underWay.remove(target);
              } else {
                new Page(target, page).deliver();
              }
            });
  }

  /// One page on its way.
  private final class Page {
    private final int target;
    private final List<Hint> hints;
    private int left;
    private boolean failed;

    Page(int target, List<Hint> hints) {
      this.target = target;
      this.hints = hints;
      this.left = hints.size() + 1;
    }

    void deliver() {
      for (Hint hint : hints) {
        KeyspaceConfig keyspace = coordinator.view().keyspace(hint.keyspace());
        Topology topology = coordinator.view().topology(hint.keyspace());
        if (keyspace == null || topology == null) {
          ended(true);
        } else {
          new Delivery(this, keyspace, topology, hint).start();
        }
      }
      ended(true);
    }

    void ended(boolean stored) {
      failed |= !stored;
      if (--left > 0) {
        return;
      }
      if (failed) {
        // The next beat begins where this page began.
        underWay.remove(target);
      } else {
        coordinator.statistics().add(Statistics.Counter.HINTS_REPLAYED, hints.size());
        coordinator.replica().store().hints().delivered(target, hints);
        page(target);
      }
    }
  }

  /// One hint on its way.
  private final class Delivery extends Operation implements Applied {
    private final Page page;
    private final KeyspaceConfig keyspace;
    private final Topology topology;
    private final Hint hint;
    private int destination;
    private boolean over;

    Delivery(Page page, KeyspaceConfig keyspace, Topology topology, Hint hint) {
      super(coordinator.nowNanos() + DELIVERY_NANOS);
      this.page = page;
      this.keyspace = keyspace;
      this.topology = topology;
      this.hint = hint;
    }

    void start() {
      int slot = Slots.of(hint.key());
      int partition = topology.partitionOf(slot);
      int[] replicas = topology.replicas(partition);
      boolean home = coordinator.place(replicas, page.target) >= 0;
      boolean there = home && coordinator.live(page.target);
      destination = there ? page.target : coordinator.firstLive(replicas);
      if (destination == coordinator.self()) {
        coordinator.replica().apply(keyspace, slot, hint.key(), hint.record(), this);
        return;
      }
      if (destination == 0 || !coordinator.inFlight().add(this)) {
        end(false);
        return;
      }
      long epoch = topology.epoch(partition);
      Message.Write write = new Message.Write(id, epoch, keyspace.id(), hint.key(), hint.record());
      if (!coordinator.send(destination, slot, write)) {
        end(false);
      }
    }

    private void end(boolean stored) {
      if (!over) {
        over = true;
        coordinator.inFlight().remove(this);
        page.ended(stored);
      }
    }

    @Override
    public void durable() {
      end(true);
    }

    @Override
    public void superseded(@Nullable Version by) {
      end(true);
    }

    @Override
    public void refused(Unanswered.Refused why) {
      end(false);
    }

    @Override
    void reply(int node, Message.Reply reply) {
      if (node != destination) {
        return;
      }
      switch (reply) {
        case Message.Written m -> end(true);
        case Message.Superseded m -> end(true);
        case Message.Refused m -> end(false);
        case Message.Value m -> {}
        case Message.Digest m -> {}
        case Message.Updated m -> {}
        case Message.Scanned m -> {}
        case Message.Counted m -> {}
      }
    }

    @Override
    void lost(int node) {
      if (node == destination) {
        end(false);
      }
    }

    @Override
    void tick(long nowNanos) {
      if (nowNanos >= deadlineNanos) {
        end(false);
      }
    }
  }
}
