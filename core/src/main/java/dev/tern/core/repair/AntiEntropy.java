package dev.tern.core.repair;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.replica.Partition;
import dev.tern.core.replica.Replica;
import dev.tern.core.replica.SnapshotFiles;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.wire.Message;
import dev.tern.env.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Keeps the replicas of one shard's partitions alike. The package says how.
///
/// Threads: the shard's loop.
public final class AntiEntropy {
  /// A partition's clock is told to its other replicas so long after it changed, at the earliest.
  static final long TELL_NANOS = 1_000_000_000L;

  /// A clock is told again after this to a replica that lacks something: it may not have arrived.
  private static final long TELL_AGAIN_NANOS = 2_000_000_000L;

  /// While this replica is behind, it asks a peer for its clock again after this.
  private static final long ASK_AGAIN_NANOS = 400_000_000L;

  /// A clock is told again after this, whether or not it changed.
  private static final long TELL_ANYWAY_NANOS = 60_000_000_000L;

  /// The log of dots is trimmed when so many entries may go, or after a time.
  private static final int TRIM_DOTS = 512;

  private static final long TRIM_NANOS = 30_000_000_000L;

  /// What anti-entropy needs of its shard: who lives, and how to reach other nodes.
  public interface Wire {
    boolean live(int member);

    /// Sends a message to the shard of `member` that has the partition.
    void send(int member, int partition, Message message);

    /// Whether this shard has a partition.
    boolean keeps(int partition);

    /// Whether a write of the partition may be on its way that this node minted without being its
    /// replica.
    boolean sendsAway(int partition);
  }

  private final int self;
  private final Replica replica;
  private final Clock clock;
  private final Wire wire;
  private final Statistics statistics;
  private final PlantedBug planted;
  private final Limits limits;
  private ClusterView view;
  private final List<Exchange> exchanges = new ArrayList<>();
  private final TreeMap<Long, Exchange> byPlace = new TreeMap<>();
  private final Scrub scrub;
  private final Inquiries inquiries;
  private final Burial burial;
  private final FillBudget budget;
  private final Fetches fetches;
  private final PageSender pages;
  private final SnapshotSender snapshots;
  private final RepairFigures figures;
  private final PartitionMoves moves;

  /// Published for other threads.
  private volatile List<MoveState> moving = List.of();

  private volatile LeftState left;
  private volatile long fillRate;

  private long nextId;

  /// @param files where the rows of snapshots are written that arrive
  /// @param firstId where ids of requests begin: random for each start
  public AntiEntropy(
      ShardContext context,
      Replica replica,
      SnapshotFiles files,
      Wire wire,
      ClusterView view,
      long firstId) {
    this.self = context.self();
    this.replica = replica;
    this.clock = context.clock();
    this.wire = wire;
    this.statistics = context.statistics();
    this.planted = context.planted();
    this.limits = context.limits();
    this.view = view;
    this.nextId = firstId;
    this.figures = new RepairFigures(replica.store().records().events());
    this.budget =
        new FillBudget(context.limits().fill(), context.foreground(), clock.monotonicNanos());
    this.fillRate = budget.rate();
    this.fetches =
        new Fetches(
            context,
            replica,
            replica.installs(files, keyspace -> this.view.keyspace(keyspace)),
            wire,
            budget,
            () -> ++nextId,
            figures,
            this::settle,
            view);
    this.pages = new PageSender(context, replica, wire, budget);
    this.snapshots = new SnapshotSender(context, replica, wire, budget, () -> ++nextId);
    meetAll();
    this.scrub =
        new Scrub(
            context,
            replica,
            wire,
            byPlace,
            keyspace -> this.view.keyspace(keyspace),
            () -> ++nextId);
    this.moves = new PartitionMoves(context, replica, wire, view);
    this.left = moves.left();
    this.inquiries =
        new Inquiries(context, replica.store().hints(), moves::hasLeft, wire, () -> ++nextId, view);
    this.burial = new Burial(context, replica, inquiries);
  }

  /// Adopts a later topology; the store has adopted it before.
  public void adopt(ClusterView later) {
    view = later;
    fetches.adopt(later);
    List<Exchange> gone = new ArrayList<>();
    List<Exchange> changed = new ArrayList<>();
    for (Exchange exchange : exchanges) {
      ReplicaGroups groups = view.groupsNumbered(exchange.group);
      int number = exchange.partition.number();
      // A replica of another admission begins anew.
      if (groups == null
          || exchange.partition.admission() != exchange.admission
          || !groups.replicaSet(number).has(self)) {
        gone.add(exchange);
      } else if (groups.epoch(number) != exchange.epoch) {
        changed.add(exchange);
      }
    }
    gone.forEach(this::part);
    changed.forEach(this::renew);
    meetAll();
    inquiries.adopt(later, byPlace);
    moves.adopt(later, exchanges);
    publishMoves();
  }

