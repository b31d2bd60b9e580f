package dev.tern.core.quorum;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Ballots;
import dev.tern.core.replica.Replica;
import dev.tern.core.replica.Writes;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.traffic.Admission;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RoutedKey;
import dev.tern.core.wire.ScanCursor;
import dev.tern.env.CoverageMarks;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Serves what coordinators of other nodes ask of this shard's replicas.
public final class Responder {
  /// Forwarded updates remembered, so that one that arrives twice is done once.
  private static final int MAX_REMEMBERED = 65_536;

  /// So many times what a coordinator takes on: the bound is met there first, where a write is
  /// refused before it is written anywhere.
  private static final int REPLICA_SHARES = 2;

  private final Coordinator coordinator;
  private final Replica replica;
  private final Consumer<Integer> behind;
  private final Consumer<Integer> ahead;
  private final PlantedBug planted;
  private final Admission admission;
  private final Map<Origin, Boolean> forwardsSeen =
      new LinkedHashMap<>() {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Origin, Boolean> eldest) {
          return size() > MAX_REMEMBERED;
        }
      };

  private record Origin(int node, int shard, long id) {}

  /// Serves the replicas behind a coordinator.
  ///
  /// @param behind told of a node that goes by lists of before
  /// @param ahead told of a node that goes by lists of later
  public Responder(
      ShardContext context,
      Coordinator coordinator,
      Replica replica,
      Consumer<Integer> behind,
      Consumer<Integer> ahead) {
    this.coordinator = coordinator;
    this.replica = replica;
    this.behind = behind;
    this.ahead = ahead;
    this.planted = context.planted();
    this.admission =
        new Admission(REPLICA_SHARES * context.limits().costBytes(), context.nowNanos());
  }

  /// Every [Coordinator#BEAT_NANOS].
  public void beat() {
    admission.beat(coordinator.nowNanos());
  }

  /// Whether a request fits beside those under way; if not it is answered.
  private boolean admits(int node, int shard, long id, long cost) {
    if (admission.admits(cost)) {
      return true;
    }
    coordinator.count(Statistics.Counter.REPLICA_COST_REFUSED);
    Unanswered.Refused why =
        admission.refusal("this replica has too much to do", coordinator.nowNanos());
    coordinator.transport().answer(node, shard, new Message.Refused(id, why));
    return false;
  }

  /// Carries out a request and answers it.
  public void request(int node, int shard, Message.Request request) {
    Unanswered.Refused refusal = refusal(node, request);
    if (refusal != null) {
      if (request instanceof Message.Forward) {
        // One that arrives twice must not be carried out after it was refused.
        forwardsSeen.put(new Origin(node, shard, request.id()), true);
      }
      coordinator.transport().answer(node, shard, new Message.Refused(request.id(), refusal));
      return;
    }
    switch (request) {
      case Message.Write write -> write(node, shard, write);
      case Message.Read read -> read(node, shard, read);
      case Message.ReadHeld read -> readHeld(node, shard, read);
      case Message.Hold hold -> hold(node, shard, hold);
      case Message.Forward forward -> forward(node, shard, forward);
      case Message.Scan scan -> scan(node, shard, scan);
      case Message.Count count -> {
        CountOutcome.Count counted = coordinator.counted(count.keyspace(), count.partitions());
        coordinator
            .transport()
            .answer(
                node,
                shard,
                counted == null
                    ? new Message.Refused(count.id(), Behind.refusal())
                    : new Message.Counted(count.id(), counted));
      }
    }
  }

  private Unanswered.@Nullable Refused refusal(int node, Message.Request request) {
    int slot;
    int keyspace;
    switch (request) {
      case Message.ReadHeld m -> {
        return unknown(m.at());
      }
      case Message.Hold m -> {
        return unknown(m.at());
      }
      case Message.Keyed m -> {
        if (!inSet(m.at())) {
          return notHeld(m.keyspace(), m.slot());
        }
        slot = m.slot();
        keyspace = m.keyspace();
      }
      case Message.Scan m -> {
        slot = ScanCursor.slot(m.cursor());
        keyspace = m.keyspace();
      }
      case Message.Count m -> {
        return refusal(node, m);
      }
    }
    Topology topology = coordinator.view().topology(keyspace);
    boolean owned = slot >= 0 && slot < Slots.COUNT && replica.store().records().holds(slot);
    return topology == null || !owned
        ? notHeld(keyspace, slot)
        : refusal(node, request, topology, keyspace, topology.partitionOf(slot));
  }

  /// Of partitions of all shards.
  private Unanswered.@Nullable Refused refusal(int node, Message.Count count) {
    Topology topology = coordinator.view().topology(count.keyspace());
    BitSet asked = count.partitions();
    if (topology == null || asked.length() > topology.partitions()) {
      return notHeld(count.keyspace(), 0);
    }
    Unanswered.Refused why = null;
    for (int p = asked.nextSetBit(0); why == null && p >= 0; p = asked.nextSetBit(p + 1)) {
      why = refusal(node, count, topology, count.keyspace(), p);
    }
    return why;
  }

  private Unanswered.@Nullable Refused refusal(
      int node, Message.Request request, Topology topology, int keyspace, int partition) {
    boolean writes = request instanceof Message.Write;
    long oldest = writes ? topology.writableFrom(partition) : topology.readableFrom(partition);
    if (writes && planted == PlantedBug.STALE_OWNER_ACCEPTS) {
      oldest = 0;
    }
    if (request.epoch() < oldest) {
      behind.accept(node);
      return Writes.moving(request.epoch(), oldest);
    }
    // A count carries the whole topology's epoch.
    if (request.epoch() > topology.epoch(partition) && !(request instanceof Message.Count)) {
      // What it asks for may need what this replica does only by that epoch.
      ahead.accept(node);
      return Writes.moving(request.epoch(), topology.epoch(partition));
    }
    if (topology.replicaSet(partition).serving().has(coordinator.self())) {
      return null;
    }
    long here = topology.epoch(partition);
    if (request.epoch() < here && !(request instanceof Message.Count)) {
      // A write that this replica would still take by its epoch, were it one by the new list.
      behind.accept(node);
      return Writes.moving(request.epoch(), here);
    }
    return notHeld(keyspace, topology.firstSlot(partition));
  }

  /// Why this node holds nothing of a keyspace for others; null if it may.
  private Unanswered.@Nullable Refused unknown(RoutedKey at) {
    // Also what is held for others lies in the shard of the key's partition.
    boolean may = inSet(at) && replica.store().records().holds(at.slot());
    return may ? null : notHeld(at.keyspace(), at.slot());
  }

  /// Whether a keyspace is known here in the replica groups that the sender knows it in.
  private boolean inSet(RoutedKey at) {
    ReplicaGroups groups = coordinator.view().groups(at.keyspace());
    return groups != null && groups.number() == at.set();
  }

  private static Unanswered.Refused notHeld(int keyspace, int slot) {
    return new Unanswered.Refused(
        Reason.TRY_AGAIN,
        "this node does not hold keyspace %d, slot %d".formatted(keyspace, slot),
        0);
  }

  private KeyspaceConfig keyspace(int id) {
    return java.util.Objects.requireNonNull(coordinator.view().keyspace(id));
  }

  private void write(int node, int shard, Message.Write write) {
    long id = write.id();
    long cost = Admission.writeCost(write.key(), write.record());
    if (!admits(node, shard, id, cost)) {
      return;
    }
    replica
        .writes()
        .apply(
            keyspace(write.keyspace()),
            write.slot(),
            write.key(),
            write.record(),
            write.ballot(),
            write.epoch(),
            answering(node, shard, id, cost, write));
  }

  /// @param write that is stored here, null if it is held for others
  private Applied answering(
      int node, int shard, long id, long cost, Message.@Nullable Write write) {
    return new Applied() {
      @Override
      public void durable() {
        admission.finished(cost);
        if (write != null) {
          coordinator.written(write.keyspace(), write.key());
        }
        coordinator.transport().answer(node, shard, new Message.Written(id, replica.pressure()));
      }

      @Override
      public void superseded(Version by) {
        admission.finished(cost);
        coordinator.transport().answer(node, shard, new Message.Superseded(id, by.rank()));
      }

      @Override
      public void outvoted(long by) {
        admission.finished(cost);
        coordinator.transport().answer(node, shard, new Message.Outvoted(id, by));
      }

      @Override
      public void refused(Unanswered.Refused why) {
        admission.finished(cost);
        if (write == null) {
          coordinator.count(Statistics.Counter.HINTS_REFUSED);
        }
        coordinator.transport().answer(node, shard, new Message.Refused(id, why));
      }
    };
  }

  private void hold(int node, int shard, Message.Hold hold) {
    long cost = Admission.writeCost(hold.key(), hold.record());
    if (!admits(node, shard, hold.id(), cost)) {
      return;
    }
    coordinator.count(Statistics.Counter.HINTS_HELD);
    replica
        .writes()
        .hold(
            keyspace(hold.keyspace()),
            hold.slot(),
            hold.key(),
            hold.record(),
            hold.target(),
            answering(node, shard, hold.id(), cost, null));
  }

  private void read(int node, int shard, Message.Read read) {
    KeyspaceConfig keyspace = keyspace(read.keyspace());
    if (!read.alone() && !replica.store().vouches(keyspace.id(), read.slot())) {
      coordinator.transport().answer(node, shard, new Message.Refused(read.id(), Behind.refusal()));
      return;
    }
    long cost = admission.readCost(read.key());
    if (!admits(node, shard, read.id(), cost)) {
      return;
    }
    if (read.ballot() == 0) {
      read(node, shard, read, keyspace, cost);
      return;
    }
    replica
        .ballots()
        .whenReserved(
            read.ballot(),
            () -> led(node, shard, read, keyspace, cost),
            why -> {
              admission.finished(cost);
              coordinator.transport().answer(node, shard, new Message.Refused(read.id(), why));
            });
  }

  /// The read that begins a leader's round.
  private void led(int node, int shard, Message.Read read, KeyspaceConfig keyspace, long cost) {
    int slot = read.slot();
    if (!replica.ballots().promise(keyspace.id(), slot, read.key(), read.ballot())) {
      admission.finished(cost);
      long by = replica.ballots().promised(keyspace.id(), slot, read.key());
      coordinator.transport().answer(node, shard, new Message.Outvoted(read.id(), by));
      return;
    }
    // In the same step as the promise: whoever leads later is told a floor as high.
    replica.store().learnFloor(keyspace.id(), slot, read.floor());
    replica
        .writes()
        .afterRivals(keyspace, slot, read.ballot(), () -> read(node, shard, read, keyspace, cost));
  }

  private void read(int node, int shard, Message.Read read, KeyspaceConfig keyspace, long cost) {
    replica
        .reads()
        .read(
            keyspace,
            read.slot(),
            read.key(),
            (record, failure) -> {
              admission.finished(cost);
              admission.answered(read.key(), record);
              boolean ranks = read.ballot() > 0 && keyspace.resolution() == Resolution.LWW;
              Stamp floor = ranks && failure == null ? floorToTell(read, record) : null;
              if (floor != null) {
                coordinator
                    .transport()
                    .answer(node, shard, new Message.Digest(read.id(), Rank.absent(floor)));
                return;
              }
              long by =
                  read.confirmed()
                      ? replica.ballots().above(keyspace.id(), read.slot(), read.key(), record)
                      : 0;
              coordinator
                  .transport()
                  .answer(
                      node,
                      shard,
                      by > 0
                          ? new Message.Outvoted(read.id(), by)
                          : answer(read, record, keyspace.resolution(), failure));
            });
  }

  /// The floor, where the leader must know it: where nothing is here, and where the update would
  /// stand on it but the leader does not know it yet. Then the leader reads again.
  private @Nullable Stamp floorToTell(Message.Read read, @Nullable Siblings record) {
    Stamp floor = replica.store().floor(read.keyspace(), read.slot());
    if (record == null || record.isEmpty()) {
      return floor;
    }
    boolean higher = floor.compareTo(read.floor()) > 0;
    Stamp below = Ballots.below(record.newest(), read.ballot(), floor);
    return higher && below.equals(floor) ? floor : null;
  }

  private void readHeld(int node, int shard, Message.ReadHeld read) {
    long cost = admission.readCost(read.key());
    if (!admits(node, shard, read.id(), cost)) {
      return;
    }
    replica
        .reads()
        .readHeld(
            keyspace(read.keyspace()),
            read.slot(),
            read.key(),
            read.target(),
            (record, failure) -> {
              admission.finished(cost);
              coordinator
                  .transport()
                  .answer(
                      node,
                      shard,
                      failure == null
                          ? new Message.Value(read.id(), record)
                          : new Message.Refused(read.id(), unread(failure)));
            });
  }

  private Unanswered.Refused unread(@Nullable Throwable failure) {
    String why = failure == null ? "it told nothing" : String.valueOf(failure.getMessage());
    return new Unanswered.Refused(
        Reason.UNAVAILABLE, "node %d cannot read it: %s".formatted(coordinator.self(), why), 0);
  }

  private Message.Reply answer(
      Message.Read read,
      @Nullable Siblings record,
      Resolution resolution,
      @Nullable Throwable failure) {
    if (failure != null) {
      return new Message.Refused(read.id(), unread(failure));
    }
    return read.digest()
        ? new Message.Digest(read.id(), Message.Digest.of(record, resolution))
        : new Message.Value(read.id(), record);
  }

  private void forward(int node, int shard, Message.Forward forward) {
    Origin origin = new Origin(node, shard, forward.id());
    boolean again = forwardsSeen.put(origin, true) != null;
    assert !again || CoverageMarks.reach(CoreMark.FORWARD_CAME_TWICE);
    if (again && planted != PlantedBug.FORWARD_APPLIED_TWICE) {
      return;
    }
    coordinator.update(
        keyspace(forward.keyspace()),
        forward.slot(),
        forward.key(),
        forward.update(),
        forward.level(),
        true,
        outcome ->
            coordinator
                .transport()
                .answer(node, shard, new Message.Updated(forward.id(), outcome)));
  }

  /// Whether this replica's word is enough for a scan: by the level, or as there is no other one.
  private boolean isAlone(Topology topology, Message.Scan scan) {
    int partition = topology.partitionOf(ScanCursor.slot(scan.cursor()));
    // Who goes by an earlier entry may know of others.
    boolean same = scan.epoch() == topology.epoch(partition);
    return keyspace(scan.keyspace()).r() == 1 || same && topology.replicas(partition).length == 1;
  }

  /// The partitions that may have moved since the entry by which a scan goes: whoever asks may not
  /// know where these are written. The scan goes on there by the entry of the partition itself.
  private static BitSet moved(Topology topology, Message.Scan scan) {
    BitSet moved = new BitSet();
    for (int p = 0; p < topology.partitions(); p++) {
      moved.set(p, topology.readableFrom(p) > scan.epoch());
    }
    return moved;
  }

  private void scan(int node, int shard, Message.Scan scan) {
    Topology topology = Objects.requireNonNull(coordinator.view().topology(scan.keyspace()));
    boolean alone = isAlone(topology, scan);
    if (!alone && !replica.store().vouches(scan.keyspace(), ScanCursor.slot(scan.cursor()))) {
      coordinator.transport().answer(node, shard, new Message.Refused(scan.id(), Behind.refusal()));
      return;
    }
    int limit = Math.clamp(scan.limit(), 1, Coordinator.MAX_SCAN_LIMIT);
    long cost = Admission.scanCost(limit);
    if (!admits(node, shard, scan.id(), cost)) {
      return;
    }
    replica
        .reads()
        .scan(
            scan.keyspace(),
            scan.cursor(),
            limit,
            keyspace(scan.keyspace()).durability(),
            alone,
            moved(topology, scan),
            (page, failure) -> {
              admission.finished(cost);
              coordinator
                  .transport()
                  .answer(
                      node,
                      shard,
                      failure != null || page == null
                          ? new Message.Refused(scan.id(), unread(failure))
                          : new Message.Scanned(scan.id(), page));
            });
  }
}
