package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.replica.Replica;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.wire.Message;
import dev.tern.env.Clock;
import dev.tern.env.CoverageMarks;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Objects;

/// A shard's part in moves of replicas, from its side of each partition:
///
/// - *The barrier.* When an old replica goes by an entry that is filling, it takes no more writes
///   of who goes by an earlier one ([dev.tern.core.replica.Partition#isPending] says how the new
///   one behaves meanwhile). What its clock has at that moment, pending dots included, it tells the
///   pending replicas. One of those is filled when its clock on disk covers what all live old
///   replicas told, and those are so many that each write acknowledged before is among theirs.
///   Where the new list is shorter the same is asked of those that stay: each of them has to have
///   what those that leave have, so that no write is at fewer replicas afterwards than its level
///   says.
/// - *The drain.* From the fence on an old replica that leaves takes no writes. It is drained when
///   one of the new list and all live newcomers have all that it had then.
/// - *The drop.* What a member holds of a partition that it is no replica of any more goes by
///   [LeftPartitions].
///
/// Threads: the shard's loop.
final class PartitionMoves {
  /// What was told or asked is told or asked again after this.
  private static final long AGAIN_NANOS = 2_000_000_000L;

  private final int self;
  private final Clock clock;
  private final AntiEntropy.Wire wire;
  private final PlantedBug planted;
  private ClusterView view;

  private final LeftPartitions left;

  PartitionMoves(ShardContext context, Replica replica, AntiEntropy.Wire wire, ClusterView view) {
    this.self = context.self();
    this.clock = context.clock();
    this.wire = wire;
    this.planted = context.planted();
    this.view = view;
    this.left = new LeftPartitions(context, replica, wire, view);
  }

  /// Goes by a later topology; the exchanges do so already.
  void adopt(ClusterView later, Collection<Exchange> exchanges) {
    view = later;
    left.adopt(later);
    exchanges.forEach(this::tellBarrier);
  }

  // ---- the barrier

  /// Whether a replica has to be filled before the new list is read.
  private static boolean isFilledFirst(ReplicaSet set, int member) {
    boolean stays =
        set.phase() == Phase.FILLING && set.shrinks() && ReplicaSet.names(set.newList(), member);
    return stays || set.isPending(member);
  }

  /// Tells the replicas that are to be filled what the clock here had when the filling began.
  private void tellBarrier(Exchange exchange) {
    DotSet barrier = exchange.barrier;
    if (barrier == null || exchange.isBehind()) {
      return;
    }
    exchange.barrierToldNanos = clock.monotonicNanos();
    for (int peer : exchange.peers) {
      if (isFilledFirst(exchange.set, peer) && wire.live(peer)) {
        int number = exchange.partition.number();
        wire.send(
            peer, number, new Message.Barrier(exchange.group, number, exchange.epoch, barrier));
      }
    }
  }

  /// A few times a second.
  void beat(Collection<Exchange> exchanges, long now) {
    for (Exchange exchange : exchanges) {
      if (exchange.barrier != null && now - exchange.barrierToldNanos >= AGAIN_NANOS) {
        tellBarrier(exchange);
      }
    }
    left.beat(now);
  }

  /// A pending replica asks for a clock: it may have missed the barrier.
  void asked(Exchange exchange, int place) {
    if (isFilledFirst(exchange.set, exchange.peers[place])) {
      tellBarrier(exchange);
    }
  }

  /// An old replica tells what it had.
  void barrier(Exchange exchange, int place, Message.Barrier told) {
    if (told.epoch() == exchange.epoch) {
      exchange.barriers[place] = told.clock();
    }
  }

  private boolean isFilled(Exchange exchange) {
    if (!isFilledFirst(exchange.set, self)) {
      return true;
    }
    boolean stays = !exchange.set.isPending(self);
    if (stays && planted == PlantedBug.SHRUNK_UNFILLED) {
      return true;
    }
    if (exchange.isBehind()) {
      return false;
    }
    if (planted == PlantedBug.BARRIER_SKIPPED) {
      return true;
    }
    int covered = stays ? 1 : 0;
    for (int place = 0; place < exchange.peers.length; place++) {
      if (!exchange.set.isPending(exchange.peers[place])) {
        DotView barrier = exchange.barriers[place];
        boolean has = barrier != null && exchange.partition.synced().covers(barrier);
        if (!has && wire.live(exchange.peers[place])) {
          return false;
        }
        covered += has ? 1 : 0;
      }
    }
    int old = exchange.set.oldList().length;
    // Linearizable writes go by majorities, whatever the defaults are.
    return covered > old - Math.min(old / 2 + 1, leastWrites(exchange.group));
  }

  /// The least number of replicas that a write of a set's keyspaces waits for by default.
  private int leastWrites(int set) {
    int least = Integer.MAX_VALUE;
    for (KeyspaceConfig keyspace : view.keyspaces()) {
      ReplicaGroups groups = Objects.requireNonNull(view.groups(keyspace.id()));
      least = groups.number() == set ? Math.min(least, keyspace.w()) : least;
    }
    return least;
  }

  // ---- the drain

  private boolean isDrained(Exchange exchange) {
    DotSet frozen = exchange.frozen;
    if (frozen == null) {
      return false;
    }
    if (planted == PlantedBug.DROPPED_BEFORE_DRAINED) {
      return true;
    }
    boolean any = false;
    for (int place = 0; place < exchange.peers.length; place++) {
      int peer = exchange.peers[place];
      DotView heard = exchange.heard[place];
      boolean stays = exchange.set.leaders().has(peer);
      boolean newcomer = stays && (exchange.set.oldPlaces() >>> exchange.set.place(peer) & 1) == 0;
      boolean has = stays && heard != null && heard.covers(frozen);
      if (newcomer && !has && wire.live(peer)) {
        return false;
      }
      any |= has;
    }
    return any;
  }

  /// The replicas here of partitions that move.
  List<MoveState> states(Collection<Exchange> exchanges) {
    List<MoveState> states = new ArrayList<>();
    for (Exchange exchange : exchanges) {
      if (!exchange.set.isStable()) {
        boolean filled = isFilled(exchange);
        assert !filled
            || !exchange.set.isPending(self)
            || CoverageMarks.reach(CoreMark.PENDING_REPLICA_FILLED);
        states.add(
            new MoveState(
                exchange.group,
                exchange.partition.number(),
                exchange.epoch,
                filled,
                isDrained(exchange)));
      }
    }
    return states;
  }

  /// Tells whether something lies here of a partition that this member is no replica of.
  boolean hasLeft(int group, int partition) {
    return left.has(group, partition);
  }

  /// A replica tells what it has of a partition that this member has none of.
  void heard(int member, Message.Clock told) {
    left.heard(member, told);
  }

  /// Partitions of which something lies here though this member is no replica.
  LeftState left() {
    return left.state();
  }
}
