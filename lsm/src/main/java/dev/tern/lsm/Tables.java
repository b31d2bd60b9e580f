package dev.tern.lsm;

import dev.tern.lsm.compaction.CompactionPicker;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.log.LogNames;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.MergingCursor;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Bloom;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.RunCursor;
import dev.tern.lsm.table.SetAside;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The tables of all column families: writes them from memtables, merges them, names them in the
/// manifest, and deletes those that neither the manifest names nor a reader uses.
///
/// Threads: a flush and several compactions may run at the same time; each change of the lists is
/// made, written to the manifest and published under one lock, which no reader or writer ever waits
/// for. A table is in one compaction at a time.
final class Tables implements WriteLog.Naming {
  /// From this [#debt] on, compactions run without a pace.
  private static final double URGENT_DEBT = 4;

  private final Tools tools;
  private final Manifest manifest;
  private final CompactionPicker picker;

  private final ReentrantLock manifestLock = new ReentrantLock();
  private final List<ColumnFamily> families = new ArrayList<>();
  private final List<Levels> levels = new ArrayList<>();

  /// For each immutable memtable, oldest first: the log that follows it and its last sequence.
  private final ArrayDeque<long[]> rotations = new ArrayDeque<>();

  /// Tables that are open and in no list yet.
  private final List<Table> opening = new ArrayList<>();

  final SetAside aside = new SetAside();

  /// The logs, as the manifest names them.
  final LogNames logs;

  /// The family with which the next choice of a compaction begins, so that no family starves.
  private int nextFamily;

  /// Files of tables that a failed edit may have named.
  private final ArrayDeque<String> doubtful = new ArrayDeque<>();

  private final ReentrantLock countLock = new ReentrantLock();
  private long nextNumber;
  private long firstLog;
  private long flushedSequence;
  private volatile boolean closed;

  /// The most tables of level 0 in a leveled family.
  private volatile int young;

  /// Bytes beyond the sizes that the levels below 0 of leveled families should have.
  private volatile long debt;

  /// Bytes that the flush under way has written.
  private final LongAdder flushing = new LongAdder();

  private final LongAdder flushBytes = new LongAdder();
  private final LongAdder compactionReadBytes = new LongAdder();
  private final LongAdder compactionBytes = new LongAdder();

  /// Files whose deletion failed: the next opening removes them, as the manifest does not name
  /// them.
  private final LongAdder undeleted = new LongAdder();

  Tables(Tools tools, long nextNumber, LogNames logs) {
    this.tools = tools;
    this.logs = logs;
    this.manifest = new Manifest(tools.files(), tools.directory(), tools.lives());
    this.picker = new CompactionPicker(tools.options().tuning().memtableBytes());
    this.nextNumber = nextNumber;
  }

  @Override
  public long newNumber() {
    countLock.lock();
    try {
      return nextNumber++;
    } finally {
      countLock.unlock();
    }
  }

  /// Opens all tables; after a failure none stays open.
  ReadState.@Nullable Family[] load(Manifest.State state) throws IOException {
    try {
      return open(state);
    } catch (IOException | RuntimeException e) {
      abandonAll();
      throw e;
    }
  }

  /// Closes all tables of a store whose opening fails.
  void abandonAll() {
    levels.forEach(each -> delete(each.all(), false));
    delete(opening, false);
  }

  private ReadState.@Nullable Family[] open(Manifest.State state) throws IOException {
    firstLog = state.firstLog;
    flushedSequence = state.flushedSequence;
    ReadState.@Nullable Family[] loaded = new ReadState.Family[state.families.size()];
    for (Manifest.Family named : state.families) {
      ColumnFamily family =
          new ColumnFamily(this, named.id(), named.name(), FamilyOptions.of(named));
      Levels opened = Levels.EMPTY;
      for (int level = 0; level < Levels.COUNT; level++) {
        List<Table> tables = new ArrayList<>();
        for (Manifest.Named each : state.level(family.id(), level)) {
          Table table = tools.open(each);
          opening.add(table);
          tables.add(table);
        }
        opened = tables.isEmpty() ? opened : opened.with(level, tables);
      }
      families.add(family);
      levels.add(opened);
      opening.clear();
      loaded[family.id()] = new ReadState.Family(tools.memtable(), List.of(), opened);
    }
    countYoung();
    return loaded;
  }

