package dev.tern.lsm;

import dev.tern.env.CoverageMarks;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.compaction.CompactionPicker;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.log.LogNames;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// The lists of the tables of all column families, as the manifest names them.
///
/// ```
///   Flushes      --tables of memtables--> |        |--edit--> Manifest
///   Compactions  --merged for inputs----> | Tables |
///                                         |        |--lists--> Publication --> readers
/// ```
///
/// Invariant: a list changes in memory, in the manifest and for readers as one step, in this order
/// of becoming true: the manifest says it durably, then readers see it.
///
/// Threads: a flush and several compactions may run at the same time; each change of the lists is
/// made under one lock, the manifest lock, which no reader or writer ever waits for.
final class Tables implements WriteLog.Naming {
  /// What a column family takes of the heap beside its memtables and tables, about.
  private static final int FAMILY_BYTES = 600;

  /// What a staged table takes of the heap beside its keys, about.
  private static final int STAGED_BYTES = 400;

  private final Tools tools;
  private final Manifest manifest;

  /// Says how far behind compactions are, and what is next; has no state.
  final CompactionPicker picker;

  /// The states that hold the tables.
  final TableHolders holders;

  /// The manifest lock.
  final ReentrantLock lock = new ReentrantLock();

  private final List<ColumnFamily> families = new ArrayList<>();
  private final List<Levels> levels = new ArrayList<>();

  /// For each immutable memtable, oldest first: the log that follows it and its last sequence.
  private final ArrayDeque<long[]> rotations = new ArrayDeque<>();

  /// Tables that are open and in no list yet.
  private final List<Table> opening = new ArrayList<>();

  /// Tables that are named and not read, in the order in which they came; guarded by the lock.
  private List<Manifest.Staged> staged = List.of();

  /// What the account was told of families and staged tables; guarded by the lock.
  private long toldBytes;

  /// Tables of ingests of this opening, until no snapshot from before them is open; guarded by the
  /// lock.
  final List<Table> ingested = new ArrayList<>();

  /// The logs, as the manifest names them.
  final LogNames logs;

  /// Files of tables that a failed edit may have named.
  private final ArrayDeque<String> doubtful = new ArrayDeque<>();

  /// No failed edit has named a table with this number or a higher one; guarded by the lock.
  private long doubtfulBelow;

  private final ReentrantLock countLock = new ReentrantLock();
  private long nextNumber;
  private long firstLog;
  private long flushedSequence;
  private volatile boolean closed;

  /// The most tables of level 0 in a leveled family.
  private volatile int young;

  /// Bytes beyond the sizes that the levels below 0 of leveled families should have.
  private volatile long debt;

  Tables(Tools tools, long nextNumber, LogNames logs) {
    this.tools = tools;
    this.logs = logs;
    this.manifest = new Manifest(tools.files(), tools.directory(), tools.lives());
    this.picker = new CompactionPicker(tools.options().tuning().memtableBytes());
    this.holders = new TableHolders(tools);
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
    levels.forEach(each -> holders.delete(each.all(), false));
    holders.delete(opening, false);
  }

  private ReadState.@Nullable Family[] open(Manifest.State state) throws IOException {
    firstLog = state.firstLog;
    flushedSequence = state.flushedSequence;
    staged = state.staged;
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
    tell();
    return loaded;
  }

  /// Tells the account what families and staged tables take; under the lock.
  private void tell() {
    long now = (long) families.size() * FAMILY_BYTES;
    for (Manifest.Staged each : staged) {
      now += STAGED_BYTES + 2L * each.table().properties().smallest().length;
    }
    tools.memory().add(MemoryPart.TABLES, now - toldBytes);
    toldBytes = now;
  }

