package dev.tern.core.quorum;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.ScanCursor;
import dev.tern.core.wire.ScanPage;
import dev.tern.core.wire.ScannedKey;
import dev.tern.env.CoverageMarks;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// One step of a scan: `r` replicas of the cursor's partition tell what they have from there on;
/// what all of them have covered is merged, the newest version of a key deciding whether it is
/// live.
final class ScanOperation extends Operation<Message.ScanReply> {
  private final Coordinator coordinator;
  private final KeyspaceConfig keyspace;
  private final Topology topology;
  private final long cursor;
  private final int limit;
  private final boolean ledOnly;
  private final Completion<? super ScanOutcome> completion;
  private final List<Integer> targets = new ArrayList<>();
  private final @Nullable ScanPage[] pages;
  private int needed;

  /// Replicas that do not vouch for what they have.
  private final List<Integer> behind = new ArrayList<>(0);

  /// Replicas that cannot read what they have there, and what the last one said.
  private final List<Integer> unreadable = new ArrayList<>(0);

  private String cause = "";

  private boolean finished;

  /// @param ledOnly keep only keys of slots whose first live replica is this node
  ScanOperation(
      Coordinator coordinator,
      KeyspaceConfig keyspace,
      Topology topology,
      long cursor,
      int limit,
      boolean ledOnly,
      long deadlineNanos,
      Completion<? super ScanOutcome> completion) {
    super(Message.ScanReply.class, deadlineNanos);
    this.coordinator = coordinator;
    this.keyspace = keyspace;
    this.cursor = cursor;
    this.limit = limit;
    this.ledOnly = ledOnly;
    this.completion = completion;
    this.topology = topology;
    this.pages = new ScanPage[topology.members().size()];
  }

  void start() {
    int partition = topology.partitionOf(ScanCursor.slot(cursor));
    int[] replicas = topology.replicas(partition);
    needed = needed(partition);
    int slot = ScanCursor.slot(cursor);
    if (topology.replicaSet(partition).leaders().has(coordinator.self())) {
      if (needed == 1 || coordinator.replica().store().vouches(keyspace.id(), slot)) {
        targets.add(coordinator.self());
      } else {
        behind.add(coordinator.self());
      }
    }
    for (int node : replicas) {
      if (targets.size() < needed && node != coordinator.self() && coordinator.lists().live(node)) {
        targets.add(node);
      }
    }
    if (targets.size() < needed || !coordinator.inFlight().add(this)) {
      finished = true;
      completion.complete(unreachable());
      return;
    }
    for (int i = 0; i < targets.size() && !finished; i++) {
      int node = targets.get(i);
      if (node == coordinator.self()) {
        coordinator
            .replica()
            .reads()
            .scan(
                keyspace.id(),
                cursor,
                limit,
                keyspace.durability(),
                /* alone= */ needed(partition) == 1,
                new BitSet(0),
                (page, failure) -> {
                  if (failure != null || page == null) {
                    unreadable(coordinator.self(), String.valueOf(failure));
                  } else {
                    page(coordinator.self(), page);
                  }
                });
      } else if (!send(node)) {
        fail();
      }
    }
  }

  /// How many replicas of a partition tell what they have: all of a list that is shorter.
  private int needed(int partition) {
    return Math.min(keyspace.r(), topology.replicas(partition).length);
  }

  private boolean send(int node) {
    int slot = ScanCursor.slot(cursor);
    long epoch = topology.epoch(topology.partitionOf(slot));
    Message.Scan scan = new Message.Scan(id, epoch, keyspace.id(), cursor, limit);
    return coordinator.transport().send(node, slot, scan);
  }

  /// Asks another in the place of a replica that does not tell; false if there is none.
  ///
  /// @param among replicas that were passed over for the same reason
  private boolean replace(int node, List<Integer> among) {
    int place = targets.indexOf(node);
    among.add(node);
    for (int other : topology.replicas(topology.partitionOf(ScanCursor.slot(cursor)))) {
      boolean passed = behind.contains(other) || unreadable.contains(other);
      boolean fresh = !targets.contains(other) && !passed;
      if (place >= 0 && fresh && coordinator.lists().live(other) && send(other)) {
        assert CoverageMarks.reach(CoreMark.SCAN_REPLACED_REPLICA);
        targets.set(place, other);
        return true;
      }
    }
    return false;
  }

