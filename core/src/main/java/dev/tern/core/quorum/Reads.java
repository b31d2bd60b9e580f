package dev.tern.core.quorum;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.topology.Slots;
import dev.tern.core.traffic.Admission;
import dev.tern.core.traffic.ReadCache;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import java.util.function.Consumer;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// The reads of clients, each admitted, carried out at its level and answered.
///
/// Threads: the shard's loop.
final class Reads {
  private static final long MIN_HEDGE_NANOS = 2_000_000;
  private static final long MAX_HEDGE_NANOS = 100_000_000;

  private final Coordinator coordinator;
  private final Admission admission;
  private final HotReads hotReads;

  /// What 95 of 100 reads take at most, nanoseconds, estimated by steps up and down (Ma,
  /// Muthukrishnan and Sandler, "Frugal Streaming for Estimating Quantiles", 2013). One that takes
  /// longer asks another replica.
  private long p95Nanos = 2 * MIN_HEDGE_NANOS;

  /// @param mostHot keys that may be hot at a time
  Reads(Coordinator coordinator, Admission admission, int mostHot) {
    this.coordinator = coordinator;
    this.admission = admission;
    boolean anyLevel = coordinator.planted() == PlantedBug.HOT_READS_AT_ANY_LEVEL;
    this.hotReads = new HotReads(mostHot, anyLevel, coordinator.nowNanos());
  }

  /// Reads the newest value of a key.
  void read(
      KeyspaceConfig keyspace,
      byte[] key,
      Level level,
      Completion<? super ReadOutcome> completion) {
    read(
        keyspace, key, level, record -> completion.complete(visible(record)), completion::complete);
  }

  /// Reads all that a key holds.
  void fetch(
      KeyspaceConfig keyspace,
      byte[] key,
      Level level,
      Completion<? super FetchOutcome> completion) {
    read(
        keyspace,
        key,
        level,
        record ->
            completion.complete(new FetchOutcome.Held(coordinator.told(keyspace, key, record))),
        completion::complete);
  }

  private void read(
      KeyspaceConfig keyspace,
      byte[] key,
      Level level,
      Consumer<@Nullable Siblings> answer,
      Consumer<Unanswered> unanswered) {
    coordinator.count(Statistics.Counter.READS);
    Request request = coordinator.requests().of(keyspace, Slots.of(key), key, level);
    if (request == null) {
      unanswered.accept(coordinator.requests().refuse(keyspace, level));
      return;
    }
    if (level.atomic() && keyspace.resolution() == Resolution.SIBLINGS) {
      coordinator.count(Statistics.Counter.REFUSED_OTHER);
      unanswered.accept(Requests.notAtomic(keyspace));
      return;
    }
    if (level.readsLocally()) {
      request = request.among(coordinator.lists()::near);
    }
    long began = coordinator.nowNanos();
    ReadCache.@Nullable Entry hot = hotReads.entry(request, level, began);
    if (hot != null && hot.fresh(began)) {
      coordinator.count(Statistics.Counter.CACHED_READS);
      answer.accept(hot.record());
      return;
    }
    long cost = admission.readCost(key);
    if (!admission.admits(cost)) {
      unanswered.accept(coordinator.tooCostly());
      return;
    }
    int writes = hot == null ? 0 : hot.writes();
    long deadline = request.deadlineNanos();
    IntConsumer again = left -> read(keyspace, key, level.within(left), answer, unanswered);
    ReadOperation.Done done =
        new ReadOperation.Done() {
          @Override
          public void read(@Nullable Siblings record, boolean uniform) {
            admission.finished(cost);
            admission.answered(key, record);
            took(coordinator.nowNanos() - began);
            if (hot != null) {
              hotReads.learned(hot, record, began, writes);
            }
            answer.accept(record);
          }

          @Override
          public void failed(Unanswered why) {
            admission.finished(cost);
            if (!coordinator.triedAgain(why, deadline, again)) {
              coordinator.statistics().failed(why);
              unanswered.accept(why);
            }
          }
        };
    if (isConfirmed(request, level)) {
      new ConfirmedRead(coordinator, request, done).start();
      return;
    }
    ReadOperation operation =
        new ReadOperation(coordinator, request, ReadOperation.Purpose.ANSWER, done);
    if (hot != null && hot.spreads(began)) {
      coordinator.count(Statistics.Counter.SPREAD_READS);
      operation.startSpread(hotReads.nextTurn());
    } else {
      operation.start();
    }
  }

  /// Whether a read must not show an update that another leader may replace. The only replica of a
  /// key has no other leader.
  private boolean isConfirmed(Request request, Level level) {
    return level.r() == Level.ATOMIC
        && request.replicas().size() > 1
        && coordinator.planted() != PlantedBug.READ_SHOWS_OUTVOTED;
  }

  /// The newest value that has not expired.
  private ReadOutcome visible(@Nullable Siblings record) {
    long now = coordinator.expiryMillis();
    for (int i = 0; record != null && i < record.count(); i++) {
      Version version = record.get(i);
      byte[] value = version.value();
      if (value != null && version.liveAt(now)) {
        return new ReadOutcome.Found(value, version.expiryMillis());
      }
    }
    return ReadOutcome.Missing.INSTANCE;
  }

  /// A write of a key came to its end, or is stored here.
  void written(int keyspace, byte[] key) {
    if (!hotReads.isEmpty()) {
      hotReads.written(keyspace, key, coordinator.nowNanos());
    }
  }

  /// Other lists hold from now on.
  void adopted() {
    hotReads.forget();
  }

  void beat(long nowNanos) {
    hotReads.beat(nowNanos);
  }

  /// After so long a read asks another replica.
  long hedgeNanos() {
    return Math.clamp(p95Nanos, MIN_HEDGE_NANOS, MAX_HEDGE_NANOS);
  }

  private void took(long nanos) {
    long step = 1 + (p95Nanos >> 8);
    p95Nanos = Math.max(1, p95Nanos + (nanos > p95Nanos ? 19 * step : -step));
  }
}
