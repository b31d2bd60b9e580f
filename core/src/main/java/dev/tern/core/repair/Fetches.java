package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.replica.Replica;
import dev.tern.core.replica.SnapshotInstalls;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.SnapshotChunk;
import dev.tern.env.Clock;
import dev.tern.env.CoverageMarks;
import dev.tern.env.EventLoop;
import java.util.ArrayDeque;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Fetches the records whose dots other replicas have and this one lacks, a page at a time, and
/// takes whole partitions (rebuilds). A dot is claimed when [Claims] allows it.
///
/// Invariants:
/// - at most [#MAX_FETCHES] requests are under way, one for a partition, and pages of about
///   [#MAX_FETCHED_BYTES], but for [#MIN_FETCHES]. A partition that finds no room waits its turn
///   once; one whose next page waits for [FillBudget] keeps where it stands;
/// - a request ends by a page, by its deadline, or with its partition. Each end gives its place to
///   the next partition that waits.
///
/// Threads: the shard's loop.
final class Fetches {
  /// Requests for records under way at a time, at most. A page takes many turns of many loops until
  /// the next one is asked for, so few requests leave both sides idle.
  static final int MAX_FETCHES = 32;

  /// So many of them there are however large pages are.
  private static final int MIN_FETCHES = 2;

  /// A page that its giver did not give yet is asked for again after this.
  private static final long LATER_NANOS = 300_000_000;

  /// Bytes of pages that may be on their way; a page of one large record counts whole.
  private static final long MAX_FETCHED_BYTES = 8 << 20;

  /// A request is given up after this.
  static final long FETCH_NANOS = 5_000_000_000L;

  /// A snapshot is begun so often; then pages are asked for.
  private static final int MAX_SNAPSHOTS = 4;

  private static final byte[] NOTHING = {};

  /// Records that were passed over are asked for again after this, at the latest.
  private static final long MAX_PATIENCE_NANOS = 600_000_000_000L;

  /// A page of a rebuild is asked for so often in vain, each time of the next replica.
  private static final int MAX_TRIES = 6;

  private final Replica replica;
  private final Clock clock;
  private final AntiEntropy.Wire wire;
  private final Statistics statistics;
  private final PlantedBug planted;
  private final FillBudget budget;
  private final LongSupplier ids;
  private final RepairFigures figures;
  private final Consumer<Exchange> settled;
  private final SnapshotInstalls installs;
  private final EventLoop loop;
  private final long snapshotDots;
  private ClusterView view;
  private int underWay;

  /// Of these, partitions whose snapshots are being taken in.
  private int installing;

  /// Partitions whose next page waits until the budget here or at its giver allows it; each has a
  /// place among those under way.
  private final ArrayDeque<Exchange> paused = new ArrayDeque<>();

  /// Partitions that wait until one of the fetches under way has ended.
  private final ArrayDeque<Exchange> waiting = new ArrayDeque<>();

  /// @param installs takes in snapshots
  /// @param budget how fast pages are asked for
  /// @param ids of requests
  /// @param settled told when a rebuild has ended, which may let its replica vouch
  Fetches(
      ShardContext context,
      Replica replica,
      SnapshotInstalls installs,
      AntiEntropy.Wire wire,
      FillBudget budget,
      LongSupplier ids,
      RepairFigures figures,
      Consumer<Exchange> settled,
      ClusterView view) {
    this.replica = replica;
    this.installs = installs;
    this.loop = context.loop();
    this.snapshotDots = context.limits().snapshotDots();
    this.clock = context.clock();
    this.wire = wire;
    this.statistics = context.statistics();
    this.planted = context.planted();
    this.budget = budget;
    this.ids = ids;
    this.figures = figures;
    this.settled = settled;
    this.view = view;
  }

  /// Keyspaces of a later topology from now on.
  void adopt(ClusterView later) {
    view = later;
  }

  /// Nothing is fetched for a partition any more.
  void part(Exchange exchange) {
    waiting.remove(exchange);
    exchange.waits = false;
    if (exchange.fetchId != 0) {
      endFetch(exchange);
    }
  }