  /// A replica cannot read all that is there: another one is asked for the page.
  private void unreadable(int node, String why) {
    cause = why;
    if (!finished && !replace(node, unreadable)) {
      fail();
    }
  }

  private void page(int node, ScanPage page) {
    int place = targets.indexOf(node);
    if (finished || place < 0 || pages[place] != null) {
      return;
    }
    assert needed > 0 : "a scan goes on that is complete";
    pages[place] = page;
    if (--needed == 0) {
      finished = true;
      coordinator.inFlight().remove(this);
      completion.complete(merged());
    }
  }

  private ScanOutcome merged() {
    long next = ScanCursor.of(endOfRun(), 0);
    for (int i = 0; i < targets.size(); i++) {
      next = Math.min(next, java.util.Objects.requireNonNull(pages[i]).next());
    }
    TreeMap<byte[], ScannedKey> newest = new TreeMap<>(java.util.Arrays::compareUnsigned);
    boolean one = coordinator.planted() == PlantedBug.SCAN_SHOWS_ONE_REPLICA;
    for (int i = 0; i < (one ? 1 : targets.size()); i++) {
      for (ScannedKey key : java.util.Objects.requireNonNull(pages[i]).keys()) {
        if (ScanCursor.of(key.slot(), key.hash()) < next) {
          newest.merge(key.key(), key, ScanOperation::newer);
        }
      }
    }
    List<byte[]> live = new ArrayList<>();
    for (ScannedKey key : newest.values()) {
      if (key.live() && (!ledOnly || coordinator.leads(topology, key.slot()))) {
        live.add(key.key());
      }
    }
    return new ScanOutcome.Page(live, next >= ScanCursor.END ? 0 : next);
  }

  private static ScannedKey newer(ScannedKey a, ScannedKey b) {
    return a.rank().compareTo(b.rank()) >= 0 ? a : b;
  }

  /// The first slot after the cursor's that not all of those asked hold, or that needs another
  /// number of replicas.
  private int endOfRun() {
    int partitions = topology.partitions();
    int partition = topology.partitionOf(ScanCursor.slot(cursor)) + 1;
    while (partition < partitions) {
      ReplicaSet replicas = topology.replicaSet(partition).leaders();
      if (needed(partition) != targets.size()) {
        return topology.firstSlot(partition);
      }
      for (int node : targets) {
        if (!replicas.has(node)) {
          return topology.firstSlot(partition);
        }
      }
      partition++;
    }
    return Slots.COUNT;
  }

  @Override
  void reply(int node, Message.ScanReply reply) {
    switch (reply) {
      case Message.Scanned scanned -> page(node, scanned.page());
      case Message.Refused refused -> {
        boolean lags = Behind.is(refused.why());
        if (refused.why().reason() == Reason.MOVING && !finished) {
          finished = true;
          coordinator.inFlight().remove(this);
          completion.complete(refused.why());
        } else if (!lags && refused.why().reason() == Reason.UNAVAILABLE) {
          unreadable(node, refused.why().message());
        } else if (!finished && !(lags && replace(node, behind))) {
          fail();
        }
      }
    }
  }

  @Override
  void lost(int node) {
    if (targets.contains(node)) {
      fail();
    }
  }

  @Override
  void tick(long nowNanos) {
    if (nowNanos >= deadlineNanos) {
      fail();
    }
  }

  private void fail() {
    if (!finished) {
      finished = true;
      coordinator.inFlight().remove(this);
      completion.complete(unreachable());
    }
  }

  private Unanswered.Refused unreachable() {
    if (!behind.isEmpty()) {
      return Behind.refusal();
    }
    return new Unanswered.Refused(
        Reason.UNAVAILABLE,
        "too few replicas answered; go on from the same cursor"
            + (cause.isEmpty() ? "" : "; " + cause),
        0);
  }
}