  /// Names the tables of what was replayed; from here on no old log is needed. If it fails, nothing
  /// has changed but the manifest's file perhaps. Before anybody else uses the lists.
  ///
  /// @param made by family
  /// @param log the new one, whose name is durable
  void recovered(Map<Integer, List<Table>> made, long lastSequence, long log) throws IOException {
    List<Levels> before = List.copyOf(levels);
    long[] marks = {firstLog, flushedSequence};
    boolean done = false;
    try {
      made.forEach(this::prepend);
      flushedSequence = lastSequence;
      firstLog = log;
      List<Manifest.LevelChange> changes = new ArrayList<>();
      made.keySet().forEach(id -> changes.add(change(id, 0)));
      install(edit(List.of(), changes));
      done = true;
    } finally {
      if (!done) {
        restore(before);
        firstLog = marks[0];
        flushedSequence = marks[1];
      }
    }
    logs.drop(firstLog);
    countYoung();
  }

  /// Writes all to a new manifest; before anybody else uses the lists.
  void nameAnew() throws IOException {
    install(whole());
  }

  /// What readers see first: the tables and empty memtables.
  ReadState fresh(int count, long lastSequence) {
    ReadState.@Nullable Family[] fresh = new ReadState.Family[count];
    for (int id = 0; id < count; id++) {
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
    lock.lock();
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
      List<Levels> before = List.copyOf(levels);
      Runnable shown = () -> created.created(family);
      boolean done = false;
      try {
        families.add(family);
        levels.add(Levels.EMPTY);
        tell();
        install(edit(List.of(family.named()), List.of()), /* optional= */ true);
        done = true;
      } finally {
        if (!done) {
          restore(before);
          tell();
        }
      }
      publish(shown);
      return family;
    } finally {
      lock.unlock();
    }
  }

  /// The lists of a family; under the lock.
  Levels levels(int id) {
    return levels.get(id);
  }

  /// The family with a number.
  ColumnFamily family(int id) {
    lock.lock();
    try {
      return families.get(id);
    } finally {
      lock.unlock();
    }
  }

  List<ColumnFamily> families() {
    lock.lock();
    try {
      return List.copyOf(families);
    } finally {
      lock.unlock();
    }
  }

  @Nullable ColumnFamily existing(String name) {
    lock.lock();
    try {
      return families.stream().filter(f -> f.name().equals(name)).findFirst().orElse(null);
    } finally {
      lock.unlock();
    }
  }