  /// Does what is due for a partition.
  void beat(Exchange exchange, long now) {
    if (exchange.page != null) {
      exchange.page.again();
    } else if (exchange.fetchId != 0 && now >= exchange.fetchDeadline) {
      late(exchange);
    }
    if (now >= exchange.againNanos && exchange.hasPassedOver()) {
      again(exchange, now);
    }
  }

  /// Takes a page if it answers the request that is under way for its partition.
  ///
  /// @return whether it does
  boolean takes(Exchange exchange, int member, Message.Repaired repaired) {
    if (repaired.id() != exchange.fetchId || member != exchange.fetchFrom) {
      return false;
    }
    if (exchange.snapshot != null) {
      return true;
    }
    if (repaired.page().answer() == RepairPage.Answer.LATER) {
      later(exchange);
      return true;
    }
    came(exchange, repaired.page().bytes());
    new FetchedPage(this, exchange, repaired.page()).store();
    return true;
  }

  /// What was asked for is not given yet.
  private void later(Exchange exchange) {
    giveBack(exchange);
    budget.took(FillBudget.SLOW_PAGE_NANOS);
    pause(exchange, clock.monotonicNanos() + LATER_NANOS);
  }

  /// What was asked for is here.
  private void came(Exchange exchange, long bytes) {
    budget.end(exchange.expectedBytes, bytes);
    exchange.expectedBytes = 0;
    budget.took(clock.monotonicNanos() - exchange.askedNanos);
  }

  // ---- snapshots

  /// Whether a partition is taken as a snapshot: it waits to be filled, and lacks much.
  private boolean wantsSnapshot(Exchange exchange, DotSet missing) {
    return exchange.partition.isPending()
        && exchange.snapshotTries < MAX_SNAPSHOTS
        && missing.size() >= snapshotDots;
  }

  /// Takes a chunk if it answers the request that is under way for its partition.
  void takes(Exchange exchange, int member, Message.Chunk message) {
    SnapshotFetch fetch = exchange.snapshot;
    SnapshotChunk chunk = message.chunk();
    boolean asked = message.id() == exchange.fetchId && member == exchange.fetchFrom;
    if (fetch == null || fetch.busy || !asked) {
      return;
    }
    switch (chunk.answer()) {
      case LATER -> later(exchange);
      case NONE -> snapshotFailed(exchange);
      case ROWS -> {
        came(exchange, chunk.rows().length);
        if (fetch.isNext(chunk)) {
          write(exchange, fetch, chunk);
        } else {
          snapshotFailed(exchange);
        }
      }
    }
  }

  private void write(Exchange exchange, SnapshotFetch fetch, SnapshotChunk chunk) {
    if (replica.blockage().refusal(replica.store().lsm().pressure()) != null) {
      pause(exchange, clock.monotonicNanos() + LATER_NANOS);
      return;
    }
    fetch.busy = true;
    exchange.fetchDeadline = Long.MAX_VALUE;
    statistics.add(Counter.REPAIRED_BYTES, chunk.rows().length);
    boolean last = chunk.next().length == 0 || planted == PlantedBug.SNAPSHOT_CUT_SHORT;
    loop.<Boolean>offload(
        () -> {
          fetch.rows.add(chunk);
          if (last) {
            fetch.rows.finish();
          }
          return true;
        },
        (done, failure) -> {
          if (exchange.snapshot != fetch) {
            discard(fetch);
          } else if (failure != null) {
            fetch.busy = false;
            snapshotFailed(exchange);
          } else if (last) {
            install(exchange, fetch);
          } else {
            fetch.busy = false;
            fetch.took(chunk);
            askNext(exchange, NOTHING);
          }
        });
  }

