package dev.tern.lsm;

import dev.tern.env.CoverageMarks;
import dev.tern.lsm.compaction.CompactionPicker;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.read.MergingCursor;
import dev.tern.lsm.table.Bloom;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.RunCursor;
import dev.tern.lsm.table.SetAside;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Chooses tables, merges them, and lets the lists name what came of it.
///
/// Invariant: a table is in one compaction at a time. Several run at once, each on a thread of its
/// own; a choice is made under the manifest lock of [Tables].
final class Compactions {
  /// From this [Tables#debt] on, compactions run without a pace.
  private static final double URGENT_DEBT = 4;

  private final Tools tools;
  private final Tables tables;
  private final CompactionPicker picker;
  private final SetAside aside = new SetAside();

  /// The family with which the next choice begins, so that no family starves; guarded by the
  /// manifest lock.
  private int nextFamily;

  private final LongAdder readBytes = new LongAdder();
  private final LongAdder writtenBytes = new LongAdder();
  private final LongAdder dropped = new LongAdder();

  Compactions(Tools tools, Tables tables) {
    this.tools = tools;
    this.tables = tables;
    this.picker = tables.picker;
  }

  /// What is to be merged next; its inputs are then taken until [#end]. Null if there is nothing.
  ///
  /// @param oldestSnapshot a hint what is worth a rewrite; not what the merge must keep
  /// @param snapshots tells the sequences that open snapshots see; asked once the lists are fixed:
  ///   a snapshot that is taken later sees all that is in tables
  /// @param seenBefore whether a snapshot from before a table's ingest is open that must not see it
  CompactionPicker.@Nullable Plan pick(
      long oldestSnapshot, Supplier<long[]> snapshots, Predicate<Table> seenBefore) {
    long wallMillis = tools.clock().wallMillis();
    tables.lock.lock();
    try {
      aside.forgive(tools.clock().monotonicNanos());
      hold(seenBefore);
      int families = tables.families().size();
      for (int i = 0; i < families && !tables.isClosed(); i++) {
        int id = (nextFamily + i) % families;
        CompactionPicker.Plan plan = pick(tables.family(id), wallMillis, oldestSnapshot, snapshots);
        if (plan != null) {
          nextFamily = id + 1;
          begin(plan);
          return plan;
        }
      }
      return null;
    } finally {
      tables.lock.unlock();
    }
  }

  /// Takes the inputs, all or none.
  private static void begin(CompactionPicker.Plan plan) {
    int taken = 0;
    try {
      for (Table table : plan.inputs()) {
        table.beginCompaction();
        taken++;
      }
    } finally {
      if (taken < plan.inputs().size()) {
        plan.inputs().subList(0, taken).forEach(Table::endCompaction);
      }
    }
  }

  /// Others may take the inputs of a plan, whether or not it was carried out.
  void end(CompactionPicker.Plan plan) {
    tables.lock.lock();
    try {
      for (Table table : plan.inputs()) {
        table.endCompaction();
      }
    } finally {
      tables.lock.unlock();
    }
  }

  /// What a merge writes is seen by every snapshot of its sequence or a later one.
  private void hold(Predicate<Table> seenBefore) {
    tables.ingested.removeIf(
        table -> {
          table.held = seenBefore.test(table);
          return !table.held;
        });
  }

  private CompactionPicker.@Nullable Plan pick(
      ColumnFamily family, long wallMillis, long oldestSnapshot, Supplier<long[]> snapshots) {
    int id = family.id();
    FamilyOptions options = family.options();
    Levels now = tables.levels(id);
    // A deletion that came with an ingest is not seen by snapshots from before it.
    boolean held = tables.ingested.stream().anyMatch(now.all()::contains);
    if (!held && !now.covered().isEmpty()) {
      boolean planted = tools.planted(LsmBug.DROP_IGNORES_SNAPSHOTS);
      long[] seen = planted ? new long[0] : snapshots.get();
      CompactionPicker.Plan drop = CompactionPicker.covered(id, now, seen);
      if (drop != null) {
        return drop;
      }
    }
    return switch (options.style()) {
      case SIZE_TIERED -> CompactionPicker.tiered(id, now, wallMillis, oldestSnapshot);
      case FIFO -> {
        CompactionPicker.Plan drop =
            CompactionPicker.fifo(id, now, wallMillis, options.ttlMillis(), options.maxBytes());
        yield drop == null ? CompactionPicker.expired(id, now, wallMillis, oldestSnapshot) : drop;
      }
      case LEVELED -> picker.leveled(id, now, wallMillis, oldestSnapshot);
    };
  }