  /// Writes what was replayed to tables; from here on no old log is needed. If it fails, nothing
  /// has changed but the manifest's file perhaps.
  ///
  /// @param log the new one, whose name is durable
  ReadState recovered(ReadState replayed, long lastSequence, long log) throws IOException {
    List<Levels> before = List.copyOf(levels);
    long[] marks = {firstLog, flushedSequence};
    List<Table> made = new ArrayList<>();
    boolean done = false;
    try {
      for (int id = 0; id < replayed.families.length; id++) {
        ReadState.Family family = replayed.families[id];
        if (family != null && !family.active().isEmpty()) {
          family.active().order();
          List<Table> tables = write(families.get(id), family.active(), new long[0]);
          made.addAll(tables);
          prepend(id, tables);
        }
      }
      flushedSequence = lastSequence;
      firstLog = log;
      install(whole());
      done = true;
    } finally {
      if (!done) {
        restore(before);
        firstLog = marks[0];
        flushedSequence = marks[1];
        abandon(made);
      }
    }
    logs.drop(firstLog);
    countYoung();
    ReadState.@Nullable Family[] fresh = new ReadState.Family[replayed.families.length];
    for (int id = 0; id < fresh.length; id++) {
      fresh[id] = new ReadState.Family(tools.memtable(), List.of(), levels.get(id));
    }
    return new ReadState(fresh, lastSequence);
  }

  private void prepend(int id, List<Table> tables) {
    List<Table> list = new ArrayList<>(tables);
    list.addAll(Arrays.asList(levels.get(id).level(0)));
    levels.set(id, levels.get(id).with(0, list));
  }

  /// Takes a new family.
  interface Created {
    void created(ColumnFamily family);
  }

  /// @param strict whether one that is there must have all these options, or their style only
  /// @param created null if none may be made, as the store is read-only
  ColumnFamily family(String name, FamilyOptions options, boolean strict, @Nullable Created created)
      throws IOException {
    manifestLock.lock();
    try {
      checkOpen();
      ColumnFamily known = existing(name);
      if (known != null) {
        known.checkOptions(options, strict);
        return known;
      }
      if (created == null) {
        throw new IllegalStateException("no column family " + name + ", and this is read-only");
      }
      ColumnFamily.checkName(name);
      ColumnFamily family = new ColumnFamily(this, families.size(), name, options);
      boolean done = false;
      families.add(family);
      levels.add(Levels.EMPTY);
      try {
        install(edit(List.of(family.named()), List.of()));
        done = true;
      } finally {
        if (!done) {
          families.removeLast();
          levels.removeLast();
        }
      }
      publish(() -> created.created(family));
      return family;
    } finally {
      manifestLock.unlock();
    }
  }

  List<ColumnFamily> families() {
    manifestLock.lock();
    try {
      return List.copyOf(families);
    } finally {
      manifestLock.unlock();
    }
  }

  @Nullable ColumnFamily existing(String name) {
    manifestLock.lock();
    try {
      return families.stream().filter(f -> f.name().equals(name)).findFirst().orElse(null);
    } finally {
      manifestLock.unlock();
    }
  }

  /// Notes that a memtable was closed at `lastSequence` and that `log` belongs to its successor.
  void rotated(long log, long lastSequence) {
    countLock.lock();
    try {
      rotations.add(new long[] {log, lastSequence});
    } finally {
      countLock.unlock();
    }
  }

  /// Takes what changed, under the manifest lock.
  interface Changed {
    void changed(Map<Integer, Levels> families, long flushedSequence);
  }