  private void install(Exchange exchange, SnapshotFetch fetch) {
    installing++;
    fetch.handedOver = true;
    DotSet clockThere = fetch.rows.clock();
    installs.install(
        fetch.rows,
        exchange.agreed(clockThere),
        outcome -> {
          installing--;
          fetch.handedOver = false;
          if (exchange.snapshot != fetch) {
            // The partition's replicas have changed meanwhile.
            underWay--;
            goOn();
            return;
          }
          exchange.snapshot = null;
          switch (outcome) {
            case INSTALLED -> {
              statistics.add(Counter.SNAPSHOTS_INSTALLED, 1);
              exchange.readiness.taken(clockThere);
              endFetch(exchange);
              claim(exchange);
              settled.accept(exchange);
            }
            case AGAIN -> {
              exchange.snapshotTries++;
              endFetch(exchange);
            }
            case REFUSED -> {
              assert CoverageMarks.reach(CoreMark.SNAPSHOT_GIVEN_UP);
              exchange.snapshotTries = MAX_SNAPSHOTS;
              endFetch(exchange);
            }
          }
          exchange.stirred = true;
          fetch(exchange);
        });
    goOn();
  }

  /// Begins anew with another replica, or with pages.
  private void snapshotFailed(Exchange exchange) {
    assert CoverageMarks.reach(CoreMark.SNAPSHOT_GIVEN_UP);
    exchange.snapshotTries++;
    exchange.firstPeer = (exchange.place(exchange.fetchFrom) + 1) % exchange.peers.length;
    endFetch(exchange);
    fetch(exchange);
  }

  private void discard(SnapshotFetch fetch) {
    loop.<Boolean>offload(
        () -> {
          fetch.rows.discard();
          return true;
        },
        (done, failure) -> {
          // What could not be removed goes at the next start.
        });
  }

  /// Goes on with what waits; a few times a second.
  void goOn() {
    long now = clock.monotonicNanos();
    // In turn: neither a large fill nor many small repairs hold up the others.
    for (int i = Math.max(paused.size(), waiting.size()); i > 0; i--) {
      if (!paused.isEmpty() && mayAsk(now)) {
        goOnWith(paused.remove(), now);
      }
      if (!waiting.isEmpty() && mayAsk(now)) {
        Exchange next = waiting.remove();
        next.waits = false;
        fetch(next);
      }
    }
  }

  private void goOnWith(Exchange next, long now) {
    if (now < next.notBeforeNanos) {
      paused.add(next);
    } else if (next.snapshot != null || next.rebuilding) {
      ask(next, next.rebuildCursor);
    } else if (next.partition.clock().covers(next.fetchWanted)) {
      // It came by another way meanwhile.
      endFetch(next);
    } else {
      ask(next, null);
    }
  }

  /// Whether one more page may be under way. A partition that is paused has none, and one whose
  /// snapshot is being taken in.
  private boolean mayAsk(long now) {
    long window = Math.clamp(budget.pages(MAX_FETCHED_BYTES), MIN_FETCHES, MAX_FETCHES);
    return underWay - paused.size() - installing < window && budget.mayGo(now);
  }

  /// The context of the pages that are being stored.
  Replica replica() {
    return replica;
  }

  Clock clock() {
    return clock;
  }

  Statistics statistics() {
    return statistics;
  }

  PlantedBug planted() {
    return planted;
  }

  ClusterView view() {
    return view;
  }