  /// Carries a plan out. Blocks.
  ///
  /// @throws SetAside.Failure if an input is at fault: others may go on
  void compact(CompactionPicker.Plan plan, long[] snapshots, Tables.Changed changed)
      throws IOException {
    Events.Compaction event = new Events.Compaction();
    event.begin();
    List<Table> made = List.of();
    boolean done = false;
    try {
      made = plan.isMove() ? plan.inputs() : plan.drop() ? List.of() : merge(plan, snapshots);
      name(plan, made, changed);
      done = true;
    } catch (IOException | RuntimeException e) {
      if (setAside(plan, e)) {
        assert CoverageMarks.reach(LsmMark.TABLE_SET_ASIDE);
        throw new SetAside.Failure(e);
      }
      throw e;
    } finally {
      if (!done && !plan.isMove()) {
        abandon(made);
      }
    }
    event.store = tools.directory();
    event.family = tables.family(plan.family()).name();
    event.why = plan.why();
    event.level = plan.output();
    event.bytesRead = plan.inputs().stream().mapToLong(table -> table.sizeBytes).sum();
    event.bytesWritten = made.stream().mapToLong(table -> table.sizeBytes).sum();
    dropped.add(plan.drop() ? plan.inputs().size() : 0);
    if (!plan.isMove()) {
      readBytes.add(plan.drop() ? 0 : event.bytesRead);
      writtenBytes.add(event.bytesWritten);
    }
    event.commit();
  }

  private void abandon(List<Table> made) {
    tables.lock.lock();
    try {
      tables.abandon(made);
    } finally {
      tables.lock.unlock();
    }
  }

  private boolean setAside(CompactionPicker.Plan plan, Throwable failure) {
    if (tools.options().tuning().planted() == LsmBug.NO_TABLE_SET_ASIDE) {
      return false;
    }
    tables.lock.lock();
    try {
      return !tables.isClosed()
          && aside.failed(plan.inputs(), failure, tools.clock().monotonicNanos());
    } finally {
      tables.lock.unlock();
    }
  }

  private List<Table> merge(CompactionPicker.Plan plan, long[] snapshots) throws IOException {
    List<Cursor> sources = new ArrayList<>();
    List<RangeTombstones> deleted = new ArrayList<>();
    for (Table table : plan.inputs()) {
      sources.add(new RunCursor(tools.epochs(), new Table[] {table}, false));
      deleted.add(table.tombstones);
    }
    boolean olderFirst = tools.options().tuning().planted() == LsmBug.COMPACTION_KEEPS_OLDER;
    MergingCursor in = new MergingCursor(sources, olderFirst);
    boolean isLast = plan.last() && plan.output() == Levels.LAST;
    int bits = isLast ? Bloom.LAST_LEVEL_BITS_PER_KEY : Bloom.BITS_PER_KEY;
    long bytes = plan.output() == 0 ? Long.MAX_VALUE : tools.options().tuning().tableBytes();
    ColumnFamily family = tables.family(plan.family());
    // The age of a FIFO family's table is that of what it holds.
    long created =
        family.options().style() == CompactionStyle.FIFO
            ? plan.inputs().getFirst().properties.createdMillis()
            : TableOutputs.NOW;
    boolean last = plan.last() || tools.planted(LsmBug.EXPIRED_HIDES_NOTHING);
    TableOutputs outputs =
        new TableOutputs(
            tables,
            tools,
            family,
            bits,
            created,
            written -> tools.pacer().wrote(written, isUrgent()));
    try {
      return outputs.run(in, RangeTombstones.merged(deleted), snapshots, last, bytes);
    } finally {
      in.close();
    }
  }

  private void name(CompactionPicker.Plan plan, List<Table> made, Tables.Changed changed)
      throws IOException {
    tables.change(
        all -> Map.of(plan.family(), replaced(all.get(plan.family()), plan, made)),
        (families, flushed) -> {
          aside.gone(plan.isMove() ? List.of() : plan.inputs());
          changed.changed(families, flushed);
        });
  }

  private static Levels replaced(Levels before, CompactionPicker.Plan plan, List<Table> made) {
    Levels after = before.without(plan.inputs());
    if (plan.drop()) {
      return after;
    }
    if (plan.output() > 0) {
      return after.plus(plan.output(), made);
    }
    List<Table> list = new ArrayList<>(Arrays.asList(before.level(0)));
    int at = list.indexOf(plan.inputs().getFirst());
    list.removeAll(plan.inputs());
    list.addAll(at, made);
    return after.with(0, list);
  }

  private boolean isUrgent() {
    return tables.young() > 2 * CompactionPicker.YOUNG_TABLES || tables.debt() > URGENT_DEBT;
  }

  /// Tables that are set aside now; any thread.
  int tablesSetAside() {
    return aside.count();
  }

  /// Tables that went without being read: what they held was deleted or is too old.
  long dropped() {
    return dropped.sum();
  }

  /// Bytes of all tables that were merged.
  long readBytes() {
    return readBytes.sum();
  }

  /// Bytes of all tables that merges made.
  long writtenBytes() {
    return writtenBytes.sum();
  }
}
