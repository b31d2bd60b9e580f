package dev.tern.lsm;

import dev.tern.lsm.budget.MemoryBudget;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Levels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.ToLongFunction;

/// Gathers [LsmStatistics].
final class Figures {
  private static final long MILLI = 1_000_000;

  private Figures() {}

  static LsmStatistics of(
      Tools tools,
      ReadState state,
      Tables tables,
      Flushes flushes,
      Compactions compactions,
      WriteLog log,
      Upkeep upkeep,
      Ingests ingests,
      long droppedBytes,
      long delayedNanos,
      long[] snapshotAges,
      long[] iteratorAges) {
    int immutable = 0;
    for (ReadState.Family family : state.families) {
      if (family == null) {
        continue;
      }
      immutable = Math.max(immutable, family.immutable().size());
    }
    BlockCache cache = tools.cache();
    return new LsmStatistics(
        memory(
            tools.group().budget(),
            part ->
                tools.memory().held(part) + (tools.alone() ? tools.group().heldByNobody(part) : 0)),
        tools.openTables().openFiles(),
        levels(state),
        immutable,
        upkeep.flushes(),
        upkeep.compactions(),
        log.bytes(),
        log.syncs(),
        flushes.flushBytes(),
        compactions.readBytes(),
        compactions.writtenBytes(),
        compactions.dropped(),
        ingests.count(),
        ingests.bytes(),
        cache.hits(),
        cache.misses(),
        cache.refusals(),
        delayedNanos,
        tools.pacer().pausedNanos(),
        upkeep.failures(),
        upkeep.shownFailure(),
        compactions.tablesSetAside(),
        snapshotAges.length,
        oldestMillis(snapshotAges),
        iteratorAges.length,
        oldestMillis(iteratorAges),
        tools.epochs().waiting(),
        droppedBytes,
        log.notArchived(),
        log.archiveFailure() == null ? null : String.valueOf(log.archiveFailure()),
        tables.holders.undeleted());
  }

  static LsmStatistics.Memory memory(MemoryBudget budget, ToLongFunction<MemoryPart> held) {
    return new LsmStatistics.Memory(
        budget.bytes(),
        held.applyAsLong(MemoryPart.MEMTABLES),
        held.applyAsLong(MemoryPart.CACHE),
        held.applyAsLong(MemoryPart.INDEXES),
        held.applyAsLong(MemoryPart.BUFFERS),
        held.applyAsLong(MemoryPart.TABLES) + held.applyAsLong(MemoryPart.FILES),
        held.applyAsLong(MemoryPart.JOBS),
        held.applyAsLong(MemoryPart.LOG));
  }

  private static List<LsmStatistics.Level> levels(ReadState state) {
    List<LsmStatistics.Level> levels = new ArrayList<>();
    for (int level = 0; level < Levels.COUNT; level++) {
      int tables = 0;
      long bytes = 0;
      for (ReadState.Family family : state.families) {
        tables += family == null ? 0 : family.levels().level(level).length;
        bytes += family == null ? 0 : family.levels().bytes(level);
      }
      levels.add(new LsmStatistics.Level(tables, bytes));
    }
    return List.copyOf(levels);
  }

  private static long oldestMillis(long[] ages) {
    return Arrays.stream(ages).max().orElse(0) / MILLI;
  }
}