  /// Asks a replica for dots that it has told twice and that are not here. Dots that it has told
  /// once may be on their way.
  void fetch(Exchange exchange) {
    if (exchange.partition.isArriving()) {
      return;
    }
    if (exchange.fetchId == 0) {
      figures.note(exchange, false, exchange.rebuilding);
    }
    int peers = exchange.peers.length;
    for (int n = 0; n < peers && exchange.fetchId == 0; n++) {
      int i = (exchange.firstPeer + n) % peers;
      DotView here = exchange.partition.clock();
      DotView said = exchange.isFilling() ? exchange.heard[i] : exchange.before[i];
      // What only a rebuild brings is not on its way.
      DotSet gone = exchange.isBehind() ? exchange.readiness.lacking(i, here) : null;
      boolean gives = wire.live(exchange.peers[i]) && !exchange.isPending(i);
      if (said == null && gone == null || !gives) {
        continue;
      }
      if (gone == null && here.covers(java.util.Objects.requireNonNull(said))) {
        continue;
      }
      figures.note(exchange, true, exchange.rebuilding);
      DotSet missing = gone == null ? new DotSet() : exchange.claims[i].toAsk(gone);
      if (missing.isEmpty() && said != null) {
        missing = exchange.claims[i].toAsk(said.minus(here));
      }
      if (missing.isEmpty()) {
        continue;
      }
      if (mayAsk(clock.monotonicNanos())) {
        exchange.fetches(i, missing);
        underWay++;
        if (wantsSnapshot(exchange, missing)) {
          exchange.snapshot = new SnapshotFetch(installs.begin(exchange.partition));
        }
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

  /// Asks for the next page of a rebuild, now or when the budget allows it.
  private void askNext(Exchange exchange, byte[] cursor) {
    long now = clock.monotonicNanos();
    if (budget.mayGo(now)) {
      // Its page is not under way any more, so there is room for the next one.
      ask(exchange, cursor);
    } else {
      exchange.rebuildCursor = cursor;
      pause(exchange, now);
    }
  }

  /// Keeps the place of a partition whose next page is to be asked for later.
  private void pause(Exchange exchange, long notBeforeNanos) {
    // What was asked for before is not waited for.
    exchange.fetchId = ids.getAsLong();
    exchange.fetchDeadline = Long.MAX_VALUE;
    exchange.notBeforeNanos = notBeforeNanos;
    paused.add(exchange);
  }

  private void ask(Exchange exchange, byte @Nullable [] cursor) {
    exchange.fetchId = ids.getAsLong();
    giveBack(exchange);
    exchange.expectedBytes = budget.begin();
    exchange.askedNanos = clock.monotonicNanos();
    exchange.fetchDeadline = exchange.askedNanos + FETCH_NANOS;
    exchange.rebuildCursor = cursor == null ? NOTHING : cursor;
    statistics.add(Counter.REPAIR_PAGES, 1);
    int number = exchange.partition.number();
    Message message =
        exchange.snapshot != null
            ? exchange.snapshot.ask(exchange)
            : new Message.Missing(
                exchange.group, number, exchange.fetchId, exchange.fetchWanted, cursor);
    wire.send(exchange.fetchFrom, number, message);
  }

  /// No page is under way for a partition any more.
  private void giveBack(Exchange exchange) {
    budget.giveBack(exchange.expectedBytes);
    exchange.expectedBytes = 0;
  }

  private void endFetch(Exchange exchange) {
    SnapshotFetch given = exchange.snapshot;
    exchange.snapshot = null;
    if (given != null && given.handedOver) {
      underWay++;
    } else if (given != null && !given.busy) {
      discard(given);
    }
    exchange.fetchId = 0;
    exchange.page = null;
    exchange.tries = 0;
    figures.note(exchange, exchange.lacks, false);
    exchange.rebuildEnded();
    assert underWay > 0 : "a fetch ended that was not under way";
    underWay--;
    paused.remove(exchange);
    giveBack(exchange);
    goOn();
  }

  /// A peer has not answered: asks the next one, for the same page of a rebuild.
  private void late(Exchange exchange) {
    assert CoverageMarks.reach(CoreMark.FETCH_LATE);
    exchange.firstPeer = (exchange.place(exchange.fetchFrom) + 1) % exchange.peers.length;
    if (exchange.snapshot != null) {
      snapshotFailed(exchange);
    } else if (exchange.rebuilding) {
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
      if (wire.live(next) && !exchange.set.isPending(next)) {
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

  /// The records of a page are stored, but for those that were refused.
  ///
  /// @param refused the dots of these
  void stored(Exchange exchange, RepairPage page, DotSet refused) {
    if (page.answer() == RepairPage.Answer.REBUILD) {
      statistics.add(Counter.REBUILDS, 1);
      figures.note(exchange, exchange.lacks, true);
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
  void claim(Exchange exchange) {
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
        askNext(exchange, page.next());
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
    settled.accept(exchange);
    fetch(exchange);
  }
}
