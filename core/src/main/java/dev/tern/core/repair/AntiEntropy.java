package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.replica.Applied;
import dev.tern.core.replica.Partition;
import dev.tern.core.replica.Reads;
import dev.tern.core.replica.Replica;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.RepairPage.RepairRecord;
import dev.tern.env.Clock;
import dev.tern.env.CoverageMarks;
import dev.tern.env.NodeEvent;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
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

  /// Requests for records under way at a time.
  static final int MAX_FETCHES = 4;

  private static final long FETCH_NANOS = 5_000_000_000L;

  /// The log of dots is trimmed when so many entries may go, or after a time.
  private static final int TRIM_DOTS = 512;

  private static final long TRIM_NANOS = 30_000_000_000L;

  private static final byte[] NOTHING = {};

  /// Records that were passed over are asked for again after this, at the latest.
  private static final long MAX_PATIENCE_NANOS = 600_000_000_000L;

  /// A page of a rebuild is asked for so often in vain, each time of the next replica.
  private static final int MAX_TRIES = 6;

  /// A record that the overloaded store refused is tried again for so long.
  private static final long OVERLOADED_NANOS = 20_000_000_000L;

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
  private int fetches;
  private volatile Repairs repairs = Repairs.NONE;

  /// The number of partitions whose replicas here are behind, see [Readiness].
  private volatile int behind;

  private int countedBehind;

  /// Partitions that wait until one of the fetches under way has ended.
  private final ArrayDeque<Exchange> waiting = new ArrayDeque<>();

  private long nextId;

  /// @param firstId where ids of requests begin: random for each start
  public AntiEntropy(
      ShardContext context, Replica replica, Wire wire, ClusterView view, long firstId) {
    this.self = context.self();
    this.replica = replica;
    this.clock = context.clock();
    this.wire = wire;
    this.statistics = context.statistics();
    this.planted = context.planted();
    this.limits = context.limits();
    this.view = view;
    this.nextId = firstId;
    meetAll();
    this.scrub =
        new Scrub(
            context,
            replica,
            wire,
            byPlace,
            keyspace -> this.view.keyspace(keyspace),
            () -> ++nextId);
    this.inquiries = new Inquiries(context, replica.store().hints(), wire, () -> ++nextId, view);
    this.burial = new Burial(context, replica, inquiries);
  }

  /// Adopts a later topology; the store has adopted it before.
  public void adopt(ClusterView later) {
    view = later;
    List<Exchange> gone = new ArrayList<>();
    for (Exchange exchange : exchanges) {
      // A replica of another admission begins anew; its peers' do not yet: that comes with moves.
      if (view.groupsNumbered(exchange.group) == null
          || exchange.partition.admission() != exchange.admission) {
        gone.add(exchange);
      }
    }
    gone.forEach(this::part);
    meetAll();
    inquiries.adopt(later);
  }

  private void meetAll() {
    replica.store().forEachPartition(this::meet);
    repairs = new Repairs(exchanges.size(), repairs.lacking(), repairs.rebuilding());
  }

  /// Ends the exchange of a partition: the last keyspace of its groups was dropped, or the replica
  /// here is of another admission. Nothing that the exchange knows holds any more.
  private void part(Exchange exchange) {
    exchanges.remove(exchange);
    if (exchange.isBehind()) {
      exchange.partition.behind(false);
      behind = --countedBehind;
    }
    byPlace.remove(place(exchange.group, exchange.partition.number()));
    waiting.remove(exchange);
    exchange.waits = false;
    if (exchange.fetchId != 0) {
      endFetch(exchange);
    }
    note(exchange, false, false);
  }

  private void meet(Partition partition) {
    int group = replica.store().groupNumber(partition);
    ReplicaGroups groups = view.groupsNumbered(group);
    long place = place(group, partition.number());
    if (groups == null || byPlace.containsKey(place)) {
      return;
    }
    int[] list = groups.lists().list(partition.number());
    int[] peers = java.util.Arrays.stream(list).filter(member -> member != self).toArray();
    if (peers.length < list.length) {
      Exchange exchange = new Exchange(partition, group, peers, clock.monotonicNanos());
      if (peers.length > 0 && planted != PlantedBug.BEHIND_REPLICA_ANSWERS) {
        partition.behind(true);
        behind = ++countedBehind;
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
    return behind;
  }

  /// Moves a replica out of the state *behind* if it may leave it, or back if it must.
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
      countedBehind += ready ? -1 : 1;
      behind = countedBehind;
    }
    if (exchange.readiness.isSettled()) {
      replica.store().filled(exchange.partition);
    }
  }

  /// How many partitions lack records or are being rebuilt; any thread.
  public Repairs repairs() {
    return repairs;
  }

  private void note(Exchange exchange, boolean lacks, boolean rebuilding) {
    int lacking = repairs.lacking() + (lacks ? 1 : 0) - (exchange.lacks ? 1 : 0);
    int rebuilt = repairs.rebuilding() + (rebuilding ? 1 : 0) - (exchange.rebuilding ? 1 : 0);
    if (rebuilding != exchange.rebuilding) {
      int number = exchange.partition.number();
      replica
          .store()
          .records()
          .events()
          .happened(
              rebuilding
                  ? new NodeEvent.RebuildBegan(exchange.group, number)
                  : new NodeEvent.RebuildEnded(exchange.group, number));
    }
    if (lacks != exchange.lacks || rebuilding != exchange.rebuilding) {
      exchange.lacks = lacks;
      exchange.rebuilding = rebuilding;
      repairs = new Repairs(exchanges.size(), lacking, rebuilt);
    }
  }

  /// Does what is due; called a few times a second.
  public void beat() {
    long now = clock.monotonicNanos();
    for (Exchange exchange : exchanges) {
      if (exchange.page != null) {
        exchange.page.again();
      } else if (exchange.fetchId != 0 && now >= exchange.fetchDeadline) {
        late(exchange);
      }
      if (now >= exchange.againNanos && exchange.hasPassedOver()) {
        again(exchange, now);
      }
      for (int i = 0; i < exchange.peers.length; i++) {
        tellIfDue(exchange, i, now);
      }
      settle(exchange, now);
      boolean stirred = exchange.stirred || exchange.partition.turns() != exchange.lookedTurns;
      if (stirred && now - exchange.lookedNanos >= TELL_NANOS) {
        look(exchange, now);
      }
    }
    scrub.beat();
    inquiries.beat();
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
        settle(exchange, clock.monotonicNanos());
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
            exchange.hasForgotten(place)));
  }

  /// Takes a message of another replica.
  public void receive(int member, Message.Repair message) {
    Exchange exchange = byPlace.get(place(message.group(), message.partition()));
    int place = exchange == null ? -1 : exchange.place(member);
    if (exchange == null || place < 0) {
      return;
    }
    switch (message) {
      case Message.Clock told -> heard(exchange, place, told);
      case Message.Missing missing -> send(exchange, member, missing);
      case Message.Repaired repaired -> {
        if (repaired.id() == exchange.fetchId && member == exchange.fetchFrom) {
          new Page(exchange, repaired.page()).store();
        } else {
          scrub.page(member, repaired);
        }
      }
      case Message.Root root -> scrub.root(exchange, member, root);
      case Message.Segments segments -> scrub.segments(member, segments);
      case Message.Listed listed -> scrub.listed(exchange, member, listed);
    }
  }

  private void heard(Exchange exchange, int place, Message.Clock told) {
    exchange.heard(place, told.clock());
    if (told.forgotten() && !exchange.readiness.isSettled()) {
      replica.store().unfilled(exchange.partition);
    }
    replica.store().learnFloor(exchange.partition, told.floor());
    exchange.stirred = true;
    if (replica.store().isAheadOfUs(exchange.partition, told.clock())) {
      statistics.add(Counter.NEW_REPLICA_IDS, 1);
      replica.store().records().takeNewId();
    }
    if (told.wanted()) {
      tell(exchange, place, /* wanted= */ false, /* trimmed= */ true);
    }
    if (told.trimmed() != null) {
      exchange.readiness.told(place, told.trimmed(), told.clock());
      settle(exchange, clock.monotonicNanos());
    }
    fetch(exchange);
  }

  /// Asks a replica for dots that it has told twice and that are not here. Dots that it has told
  /// once may be on their way.
  private void fetch(Exchange exchange) {
    if (exchange.fetchId == 0) {
      note(exchange, false, exchange.rebuilding);
    }
    int peers = exchange.peers.length;
    for (int n = 0; n < peers && exchange.fetchId == 0; n++) {
      int i = (exchange.firstPeer + n) % peers;
      DotSet here = exchange.partition.clock();
      DotSet said = exchange.isFilling() ? exchange.heard[i] : exchange.before[i];
      // What only a rebuild brings is not on its way.
      DotSet gone = exchange.isBehind() ? exchange.readiness.lacking(i, here) : null;
      if (said == null && gone == null || !wire.live(exchange.peers[i])) {
        continue;
      }
      if (gone == null && here.covers(java.util.Objects.requireNonNull(said))) {
        continue;
      }
      note(exchange, true, exchange.rebuilding);
      DotSet missing = gone == null ? new DotSet() : exchange.claims[i].toAsk(gone);
      if (missing.isEmpty() && said != null) {
        missing = exchange.claims[i].toAsk(said.minus(here));
      }
      if (missing.isEmpty()) {
        continue;
      }
      if (fetches < MAX_FETCHES) {
        exchange.fetches(i, missing);
        fetches++;
        ask(exchange, null);
        return;
      }
      if (!exchange.waits) {
        exchange.waits = true;
        waiting.add(exchange);
      }
      return;
    }
  }

  private void ask(Exchange exchange, byte @Nullable [] cursor) {
    exchange.fetchId = ++nextId;
    exchange.fetchDeadline = clock.monotonicNanos() + FETCH_NANOS;
    exchange.rebuildCursor = cursor == null ? NOTHING : cursor;
    statistics.add(Counter.REPAIR_PAGES, 1);
    int number = exchange.partition.number();
    wire.send(
        exchange.fetchFrom,
        number,
        new Message.Missing(
            exchange.group, number, exchange.fetchId, exchange.fetchWanted, cursor));
  }

  private void endFetch(Exchange exchange) {
    exchange.fetchId = 0;
    exchange.page = null;
    exchange.tries = 0;
    note(exchange, exchange.lacks, false);
    exchange.rebuildEnded();
    fetches--;
    Exchange next = waiting.poll();
    if (next != null) {
      next.waits = false;
      fetch(next);
    }
  }

  /// A peer has not answered: asks the next one, for the same page of a rebuild.
  private void late(Exchange exchange) {
    assert CoverageMarks.reach(CoreMark.FETCH_LATE);
    exchange.firstPeer = (exchange.place(exchange.fetchFrom) + 1) % exchange.peers.length;
    if (exchange.rebuilding) {
      askElsewhere(exchange, exchange.rebuildCursor);
    } else {
      endFetch(exchange);
      fetch(exchange);
    }
  }

  /// Asks the next live replica for a page of a rebuild. Pages of several sources go together: what
  /// is claimed in the end is what all of their clocks have.
  private void askElsewhere(Exchange exchange, byte[] cursor) {
    int from = exchange.place(exchange.fetchFrom);
    if (++exchange.tries > MAX_TRIES) {
      for (Claims each : exchange.claims) {
        each.page(new DotSet(), new DotSet(), exchange.fetchWanted, new DotSet());
      }
      passedOver(exchange);
      endFetch(exchange);
      return;
    }
    int peers = exchange.peers.length;
    for (int n = 1; n <= peers; n++) {
      int next = exchange.peers[(from + n) % peers];
      if (wire.live(next)) {
        exchange.fetchFrom = next;
        break;
      }
    }
    ask(exchange, cursor);
  }

  private void passedOver(Exchange exchange) {
    if (exchange.againNanos <= clock.monotonicNanos()) {
      exchange.againNanos = clock.monotonicNanos() + exchange.patienceNanos;
      exchange.patienceNanos = Math.min(2 * exchange.patienceNanos, MAX_PATIENCE_NANOS);
    }
  }

  /// Asks again for records that were refused or unreadable.
  private void again(Exchange exchange, long now) {
    exchange.againNanos = now + exchange.patienceNanos;
    for (Claims each : exchange.claims) {
      each.again();
    }
    fetch(exchange);
  }

  private void send(Exchange exchange, int member, Message.Missing missing) {
    if (exchange.isBehind() && !exchange.readiness.hasAnyTold()) {
      // It asks again, or another.
      return;
    }
    replica
        .dotLog()
        .repairPage(
            exchange.partition,
            missing.dots(),
            missing.cursor(),
            (page, failure) -> {
              if (page != null) {
                int number = exchange.partition.number();
                wire.send(
                    member,
                    number,
                    new Message.Repaired(exchange.group, number, missing.id(), page));
              }
            });
  }

  /// One page of records that is being stored. A record that is refused is passed over: the others
  /// are stored, and its dots are not claimed.
  final class Page {
    private final Exchange exchange;
    private final RepairPage page;
    private final long id;
    private final long untilNanos;

    /// Whether the page is one of a rebuild: its records stand for all that is here of their keys.
    private final boolean whole;

    /// The dots of records that were refused.
    private final DotSet refused = new DotSet();

    /// Records that the overloaded store refused.
    private List<RepairRecord> later = new ArrayList<>();

    private int left;

    Page(Exchange exchange, RepairPage page) {
      this.exchange = exchange;
      this.page = page;
      this.id = exchange.fetchId;
      this.untilNanos = clock.monotonicNanos() + OVERLOADED_NANOS;
      this.whole = exchange.isWhole(page);
    }

    void store() {
      exchange.page = null;
      for (RepairRecord record : page.records()) {
        statistics.add(Counter.REPAIRED_RECORDS, 1);
        statistics.add(Counter.REPAIRED_BYTES, record.key().length + record.record().valueBytes());
      }
      store(page.records());
    }

    /// Stores again what the overloaded store refused.
    void again() {
      exchange.page = null;
      List<RepairRecord> records = later;
      later = new ArrayList<>();
      store(records);
    }

    private void store(List<RepairRecord> records) {
      exchange.fetchDeadline = clock.monotonicNanos() + FETCH_NANOS;
      left = records.size() + 1;
      for (RepairRecord record : records) {
        KeyspaceConfig keyspace = view.keyspace(record.keyspace());
        if (planted == PlantedBug.REPAIR_CLAIMS_WITHOUT_RECORDS
            || keyspace == null && view.dropped(record.keyspace())) {
          ended();
        } else if (keyspace == null) {
          // One that is not known here yet: claimed, its records would be lost.
          refused.addAll(record.record().dots());
          ended();
        } else {
          Siblings filled = Reads.filled(keyspace, record.record(), page.clock());
          int slot = record.slot();
          replica.writes().apply(keyspace, slot, record.key(), filled, 0, whole, new One(record));
        }
      }
      ended();
    }

    private void ended() {
      if (--left > 0 || exchange.fetchId != id) {
        return;
      }
      if (later.isEmpty()) {
        stored(exchange, page, refused);
      } else {
        exchange.page = this;
      }
    }

    /// Takes the outcome of one record of the page.
    private final class One implements Applied {
      private final RepairRecord record;

      One(RepairRecord record) {
        this.record = record;
      }

      @Override
      public void durable() {
        ended();
      }

      @Override
      public void superseded(Version by) {
        ended();
      }

      @Override
      public void refused(Unanswered.Refused why) {
        if (why.isOfStore() && clock.monotonicNanos() < untilNanos) {
          later.add(record);
        } else {
          statistics.add(Counter.REPAIR_PASSED_OVER, 1);
          refused.addAll(record.record().dots());
        }
        ended();
      }
    }
  }

  private void stored(Exchange exchange, RepairPage page, DotSet refused) {
    if (page.answer() == RepairPage.Answer.REBUILD) {
      statistics.add(Counter.REBUILDS, 1);
      note(exchange, exchange.lacks, true);
      exchange.began = exchange.partition.clock().copy();
      ask(exchange, NOTHING);
      return;
    }
    if (exchange.rebuilding) {
      long id = exchange.fetchId;
      exchange.passing(page.clock(), page.next());
      replica
          .rebuilds()
          .dropUnlisted(
              exchange.partition,
              page,
              exchange.rebuildCursor,
              exchange.agreed(page.clock()),
              done -> {
                if (exchange.fetchId == id) {
                  rebuilt(exchange, page, done && refused.isEmpty());
                }
              });
      return;
    }
    int place = exchange.place(exchange.fetchFrom);
    DotSet covered = page.covered().and(exchange.fetchWanted).minus(refused);
    DotSet unread = page.unreadable().and(exchange.fetchWanted);
    boolean missed = !refused.isEmpty() || !unread.isEmpty();
    if (missed) {
      statistics.add(Counter.REPAIR_PASSED_OVER, page.unreadable().isEmpty() ? 0 : 1);
      passedOver(exchange);
    }
    exchange.claims[place].page(covered, page.clock(), refused, unread);
    if (planted == PlantedBug.DOT_CLAIMED_WITHOUT_RECORD) {
      replica.dotLog().covered(exchange.partition, covered);
    }
    claim(exchange);
    endFetch(exchange);
    if (!covered.isEmpty() || missed) {
      fetch(exchange);
    }
  }

  /// Claims the dots that may be claimed by now, see [Claims].
  private void claim(Exchange exchange) {
    for (Claims each : exchange.claims) {
      DotSet ripe = each.ripe(exchange.partition.clock());
      if (!ripe.isEmpty()) {
        replica.dotLog().covered(exchange.partition, ripe);
      }
    }
  }

  /// @param done whether all of it is stored here
  private void rebuilt(Exchange exchange, RepairPage page, boolean done) {
    if (!done) {
      assert CoverageMarks.reach(CoreMark.REBUILD_PAGE_REFUSED);
      exchange.notPassed();
      askElsewhere(exchange, exchange.rebuildCursor);
      return;
    }
    DotSet all = exchange.rebuildClockWith(page.clock());
    if (page.next().length > 0) {
      exchange.passed(page.clock(), page.next());
      if (page.answer() == RepairPage.Answer.STUCK) {
        assert CoverageMarks.reach(CoreMark.REBUILD_STUCK);
        statistics.add(Counter.REPAIR_PASSED_OVER, 1);
        exchange.stuck(exchange.place(exchange.fetchFrom), page.unreadable());
        askElsewhere(exchange, page.next());
      } else {
        exchange.tries = 0;
        ask(exchange, page.next());
      }
      return;
    }
    replica.rebuilds().ended(exchange.partition, all);
    if (exchange.passOverUnreadable(all)) {
      assert CoverageMarks.reach(CoreMark.REBUILD_PASSED_OVER_UNREADABLE);
      passedOver(exchange);
    } else {
      exchange.patienceNanos = Exchange.AGAIN_NANOS;
    }
    exchange.readiness.taken(all);
    endFetch(exchange);
    claim(exchange);
    settle(exchange, clock.monotonicNanos());
    fetch(exchange);
  }

  /// Decides what to do from the clocks that the peers have told.
  private void look(Exchange exchange, long now) {
    exchange.lookedNanos = now;
    exchange.lookedTurns = exchange.partition.turns();
    exchange.stirred = false;
    claim(exchange);
    fetch(exchange);
    for (int i = 0; i < exchange.peers.length; i++) {
      DotSet heard = exchange.heard[i];
      exchange.behind[i] = heard != null && !heard.covers(exchange.partition.synced());
    }
    if (exchange.isBehind()) {
      return;
    }
    cut(exchange);
    if (!exchange.complete()) {
      return;
    }
    DotSet common = exchange.common();
    if (exchange.peers.length > 0) {
      DotSet trimmable = common.minus(exchange.partition.trimmed());
      boolean late = now - exchange.trimmedNanos >= TRIM_NANOS;
      if (!trimmable.isEmpty() && (late || trimmable.size() >= TRIM_DOTS)) {
        exchange.trimmedNanos = now;
        replica.dotLog().trim(exchange.partition, trimmable);
      } else if (!trimmable.isEmpty()) {
        exchange.stirred = true;
      }
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
    DotSet there = exchange.partition.synced();
    for (int i = 0; i < exchange.peers.length; i++) {
      if (wire.live(exchange.peers[i])) {
        DotSet heard = exchange.heard[i];
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
      DotSet here = exchange.partition.clock();
      boolean alike =
          exchange.complete()
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