  /// The last sequence of the oldest memtable that waits for its flush.
  long rotatedSequence() {
    countLock.lock();
    try {
      return java.util.Objects.requireNonNull(rotations.peek())[1];
    } finally {
      countLock.unlock();
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

  /// Logs below it are not needed any more; once nothing changes.
  long firstLog() {
    lock.lock();
    try {
      return firstLog;
    } finally {
      lock.unlock();
    }
  }

  /// Names the tables of the oldest memtables; the logs that are not needed any more: from, to. If
  /// it fails, the tables are [abandoned][#abandon].
  ///
  /// @param made by family
  long[] flushed(Map<Integer, List<Table>> made, Changed changed) throws IOException {
    lock.lock();
    try {
      return nameFlushed(made, changed);
    } catch (IOException | RuntimeException | Error e) {
      made.values().forEach(this::abandon);
      throw e;
    } finally {
      lock.unlock();
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
    Runnable shown =
        () -> {
          Map<Integer, Levels> now = new LinkedHashMap<>();
          made.keySet().forEach(id -> now.put(id, levels.get(id)));
          changed.changed(now, flushedSequence);
        };
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
    publish(shown);
    logs.drop(firstLog);
    countYoung();
    return new long[] {marks[0], firstLog};
  }

  /// Makes new lists of the present ones.
  interface Change {
    /// @param present by family
    /// @return the families that change
    /// @throws IOException if no change can be made of them
    Map<Integer, Levels> of(List<Levels> present) throws IOException;
  }

  /// Changes the lists of some families by one edit, and shows readers. If it fails, nothing has
  /// changed but the manifest's file perhaps. Blocks.
  void change(Change change, Changed changed) throws IOException {
    change(change, null, changed);
  }

  /// As [#change(Change, Changed)], and tables are staged no more by the same edit.
  ///
  /// @param label of those tables, null for none
  void change(Change change, @Nullable String label, Changed changed) throws IOException {
    lock.lock();
    try {
      checkOpen();
      List<Levels> before = List.copyOf(levels);
      Map<Integer, Levels> now = change.of(before);
      List<Manifest.LevelChange> touched = new ArrayList<>();
      List<Manifest.Staged> stagedBefore = staged;
      Runnable shown = () -> changed.changed(now, flushedSequence);
      try {
        now.forEach(levels::set);
        now.forEach((id, after) -> touched.addAll(changes(id, before.get(id), after)));
        Manifest.Edit edit = edit(List.of(), touched);
        if (label != null) {
          staged = staged.stream().filter(each -> !each.label().equals(label)).toList();
          edit = edit.with(edit.logs(), staged);
        }
        install(edit);
      } catch (IOException | RuntimeException | Error e) {
        restore(before);
        staged = stagedBefore;
        throw e;
      }
      publish(shown);
      countYoung();
      tell();
    } finally {
      lock.unlock();
    }
  }

  /// The tables that are named and not read.
  List<Manifest.Staged> staged() {
    lock.lock();
    try {
      return staged;
    } finally {
      lock.unlock();
    }
  }

  /// Names other staged tables, durably. If it fails, nothing has changed but the manifest's file
  /// perhaps, and files that are named no more may be in it: they stay until a manifest says that
  /// they are not.
  void stage(UnaryOperator<List<Manifest.Staged>> change) throws IOException {
    lock.lock();
    try {
      checkOpen();
      List<Manifest.Staged> before = staged;
      List<Manifest.Staged> after = List.copyOf(change.apply(before));
      boolean done = false;
      try {
        staged = after;
        tell();
        Manifest.Edit edit = edit(List.of(), List.of());
        boolean isLost = tools.planted(LsmBug.STAGED_LOST_BY_CRASH);
        install(edit.with(edit.logs(), isLost ? null : after), after.size() > before.size());
        done = true;
      } finally {
        if (!done) {
          staged = before;
          tell();
          for (Manifest.Staged each : after) {
            if (!before.contains(each)) {
              long number = each.table().number();
              discard(number, StoreFiles.tablePath(tools.directory(), number));
            }
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// Of the levels in which two lists differ.
  private List<Manifest.LevelChange> changes(int id, Levels before, Levels after) {
    List<Manifest.LevelChange> changes = new ArrayList<>();
    for (int level = 0; level < Levels.COUNT; level++) {
      if (after.level(level) != before.level(level)) {
        changes.add(change(id, level));
      }
    }
    return changes;
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

  /// Takes a change back, of a new family too. It takes no memory, as want of memory may be why.
  private void restore(List<Levels> before) {
    while (families.size() > before.size()) {
      families.removeLast();
    }
    while (levels.size() > before.size()) {
      levels.removeLast();
    }
    for (int id = 0; id < before.size(); id++) {
      levels.set(id, before.get(id));
    }
  }

  /// Closes tables that an ingest could not show, though not those in a list, which readers use.
  /// Their files stay: they are staged, or named. Under the manifest lock.
  void closeUnnamed(List<Table> tables) {
    List<Table> unnamed = new ArrayList<>(tables);
    levels.forEach(each -> unnamed.removeAll(each.all()));
    holders.delete(unnamed, false);
  }

  /// Closes tables whose edit failed, or was not made. Their files go, but those that the edit may
  /// have named all the same: these go once a manifest says that they were not. Tables in a list
  /// are named for sure, and stay, whatever failed behind that. Under the manifest lock.
  void abandon(List<Table> tables) {
    List<Table> unnamed = new ArrayList<>(tables);
    levels.forEach(each -> unnamed.removeAll(each.all()));
    holders.delete(unnamed, false);
    unnamed.forEach(table -> discard(table.number, table.path));
  }

  /// Deletes a table's file now, or once a manifest says that it was not named. Where no list may
  /// change any more, the next opening does. Under the manifest lock.
  private void discard(long number, String path) {
    if (!closed && number < doubtfulBelow) {
      doubtful.add(path);
    } else if (!closed) {
      holders.deleteQuietly(path);
    }
  }

  private Manifest.LevelChange change(int id, int level) {
    List<Manifest.Named> named =
        Arrays.stream(levels.get(id).level(level)).map(Manifest.Named::of).toList();
    return new Manifest.LevelChange(id, level, named);
  }

  private Manifest.Edit edit(List<Manifest.Family> created, List<Manifest.LevelChange> changes) {
    return new Manifest.Edit(
        nextNumber, firstLog, flushedSequence, logs.from(firstLog), created, changes, null);
  }

  @Override
  public void nameLogs() throws IOException {
    lock.lock();
    try {
      checkOpen();
      install(edit(List.of(), List.of()));
    } finally {
      lock.unlock();
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
    Manifest.Edit edit = edit(families.stream().map(ColumnFamily::named).toList(), changes);
    return edit.with(edit.logs(), staged);
  }

  /// Writes what the fields say to the manifest, as this edit or as a whole; under the manifest
  /// lock, or before anybody else.
  private void install(Manifest.Edit edit) throws IOException {
    install(edit, /* optional= */ false);
  }

  /// As [#install(Manifest.Edit)].
  ///
  /// @param optional whether the store can go on without the edit: it is refused before there is no
  ///   room for others
  private void install(Manifest.Edit edit, boolean optional) throws IOException {
    long old = manifest.number();
    boolean rolled = false;
    boolean done = false;
    try {
      rolled = write(edit, optional);
      done = true;
    } finally {
      if (!done && manifest.mayHaveLast()) {
        doubtfulBelow = newNumber();
      }
    }
    if (!rolled) {
      return;
    }
    doubtfulBelow = 0;
    // From here on the change is made, whatever happens to what it left behind.
    try {
      if (old != 0) {
        holders.deleteQuietly(Manifest.path(tools.directory(), old));
      }
      while (!doubtful.isEmpty()) {
        holders.deleteQuietly(doubtful.poll());
      }
    } catch (RuntimeException | OutOfMemoryError e) {
      // The next opening deletes what no manifest names.
      return;
    }
  }

  /// Whether a manifest was begun anew for it.
  private boolean write(Manifest.Edit edit, boolean optional) throws IOException {
    if (!manifest.wantsRoll() && manifest.append(edit, optional)) {
      return false;
    }
    assert manifest.number() == 0 || CoverageMarks.reach(LsmMark.MANIFEST_BEGUN_ANEW);
    manifest.roll(whole(), newNumber(), optional);
    return true;
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

  /// The most tables of level 0 in a leveled family.
  int young() {
    return young;
  }

  /// Tells which files of the store's directory are the store's: tables and manifests that are
  /// named, and logs that may be needed; before anybody else changes something.
  ///
  /// @param current the manifest that was found, null for none
  Predicate<String> named(@Nullable String current) {
    Set<String> tables = new HashSet<>();
    levels.forEach(each -> each.all().forEach(table -> tables.add(fileName(table.path))));
    doubtful.forEach(path -> tables.add(fileName(path)));
    staged.forEach(each -> tables.add("%06d.table".formatted(each.table().number())));
    return file -> {
      if (file.endsWith(".log")) {
        return Long.parseLong(file.substring(0, file.length() - 4)) >= firstLog;
      }
      if (file.startsWith("MANIFEST")) {
        // One whose making failed may be the current one.
        return manifest.number() == 0
            ? file.equals(current) || manifest.isDoubtful()
            : file.equals("MANIFEST-%06d".formatted(manifest.number()));
      }
      return tables.contains(file);
    };
  }

  private static String fileName(String path) {
    return path.substring(path.lastIndexOf('/') + 1);
  }

  /// Does something while no list changes and no file is deleted.
  void frozen(Frozen action) throws IOException {
    lock.lock();
    try {
      List<Table> all = new ArrayList<>();
      levels.forEach(each -> all.addAll(each.all()));
      action.run(whole(), all);
    } finally {
      lock.unlock();
    }
  }

  /// Takes the state as one edit and all tables.
  interface Frozen {
    void run(Manifest.Edit whole, List<Table> tables) throws IOException;
  }

  /// Whether no list may change any more; under the lock.
  boolean isClosed() {
    return closed;
  }

  /// Closes the lists: no flush or compaction changes anything afterwards.
  void close() throws IOException {
    lock.lock();
    try {
      closed = true;
      manifest.close();
    } finally {
      lock.unlock();
    }
  }
}