  /// Goes on with the replicas of a later entry of the topology.
  private void renew(Exchange exchange) {
    ReplicaGroups groups = Objects.requireNonNull(view.groupsNumbered(exchange.group));
    int number = exchange.partition.number();
    end(exchange);
    Exchange next =
        exchange.by(groups.replicaSet(number), groups.epoch(number), self, clock.monotonicNanos());
    exchanges.set(exchanges.indexOf(exchange), next);
    byPlace.put(place(exchange.group, number), next);
    countBehind(exchange, false);
    if (next.isBehind() && next.readiness.isSettled()) {
      // The other replicas have left: nobody knows more than this one.
      next.partition.behind(false);
      replica.store().filled(next.partition);
    }
    countBehind(next, next.isBehind());
  }

  /// What is under way for a partition is void.
  private void end(Exchange exchange) {
    fetches.part(exchange);
    snapshots.part(exchange);
    scrub.part(exchange);
    figures.note(exchange, false, false);
  }

  /// A replica that waits to be filled is not counted.
  private void countBehind(Exchange exchange, boolean behind) {
    boolean counts = behind && !exchange.set.isPending(self);
    if (counts != exchange.countedBehind) {
      exchange.countedBehind = counts;
      figures.behind(counts ? 1 : -1);
    }
  }

  private void meetAll() {
    replica.store().forEachPartition(this::meet);
    figures.partitions(exchanges.size());
  }

  /// Ends the exchange of a partition: the last keyspace of its groups was dropped, or the replica
  /// here is of another admission. Nothing that the exchange knows holds any more.
  private void part(Exchange exchange) {
    exchanges.remove(exchange);
    exchange.partition.behind(false);
    countBehind(exchange, false);
    byPlace.remove(place(exchange.group, exchange.partition.number()));
    figures.partitions(exchanges.size());
    end(exchange);
  }

  private void meet(Partition partition) {
    int group = replica.store().groupNumber(partition);
    ReplicaGroups groups = view.groupsNumbered(group);
    long place = place(group, partition.number());
    if (groups == null || byPlace.containsKey(place)) {
      return;
    }
    ReplicaSet set = groups.replicaSet(partition.number());
    if (set.has(self)) {
      long epoch = groups.epoch(partition.number());
      Exchange exchange = new Exchange(partition, group, set, epoch, self, clock.monotonicNanos());
      if (exchange.peers.length > 0 && planted != PlantedBug.BEHIND_REPLICA_ANSWERS) {
        partition.behind(true);
        countBehind(exchange, true);
      }
      exchanges.add(exchange);
      byPlace.put(place, exchange);
    }
  }

  static long place(int group, int partition) {
    return (long) group << 32 | partition;
  }

  /// The number of partitions whose replicas here are behind, see [Readiness]; any thread.
  public int behind() {
    return figures.behind();
  }

  /// Moves a replica out of the state *behind* if it may leave it, or back if it must.
  private void settle(Exchange exchange) {
    settle(exchange, clock.monotonicNanos());
  }

  private void settle(Exchange exchange, long now) {
    if (exchange.readiness.isSettled() || planted == PlantedBug.BEHIND_REPLICA_ANSWERS) {
      return;
    }
    boolean ready =
        exchange.readiness.isReady(
            exchange.partition.clock(), place -> wire.live(exchange.peers[place]), now);
    if (ready == exchange.isBehind()) {
      exchange.partition.behind(!ready);
      exchange.stirred = true;
      countBehind(exchange, !ready);
    }
    if (exchange.readiness.isSettled()) {
      replica.store().filled(exchange.partition);
    }
  }

  /// How many partitions lack records or are being rebuilt; any thread.
  public Repairs repairs() {
    return figures.repairs();
  }

  /// Does what is due; called a few times a second.
  public void beat() {
    long now = clock.monotonicNanos();
    if (budget.isDue(now)) {
      budget.endPeriod(now);
      fillRate = budget.rate();
    }
    fetches.goOn();
    for (Exchange exchange : exchanges) {
      fetches.beat(exchange, now);
      for (int i = 0; i < exchange.peers.length; i++) {
        tellIfDue(exchange, i, now);
      }
      settle(exchange, now);
      boolean stirred = exchange.stirred || exchange.partition.turns() != exchange.lookedTurns;
      if (stirred && now - exchange.lookedNanos >= TELL_NANOS) {
        look(exchange, now);
      }
    }
    snapshots.beat();
    scrub.beat();
    inquiries.beat();
    moves.beat(exchanges, now);
    publishMoves();
  }

