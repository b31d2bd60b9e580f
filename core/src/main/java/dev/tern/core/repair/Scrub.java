package dev.tern.core.repair;

import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.replica.Replica;
import dev.tern.core.replica.SegmentReader;
import dev.tern.core.replica.Trees;
import dev.tern.core.version.DotView;
import dev.tern.core.wire.Message;
import dev.tern.env.Clock;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.NavigableMap;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// Finds and mends what the clocks cannot see: records that a disk lost or altered, files of a
/// backup. Walks over all partitions for ever, one [Visit] after the other, and answers the visits
/// of others. See the package.
///
/// Reading is bounded, for visits here and of others together: at most [#BYTES_PER_SECOND] of the
/// shard's records, a step at a time. One step or listing is under way at a time, one visit, and
/// [#MAX_READINGS] partitions wait to be read; who asks for one more is told to come another time.
///
/// A visit counts what it reads, and corrects the figures of the partition
/// ([dev.tern.core.replica]). A partition that no other replica can be compared with now is read
/// and counted all the same. After records were brought back the partition is counted once more,
/// when no visit is under way; if that fails, again when the next visit is due.
///
/// The walk's place and the hashes are on disk: a restart goes on where it was, and answers others
/// without reading what was not written to since it was last read.
///
/// Threads: the shard's loop.
final class Scrub {
  /// Read of a shard's records, at most; 0.34 TiB a day.
  static final long BYTES_PER_SECOND = 4L << 20;

  /// Partitions that wait to be read.
  private static final int MAX_READINGS = 4;

  private static final long SECOND_NANOS = 1_000_000_000L;

  /// For each of this many parts of a round a visit waits for an answer at most one.
  private static final int PATIENCE = 4;

  final Replica replica;
  final Trees trees;
  final Clock clock;
  final AntiEntropy.Wire wire;
  final Statistics statistics;
  final LongSupplier ids;

  /// By id; null for a keyspace that is not known here.
  final IntFunction<@Nullable KeyspaceConfig> keyspaces;

  private final NavigableMap<Long, Exchange> exchanges;
  private final long roundNanos;
  private final ArrayDeque<Reading> readings = new ArrayDeque<>();

  /// Whether a worker reads.
  private boolean busy;

  /// When the next may.
  private long freeNanos;

  private long nextVisitNanos;

  /// When a partition whose figures may be off is counted next, and which one was last: one that
  /// cannot be counted holds no other up.
  private long nextCountNanos;

  private long counted;

  /// Which of the others is visited first: another one after each start.
  private final long firstPeer;

  private @Nullable Visit visit;

  /// A partition that is to be read.
  private record Reading(SegmentReader reader, Consumer<Boolean> done) {}

  /// Over the partitions of a shard.
  ///
  /// @param exchanges by place; may grow
  Scrub(
      ShardContext context,
      Replica replica,
      AntiEntropy.Wire wire,
      NavigableMap<Long, Exchange> exchanges,
      IntFunction<@Nullable KeyspaceConfig> keyspaces,
      LongSupplier ids) {
    this.replica = replica;
    this.trees = replica.trees();
    this.clock = context.clock();
    this.wire = wire;
    this.statistics = context.statistics();
    this.exchanges = exchanges;
    this.keyspaces = keyspaces;
    this.ids = ids;
    this.roundNanos = context.limits().treeRoundNanos();
    this.firstPeer = ids.getAsLong();
    this.nextVisitNanos = clock.monotonicNanos() + visitNanos();
  }

  private long visitNanos() {
    return roundNanos / Math.max(1, exchanges.size());
  }

  /// How long an answer is waited for: the other may have a partition to read first.
  long patienceNanos() {
    return roundNanos / PATIENCE;
  }

  /// A few times a second.
  void beat() {
    long now = clock.monotonicNanos();
    if (visit != null && visit.isLate(now)) {
      visit = null;
    }
    if (visit == null && now >= nextVisitNanos && !exchanges.isEmpty()) {
      nextVisitNanos = now + visitNanos();
      begin();
    }
    if (visit == null && readings.isEmpty() && now >= nextCountNanos) {
      recount(now);
    }
    if (!busy && now >= freeNanos) {
      work();
    }
  }

  /// Counts the records of a partition anew whose figures may be off; a visit does it for all.
  private void recount(long now) {
    Exchange next = uncertain(exchanges.tailMap(counted, /* inclusive= */ false));
    next = next == null ? uncertain(exchanges) : next;
    if (next == null) {
      return;
    }
    Exchange exchange = next;
    nextCountNanos = now + visitNanos();
    count(
        exchange,
        () -> {
          if (!exchange.partition.records().isUncertain()) {
            nextCountNanos = clock.monotonicNanos();
          }
        });
  }

  /// The first whose figures may be off, and notes its place; null if there is none.
  private @Nullable Exchange uncertain(NavigableMap<Long, Exchange> among) {
    for (Map.Entry<Long, Exchange> each : among.entrySet()) {
      if (each.getValue().partition.records().isUncertain()) {
        counted = each.getKey();
        return each.getValue();
      }
    }
    return null;
  }

