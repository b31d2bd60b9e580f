package dev.tern.lsm;

import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Levels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Gathers [LsmStatistics].
final class Figures {
  private static final long MILLI = 1_000_000;

  private Figures() {}

  static LsmStatistics of(
      Tools tools,
      ReadState state,
      Tables tables,
      WriteLog log,
      Upkeep upkeep,
      long droppedBytes,
      long delayedNanos,
      long[] snapshotAges,
      long[] iteratorAges) {
    long memtables = 0;
    int immutable = 0;
    long[] bytes = new long[Levels.COUNT];
    int[] counts = new int[Levels.COUNT];
    for (ReadState.Family family : state.families) {
      if (family == null) {
        continue;
      }
      memtables += family.active().heldBytes();
      immutable = Math.max(immutable, family.immutable().size());
      for (Memtable memtable : family.immutable()) {
        memtables += memtable.heldBytes();
      }
      for (int level = 0; level < Levels.COUNT; level++) {
        bytes[level] += family.levels().bytes(level);
        counts[level] += family.levels().level(level).length;
      }
    }
    List<LsmStatistics.Level> levels = new ArrayList<>();
    for (int level = 0; level < Levels.COUNT; level++) {
      levels.add(new LsmStatistics.Level(counts[level], bytes[level]));
    }
    BlockCache cache = tools.cache();
    return new LsmStatistics(
        new LsmStatistics.Memory(
            tools.options().memoryBytes(),
            memtables + tools.chunks().bytes(),
            cache.bytes(),
            cache.chargedBytes(),
            tools.buffers().bytes()),
        List.copyOf(levels),
        immutable,
        upkeep.flushes(),
        upkeep.compactions(),
        log.bytes(),
        log.syncs(),
        tables.flushBytes(),
        tables.compactionReadBytes(),
        tables.compactionBytes(),
        cache.hits(),
        cache.misses(),
        cache.refused(),
        delayedNanos,
        tools.pacer().pausedNanos(),
        upkeep.failures(),
        upkeep.shownFailure(),
        tables.aside.count(),
        snapshotAges.length,
        oldestMillis(snapshotAges),
        iteratorAges.length,
        oldestMillis(iteratorAges),
        tools.epochs().waiting(),
        droppedBytes,
        tables.undeleted());
  }

  private static long oldestMillis(long[] ages) {
    return Arrays.stream(ages).max().orElse(0) / MILLI;
  }
}