  private void publishMoves() {
    moving = moves.states(exchanges);
    left = moves.left();
  }

  /// The replicas here of partitions that move, up to a beat old; any thread.
  public List<MoveState> moving() {
    return moving;
  }

  /// Partitions of which something lies here though this member is no replica: it is dropped when
  /// the replicas have it. Up to a beat old; any thread.
  public LeftState left() {
    return left;
  }

  /// How many bytes a second of other replicas' records this shard takes and gives at most, at
  /// present; any thread.
  public long fillRate() {
    return fillRate;
  }

  /// Takes a question about the hints that this node holds, or an answer to such a question.
  ///
  /// @param shard of the member that sent it
  public void receive(int member, int shard, Message.Inquiry message) {
    inquiries.receive(member, shard, message);
  }

  private void tellIfDue(Exchange exchange, int place, long now) {
    if (!wire.live(exchange.peers[place])) {
      return;
    }
    long since = now - exchange.toldNanos[place];
    boolean changed = exchange.partition.turns() != exchange.toldTurns[place];
    boolean behind = exchange.heard[place] == null || exchange.behind[place];
    if (exchange.isBehind() && !exchange.readiness.hasTold(place)) {
      if (since >= ASK_AGAIN_NANOS) {
        tell(exchange, place, /* wanted= */ true, /* trimmed= */ false);
      }
      return;
    }
    if (changed && since >= TELL_NANOS
        || behind && since >= TELL_AGAIN_NANOS
        || since >= TELL_ANYWAY_NANOS) {
      // If nothing is new here, its answer may have been lost.
      tell(exchange, place, exchange.heard[place] == null || behind && !changed, false);
    }
  }

  /// A connection opened: clocks that were told before may not have arrived.
  public void connected(int member) {
    for (Exchange exchange : exchanges) {
      int place = exchange.place(member);
      if (place >= 0) {
        exchange.toldTurns[place] = -1;
        exchange.readiness.came(place, clock.monotonicNanos());
        settle(exchange);
        exchange.askAtOnce(place);
      }
    }
  }

  private void tell(Exchange exchange, int place, boolean wanted, boolean trimmed) {
    int number = exchange.partition.number();
    exchange.toldTurns[place] = exchange.partition.turns();
    exchange.toldNanos[place] = clock.monotonicNanos();
    statistics.add(Counter.CLOCKS_TOLD, 1);
    wire.send(
        exchange.peers[place],
        number,
        new Message.Clock(
            exchange.group,
            number,
            wanted,
            exchange.partition.synced(),
            exchange.partition.floor(),
            trimmed ? exchange.partition.trimmed() : null,
            exchange.hasForgotten(place),
            exchange.partition.heardBallot()));
  }

  /// Takes a message of another replica.
  public void receive(int member, Message.Repair message) {
    Exchange exchange = byPlace.get(place(message.group(), message.partition()));
    int place = exchange == null ? -1 : exchange.place(member);
    if (exchange == null || place < 0) {
      if (message instanceof Message.Clock told) {
        heardOfNone(exchange, member, told);
      }
      return;
    }
    switch (message) {
      case Message.Clock told -> heard(exchange, place, told);
      case Message.Barrier told -> moves.barrier(exchange, place, told);
      case Message.Missing missing -> pages.asked(exchange, member, missing);
      case Message.Repaired repaired -> {
        if (!fetches.takes(exchange, member, repaired)) {
          scrub.page(member, repaired);
        }
      }
      case Message.AskChunk ask -> snapshots.asked(exchange, member, ask);
      case Message.Chunk chunk -> fetches.takes(exchange, member, chunk);
      case Message.Root root -> scrub.root(exchange, member, root);
      case Message.Segments segments -> scrub.segments(member, segments);
      case Message.Listed listed -> scrub.listed(exchange, member, listed);
    }
  }

  /// A clock of a member that is none of the replicas with this one: one of the two was, and holds
  /// what it may drop when the other has it.
  private void heardOfNone(@Nullable Exchange exchange, int member, Message.Clock told) {
    if (exchange == null) {
      moves.heard(member, told);
    } else if (told.wanted() && !exchange.partition.isPending()) {
      int number = exchange.partition.number();
      wire.send(
          member,
          number,
          new Message.Clock(
              exchange.group,
              number,
              /* wanted= */ false,
              exchange.partition.synced(),
              exchange.partition.floor(),
              null,
              /* forgotten= */ false));
    }
  }