  private void count(Exchange exchange, Runnable then) {
    read(trees.reader(exchange.partition, /* afresh= */ true), done -> then.run());
  }

  /// Goes to the next partition.
  private void begin() {
    Map.Entry<Long, Exchange> next = exchanges.higherEntry(trees.place());
    if (next == null) {
      next = exchanges.firstEntry();
    }
    trees.moveTo(next.getKey());
    Exchange exchange = next.getValue();
    int peers = exchange.peers.length;
    int place = peers == 0 ? 0 : (int) Math.floorMod(firstPeer + exchange.visits++, (long) peers);
    boolean may = peers > 0 && wire.live(exchange.peers[place]) && !exchange.isPending(place);
    if (may && isSettled(exchange)) {
      visit = new Visit(this, exchange, place);
      visit.begin();
    } else {
      count(exchange, () -> {});
    }
  }

  /// Whether nothing is known that is missing here and will come. Else a dot may be claimed here
  /// whose record was replaced by one that is not here yet, and the claim would look like a loss
  /// elsewhere. What its only holder cannot give by the log of dots, and what is refused here again
  /// and again, is not waited for: [Claims] claims nothing that it replaced, and the trees bring
  /// what of it can be read.
  private static boolean isSettled(Exchange exchange) {
    if (exchange.isBehind() || exchange.partition.isPending()) {
      return false;
    }
    DotView here = exchange.partition.clock();
    for (int place = 0; place < exchange.heard.length; place++) {
      DotView heard = exchange.heard[place];
      Claims claims = exchange.claims[place];
      if (exchange.isPending(place)) {
        continue;
      }
      if (heard == null || !here.covers(heard.minus(claims.ungiven()).minus(claims.untaken()))) {
        return false;
      }
    }
    return true;
  }

  private void work() {
    Reading reading = readings.peek();
    if (reading != null) {
      step(reading);
    } else if (visit != null && visit.wantsListing()) {
      busy = true;
      visit.list();
    }
  }

  private void step(Reading reading) {
    busy = true;
    trees.step(
        reading.reader,
        (bytes, failure) -> {
          ended(bytes == null ? 0 : bytes);
          if (failure != null || reading.reader.isDone()) {
            readings.poll();
            statistics.add(
                Counter.TREE_SEGMENTS_UNREADABLE, Long.bitCount(reading.reader.unreadable()));
            reading.done.accept(failure == null);
          }
        });
  }

  /// A worker has read.
  void ended(int bytes) {
    busy = false;
    freeNanos = clock.monotonicNanos() + bytes * SECOND_NANOS / BYTES_PER_SECOND;
    statistics.add(Counter.TREE_BYTES_READ, bytes);
  }

  /// Reads a partition in its turn.
  ///
  /// @param done told whether it could be read
  /// @return false if too many wait
  boolean read(SegmentReader reader, Consumer<Boolean> done) {
    if (reader.isDone()) {
      done.accept(true);
      return true;
    }
    if (readings.size() >= MAX_READINGS) {
      return false;
    }
    readings.add(new Reading(reader, done));
    return true;
  }

  /// Ends what is under way for a partition.
  void part(Exchange exchange) {
    if (visit != null && visit.isOf(exchange)) {
      visit = null;
    }
  }

  boolean isOn(Visit some) {
    return visit == some;
  }

  void end(Visit some) {
    if (visit == some) {
      visit = null;
    }
  }

  /// Another replica's root: tells whether it is the same here.
  void root(Exchange exchange, int member, Message.Root message) {
    SegmentReader reader = trees.reader(exchange.partition, /* afresh= */ false);
    boolean reads =
        isSettled(exchange)
            && read(
                reader,
                done -> {
                  boolean alike = done && reader.root() == message.root();
                  answer(exchange, member, message.id(), done, alike ? null : reader);
                });
    if (!reads) {
      answer(exchange, member, message.id(), /* known= */ false, null);
    }
  }

  private void answer(
      Exchange exchange, int member, long id, boolean known, @Nullable SegmentReader reader) {
    long[] hashes = known && reader != null ? reader.hashes() : new long[0];
    int number = exchange.partition.number();
    wire.send(member, number, new Message.Segments(exchange.group, number, id, known, hashes));
  }

  /// What another replica has of a range: sends what is here otherwise.
  void listed(Exchange exchange, int member, Message.Listed message) {
    if (!isSettled(exchange)) {
      answer(exchange, member, message.id(), /* known= */ false, null);
      return;
    }
    trees.others(
        exchange.partition,
        message.range(),
        message.hashes(),
        (page, failure) -> {
          if (page == null) {
            answer(exchange, member, message.id(), /* known= */ false, null);
            return;
          }
          int number = exchange.partition.number();
          wire.send(
              member, number, new Message.Repaired(exchange.group, number, message.id(), page));
        });
  }

  /// An answer to a visit's root.
  void segments(int member, Message.Segments message) {
    if (visit != null && visit.awaits(member, message.id())) {
      visit.segments(message);
    }
  }

  /// An answer to a visit's listing.
  void page(int member, Message.Repaired message) {
    if (visit != null && visit.awaits(member, message.id())) {
      visit.page(message.page());
    }
  }
}
