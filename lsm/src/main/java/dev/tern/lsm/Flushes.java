package dev.tern.lsm;

import dev.tern.env.CoverageMarks;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Bloom;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/// Writes memtables to tables, and lets the lists name these.
///
/// Invariant: one flush runs at a time ([Upkeep] sees to it), of the oldest immutable memtable of
/// every family together, so that one sequence says what is in tables. The figures may be asked by
/// any thread.
final class Flushes {
  private final Tools tools;
  private final Tables tables;

  /// Bytes that the flush under way has written.
  private final LongAdder flushing = new LongAdder();

  private final LongAdder flushBytes = new LongAdder();

  Flushes(Tools tools, Tables tables) {
    this.tools = tools;
    this.tables = tables;
  }

  /// Writes what was replayed to tables; from here on no old log is needed. If it fails, nothing
  /// has changed but the manifest's file perhaps. Before anybody else uses the store; blocks.
  ///
  /// @param log the new one, whose name is durable
  ReadState recovered(ReadState replayed, long lastSequence, long log) throws IOException {
    Map<Integer, List<Table>> made = new LinkedHashMap<>();
    boolean done = false;
    try {
      for (int id = 0; id < replayed.families.length; id++) {
        ReadState.Family family = replayed.families[id];
        if (family != null && !family.active().isEmpty()) {
          family.active().order();
          made.put(id, write(tables.family(id), family.active(), new long[0]));
        }
      }
      tables.recovered(made, lastSequence, log);
      done = true;
      // Nobody reads what was replayed: readers begin in new memtables.
      for (ReadState.Family family : replayed.families) {
        if (family != null) {
          family.active().recycle();
        }
      }
    } finally {
      if (!done) {
        made.values().forEach(tables::abandon);
      }
    }
    return tables.fresh(replayed.families.length, lastSequence);
  }

  /// Writes the oldest immutable memtable of each family to a table; the logs that are not needed
  /// any more: from, to.
  long[] flush(ReadState from, long[] snapshots, Tables.Changed changed) throws IOException {
    Events.Flush event = new Events.Flush();
    event.begin();
    flushing.reset();
    Map<Integer, List<Table>> made = writeOldest(from, snapshots);
    for (List<Table> written : made.values()) {
      written.forEach(table -> flushBytes.add(table.sizeBytes));
      event.bytes += written.stream().mapToLong(table -> table.sizeBytes).sum();
    }
    long[] logs = tables.flushed(made, changed);
    flushing.reset();
    event.store = tools.directory();
    event.commit();
    return logs;
  }

  private Map<Integer, List<Table>> writeOldest(ReadState from, long[] snapshots)
      throws IOException {
    Map<Integer, List<Table>> made = new LinkedHashMap<>();
    try {
      for (int id = 0; id < from.families.length; id++) {
        ReadState.Family family = from.families[id];
        if (family != null && !family.immutable().isEmpty()) {
          Memtable oldest = family.immutable().getLast();
          if (!oldest.isEmpty()) {
            made.put(id, write(tables.family(id), oldest, snapshots));
          }
        }
      }
      return made;
    } catch (IOException | RuntimeException | Error e) {
      assert CoverageMarks.reach(LsmMark.FLUSH_FAILED);
      flushing.reset();
      made.values().forEach(written -> tables.holders.delete(written, true));
      throw e;
    }
  }

  private List<Table> write(ColumnFamily family, Memtable memtable, long[] snapshots)
      throws IOException {
    LsmBug planted = tools.options().tuning().planted();
    Cursor all = memtable.allVersions(planted == LsmBug.FLUSH_KEEPS_OLDER);
    TableOutputs outputs =
        new TableOutputs(tables, tools, family, Bloom.BITS_PER_KEY, flushing::add);
    RangeTombstones deleted =
        planted == LsmBug.FLUSH_LOSES_DELETED_RANGES
            ? RangeTombstones.NONE
            : memtable.tombstones().merged();
    assert deleted.isEmpty() || CoverageMarks.reach(LsmMark.DELETED_RANGES_FLUSHED);
    return outputs.run(all, deleted, snapshots, false, Long.MAX_VALUE);
  }

  /// Bytes that the flush under way has written, compressed.
  long flushingBytes() {
    return flushing.sum();
  }

  /// Bytes of all tables that flushes have written.
  long flushBytes() {
    return flushBytes.sum();
  }
}