  private void heard(Exchange exchange, int place, Message.Clock told) {
    boolean careless = planted == PlantedBug.STRIP_WITHOUT_PENDING && exchange.isPending(place);
    exchange.heard(place, careless ? exchange.partition.synced() : told.clock());
    if (told.forgotten() && !exchange.readiness.isSettled()) {
      replica.store().unfilled(exchange.partition);
    }
    replica.store().learnFloor(exchange.partition, told.floor());
    if (planted != PlantedBug.BALLOTS_NOT_TOLD) {
      replica.ballots().told(exchange.partition, told.ballot());
    }
    exchange.stirred = true;
    if (replica.store().isAheadOfUs(exchange.partition, told.clock())) {
      statistics.add(Counter.NEW_REPLICA_IDS, 1);
      replica.store().records().takeNewId();
    }
    if (told.wanted()) {
      moves.asked(exchange, place);
      tell(exchange, place, /* wanted= */ false, /* trimmed= */ true);
    }
    if (told.trimmed() != null) {
      exchange.readiness.told(place, told.trimmed(), told.clock());
      settle(exchange);
    }
    fetches.fetch(exchange);
  }

  /// Decides what to do from the clocks that the peers have told.
  private void look(Exchange exchange, long now) {
    exchange.lookedNanos = now;
    exchange.lookedTurns = exchange.partition.turns();
    exchange.stirred = false;
    fetches.claim(exchange);
    fetches.fetch(exchange);
    for (int i = 0; i < exchange.peers.length; i++) {
      DotView heard = exchange.heard[i];
      exchange.behind[i] = heard != null && !heard.covers(exchange.partition.synced());
    }
    if (exchange.isBehind()) {
      return;
    }
    cut(exchange);
    if (!exchange.complete()) {
      return;
    }
    DotView common = exchange.common();
    // Where no other replica is there, too: one that comes later must not take what the clock has
    // and the log has not for replaced.
    DotSet trimmable = common.minus(exchange.partition.trimmed());
    boolean late = now - exchange.trimmedNanos >= TRIM_NANOS;
    if (!trimmable.isEmpty() && (late || trimmable.size() >= TRIM_DOTS)) {
      exchange.trimmedNanos = now;
      replica.dotLog().trim(exchange.partition, trimmable);
    } else if (!trimmable.isEmpty()) {
      exchange.stirred = true;
    }
    burial.bury(exchange, common);
  }

  /// Keeps the log of dots within its bound while a replica is away.
  private void cut(Exchange exchange) {
    // What was trimmed was on disk here.
    long logged = exchange.partition.synced().size() - exchange.partition.trimmed().size();
    if (logged <= limits.loggedDots()) {
      return;
    }
    DotView there = exchange.partition.synced();
    for (int i = 0; i < exchange.peers.length; i++) {
      // One that waits to be filled is given all, without the log.
      if (wire.live(exchange.peers[i]) && !exchange.isPending(i)) {
        DotView heard = exchange.heard[i];
        there = heard == null ? new DotSet() : there.and(heard);
      }
    }
    DotSet trimmable = there.minus(exchange.partition.trimmed());
    if (!trimmable.isEmpty()) {
      statistics.add(Counter.LOGS_CUT, 1);
      replica.dotLog().trim(exchange.partition, trimmable);
    }
  }

  /// Whether a partition here may hold tombstones that are not stripped; for tests.
  public boolean mayHaveGraves() {
    for (Exchange exchange : exchanges) {
      if (exchange.partition.mayHaveGraves()) {
        return true;
      }
    }
    return false;
  }

  /// Names a partition of which a replica lacks something, or of which not all clocks are known;
  /// null for none. For tests and figures.
  public @Nullable String unconverged() {
    for (Exchange exchange : exchanges) {
      DotView here = exchange.partition.clock();
      // Where there is no other replica nobody waits until the clock is on the disk.
      boolean alike =
          exchange.peers.length == 0
              || exchange.complete()
                  && exchange.common().covers(exchange.union())
                  && exchange.common().covers(here);
      if (!alike) {
        return "partition %d of group %d: here %s, on disk %s, others %s"
            .formatted(
                exchange.partition.number(),
                exchange.group,
                here,
                exchange.partition.synced(),
                java.util.Arrays.toString(exchange.heard));
      }
    }
    return null;
  }
}