  /// Writes the oldest immutable memtable of each family to a table; the logs that are not needed
  /// any more: from, to.
  long[] flush(ReadState from, long[] snapshots, Changed changed) throws IOException {
    Events.Flush event = new Events.Flush();
    event.begin();
    flushing.reset();
    Map<Integer, List<Table>> made = writeOldest(from, snapshots);
    for (List<Table> tables : made.values()) {
      tables.forEach(table -> flushBytes.add(table.sizeBytes));
      event.bytes += tables.stream().mapToLong(table -> table.sizeBytes).sum();
    }
    manifestLock.lock();
    try {
      long[] logs = nameFlushed(made, changed);
      event.store = tools.directory();
      event.commit();
      return logs;
    } catch (IOException | RuntimeException | Error e) {
      made.values().forEach(this::abandon);
      throw e;
    } finally {
      manifestLock.unlock();
    }
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
            made.put(id, write(families.get(id), oldest, snapshots));
          }
        }
      }
      return made;
    } catch (IOException | RuntimeException | Error e) {
      flushing.reset();
      made.values().forEach(tables -> delete(tables, true));
      throw e;
    }
  }

  private long[] nameFlushed(Map<Integer, List<Table>> made, Changed changed) throws IOException {
    checkOpen();
    long[] rotation;
    countLock.lock();
    try {
      rotation = java.util.Objects.requireNonNull(rotations.peek());
    } finally {
      countLock.unlock();
    }
    List<Levels> before = List.copyOf(levels);
    long[] marks = {firstLog, flushedSequence};
    try {
      made.forEach(this::prepend);
      firstLog = rotation[0];
      flushedSequence = rotation[1];
      List<Manifest.LevelChange> changes = new ArrayList<>();
      made.keySet().forEach(id -> changes.add(change(id, 0)));
      install(edit(List.of(), changes));
    } catch (IOException | RuntimeException | Error e) {
      restore(before);
      firstLog = marks[0];
      flushedSequence = marks[1];
      throw e;
    }
    countLock.lock();
    try {
      rotations.poll();
    } finally {
      countLock.unlock();
    }
    publish(
        () -> {
          Map<Integer, Levels> now = new LinkedHashMap<>();
          made.keySet().forEach(id -> now.put(id, levels.get(id)));
          changed.changed(now, flushedSequence);
        });
    logs.drop(firstLog);
    countYoung();
    flushing.reset();
    return new long[] {marks[0], firstLog};
  }

  /// The manifest says what readers do not see yet. If they cannot be shown it, no list may change
  /// any more: the next one would be made of what readers have. Under the manifest lock.
  private void publish(Runnable change) {
    boolean done = false;
    try {
      change.run();
      done = true;
    } finally {
      closed |= !done;
    }
  }

  private void restore(List<Levels> before) {
    levels.clear();
    levels.addAll(before);
  }

  /// Tables that may have been named by an edit that failed: their files go once a manifest says
  /// that they were not. Those in a list are named for sure, and stay, whatever failed behind that.
  /// Under the manifest lock.
  private void abandon(List<Table> tables) {
    List<Table> unnamed = new ArrayList<>(tables);
    levels.forEach(each -> unnamed.removeAll(each.all()));
    delete(unnamed, false);
    if (!closed) {
      unnamed.forEach(table -> doubtful.add(table.path));
    }
  }

  private Manifest.LevelChange change(int id, int level) {
    List<Manifest.Named> named =
        Arrays.stream(levels.get(id).level(level)).map(Manifest.Named::of).toList();
    return new Manifest.LevelChange(id, level, named);
  }

  private Manifest.Edit edit(List<Manifest.Family> created, List<Manifest.LevelChange> changes) {
    return new Manifest.Edit(
        nextNumber, firstLog, flushedSequence, logs.from(firstLog), created, changes);
  }

  @Override
  public void nameLogs() throws IOException {
    manifestLock.lock();
    try {
      checkOpen();
      install(edit(List.of(), List.of()));
    } finally {
      manifestLock.unlock();
    }
  }

  private Manifest.Edit whole() {
    List<Manifest.LevelChange> changes = new ArrayList<>();
    for (int id = 0; id < levels.size(); id++) {
      for (int level = 0; level < Levels.COUNT; level++) {
        if (levels.get(id).level(level).length > 0) {
          changes.add(change(id, level));
        }
      }
    }
    return edit(families.stream().map(ColumnFamily::named).toList(), changes);
  }

  /// Writes what the fields say to the manifest, as this edit or as a whole; under the manifest
  /// lock, or before anybody else.
  private void install(Manifest.Edit edit) throws IOException {
    if (!manifest.wantsRoll()) {
      manifest.append(edit);
      return;
    }
    long number = newNumber();
    long old = manifest.number();
    manifest.roll(whole(), number);
    // From here on the change is made, whatever happens to what it left behind.
    if (old != 0) {
      deleteQuietly(Manifest.path(tools.directory(), old));
    }
    while (!doubtful.isEmpty()) {
      deleteQuietly(doubtful.poll());
    }
  }

  private void deleteQuietly(String path) {
    try {
      if (tools.files().exists(path)) {
        tools.files().delete(path);
      }
    } catch (IOException e) {
      undeleted.increment();
    }
  }

  private void checkOpen() throws IOException {
    if (closed) {
      throw new IOException("the store is closed, or has failed");
    }
  }

  private void countYoung() {
    int most = 0;
    long over = 0;
    for (int id = 0; id < families.size(); id++) {
      if (families.get(id).options().style() == CompactionStyle.LEVELED) {
        most = Math.max(most, levels.get(id).level(0).length);
        over += picker.debt(levels.get(id));
      }
    }
    young = most;
    debt = over;
  }

  /// What compactions below level 0 are behind, as a multiple of the smallest level's size.
  double debt() {
    return (double) debt / picker.baseBytes();
  }

  /// Notes that the flush under way has written so many bytes more.
  void flushedSome(long bytes) {
    flushing.add(bytes);
  }

  /// Bytes that the flush under way has written, compressed.
  long flushingBytes() {
    return flushing.sum();
  }

  int young() {
    return young;
  }

  private List<Table> write(ColumnFamily family, Memtable memtable, long[] snapshots)
      throws IOException {
    LsmBug planted = tools.options().tuning().planted();
    Cursor all = memtable.allVersions(planted == LsmBug.FLUSH_KEEPS_OLDER);
    TableOutputs outputs = new TableOutputs(this, tools, family, Bloom.BITS_PER_KEY, null);
    RangeTombstones deleted =
        planted == LsmBug.FLUSH_LOSES_DELETED_RANGES
            ? RangeTombstones.NONE
            : memtable.tombstones().merged();
    return outputs.run(all, deleted, snapshots, false, Long.MAX_VALUE);
  }

  /// What is to be merged next; its inputs are then taken. Null if there is nothing.
  ///
  /// @param oldestSnapshot a hint what is worth a rewrite; not what the merge must keep
  CompactionPicker.@Nullable Plan pick(long oldestSnapshot) {
    long wallMillis = tools.clock().wallMillis();
    manifestLock.lock();
    try {
      aside.forgive(tools.clock().monotonicNanos());
      for (int i = 0; i < families.size() && !closed; i++) {
        int id = (nextFamily + i) % families.size();
        CompactionPicker.Plan plan = pick(families.get(id), wallMillis, oldestSnapshot);
        if (plan != null) {
          plan.inputs().forEach(Table::beginCompaction);
          nextFamily = id + 1;
          return plan;
        }
      }
      return null;
    } finally {
      manifestLock.unlock();
    }
  }

  private CompactionPicker.@Nullable Plan pick(
      ColumnFamily family, long wallMillis, long oldestSnapshot) {
    int id = family.id();
    FamilyOptions options = family.options();
    Levels now = levels.get(id);
    return switch (options.style()) {
      case SIZE_TIERED -> CompactionPicker.tiered(id, now);
      case FIFO ->
          CompactionPicker.fifo(id, now, wallMillis, options.ttlMillis(), options.maxBytes());
      case LEVELED -> picker.leveled(id, now, wallMillis, oldestSnapshot);
    };
  }

  /// Carries a plan out. Blocks.
  ///
  /// @throws SetAside.Failure if an input is at fault: others may go on
  void compact(CompactionPicker.Plan plan, long[] snapshots, Changed changed) throws IOException {
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
        throw new SetAside.Failure(e);
      }
      throw e;
    } finally {
      manifestLock.lock();
      try {
        plan.inputs().forEach(Table::endCompaction);
        if (!done && !plan.isMove()) {
          abandon(made);
        }
      } finally {
        manifestLock.unlock();
      }
    }
    event.store = tools.directory();
    event.family = family(plan).name();
    event.why = plan.why();
    event.level = plan.output();
    event.bytesRead = plan.inputs().stream().mapToLong(table -> table.sizeBytes).sum();
    event.bytesWritten = made.stream().mapToLong(table -> table.sizeBytes).sum();
    if (!plan.isMove()) {
      compactionReadBytes.add(plan.drop() ? 0 : event.bytesRead);
      compactionBytes.add(event.bytesWritten);
    }
    event.commit();
  }

  private ColumnFamily family(CompactionPicker.Plan plan) {
    manifestLock.lock();
    try {
      return families.get(plan.family());
    } finally {
      manifestLock.unlock();
    }
  }

  private boolean setAside(CompactionPicker.Plan plan, Throwable failure) {
    if (tools.options().tuning().planted() == LsmBug.NO_TABLE_SET_ASIDE) {
      return false;
    }
    manifestLock.lock();
    try {
      return !closed && aside.failed(plan.inputs(), failure, tools.clock().monotonicNanos());
    } finally {
      manifestLock.unlock();
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
    TableOutputs outputs = new TableOutputs(this, tools, family(plan), bits, tools.pacer());
    try {
      return outputs.run(in, RangeTombstones.merged(deleted), snapshots, plan.last(), bytes);
    } finally {
      in.close();
    }
  }

  private void name(CompactionPicker.Plan plan, List<Table> made, Changed changed)
      throws IOException {
    manifestLock.lock();
    try {
      checkOpen();
      int id = plan.family();
      Levels before = levels.get(id);
      Levels after = before.without(plan.inputs());
      if (plan.output() == 0) {
        List<Table> list = new ArrayList<>(Arrays.asList(before.level(0)));
        int at = list.indexOf(plan.inputs().getFirst());
        list.removeAll(plan.inputs());
        list.addAll(at, made);
        after = after.with(0, list);
      } else {
        after = after.plus(plan.output(), made);
      }
      levels.set(id, after);
      TreeSet<Integer> touched = new TreeSet<>();
      for (int level = 0; level < Levels.COUNT; level++) {
        if (after.level(level) != before.level(level)) {
          touched.add(level);
        }
      }
      try {
        install(edit(List.of(), touched.stream().map(level -> change(id, level)).toList()));
      } catch (IOException | RuntimeException | Error e) {
        levels.set(id, before);
        throw e;
      }
      aside.gone(plan.isMove() ? List.of() : plan.inputs());
      Map<Integer, Levels> now = Map.of(id, after);
      publish(() -> changed.changed(now, flushedSequence));
      countYoung();
    } finally {
      manifestLock.unlock();
    }
  }

  boolean isUrgent() {
    return young > 2 * CompactionPicker.YOUNG_TABLES || debt() > URGENT_DEBT;
  }

  /// Whether a file of the store's directory is the store's: a table or a manifest that is named,
  /// or a log that may be needed; before anybody else changes something.
  ///
  /// @param current the manifest that was found, null for none
  boolean isNamed(String file, @Nullable String current) {
    if (file.endsWith(".log")) {
      return Long.parseLong(file.substring(0, file.length() - 4)) >= firstLog;
    }
    if (file.startsWith("MANIFEST")) {
      // One whose making failed may be the current one.
      return manifest.number() == 0
          ? file.equals(current) || manifest.isDoubtful()
          : file.equals("MANIFEST-%06d".formatted(manifest.number()));
    }
    return doubtful.contains(tools.directory() + "/" + file)
        || levels.stream()
            .flatMap(each -> each.all().stream())
            .anyMatch(table -> file.equals("%06d.table".formatted(table.number)));
  }

  /// Does something while no list changes and no file is deleted.
  void frozen(Frozen action) throws IOException {
    manifestLock.lock();
    try {
      List<Table> all = new ArrayList<>();
      levels.forEach(each -> all.addAll(each.all()));
      action.run(whole(), all);
    } finally {
      manifestLock.unlock();
    }
  }

  /// Takes the state as one edit and all tables.
  interface Frozen {
    void run(Manifest.Edit whole, List<Table> tables) throws IOException;
  }

  void retain(ReadState state) {
    countLock.lock();
    try {
      for (ReadState.Family family : state.families) {
        if (family != null) {
          family.levels().all().forEach(Table::hold);
          family.active().hold();
          family.immutable().forEach(Memtable::hold);
        }
      }
    } finally {
      countLock.unlock();
    }
  }

  /// The tables that only this state held: nobody uses them any more. The memtables are dealt with.
  List<Table> release(ReadState state) {
    List<Table> free = new ArrayList<>();
    List<Memtable> old = new ArrayList<>();
    countLock.lock();
    try {
      for (ReadState.Family family : state.families) {
        if (family != null) {
          for (Table table : family.levels().all()) {
            if (table.letGo()) {
              free.add(table);
            }
          }
          old.addAll(family.immutable());
          old.add(family.active());
        }
      }
      old.removeIf(memtable -> !memtable.letGo());
    } finally {
      countLock.unlock();
    }
    old.forEach(Memtable::recycle);
    return free;
  }

  /// Closes tables that nobody uses, and deletes their files. Blocks.
  ///
  /// @param files whether the files too; if not, the next opening removes them
  void delete(List<Table> free, boolean files) {
    for (Table table : free) {
      try {
        table.close();
        if (files) {
          tools.files().delete(table.path);
        }
      } catch (IOException e) {
        undeleted.increment();
      }
    }
  }

  long flushBytes() {
    return flushBytes.sum();
  }

  long compactionReadBytes() {
    return compactionReadBytes.sum();
  }

  long compactionBytes() {
    return compactionBytes.sum();
  }

  long undeleted() {
    return undeleted.sum();
  }

  /// Closes the lists: no flush or compaction changes anything afterwards.
  void close() throws IOException {
    manifestLock.lock();
    try {
      closed = true;
      manifest.close();
    } finally {
      manifestLock.unlock();
    }
  }
}
