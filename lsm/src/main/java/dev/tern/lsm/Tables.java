package dev.tern.lsm;

import dev.tern.env.FileSystem;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// The tables of all column families: writes them from memtables, merges them, names them in the
/// manifest, and deletes those that neither the manifest names nor a reader uses.
///
/// Threads: flush and compaction may run at the same time; each change of the lists is made,
/// written to the manifest and published under one lock, which no reader or writer ever waits for.
final class Tables {
  /// Tables of similar size, adjacent in age, that are worth a merge.
  private static final int TIER = 4;

  /// How much larger the largest of a tier may be than its smallest.
  private static final int SIMILAR = 4;

  private final FileSystem files;
  private final String directory;
  private final LsmOptions options;
  private final BlockCache cache;

  private final ReentrantLock manifestLock = new ReentrantLock();
  private final List<ColumnFamily> families = new ArrayList<>();
  private final List<List<Table>> lists = new ArrayList<>();

  /// Per immutable memtable, oldest first: the log that follows it and its last sequence.
  private final ArrayDeque<long[]> rotations = new ArrayDeque<>();

  private final ReentrantLock countLock = new ReentrantLock();

  /// How many read states hold a table.
  private final Map<Table, Integer> holders = new LinkedHashMap<>();

  private long nextNumber;
  private long manifestNumber;
  private long firstLog;
  private long flushedSequence;
  private volatile boolean closed;

  Tables(
      FileSystem files, String directory, LsmOptions options, BlockCache cache, long nextNumber) {
    this.files = files;
    this.directory = directory;
    this.options = options;
    this.cache = cache;
    this.nextNumber = nextNumber;
  }

  long newNumber() {
    countLock.lock();
    try {
      return nextNumber++;
    } finally {
      countLock.unlock();
    }
  }

  ReadState.@Nullable Family[] load(Manifest manifest) throws IOException {
    firstLog = manifest.firstLog();
    flushedSequence = manifest.flushedSequence();
    ReadState.@Nullable Family[] loaded = new ReadState.Family[manifest.families().size()];
    for (Manifest.Family family : manifest.families()) {
      List<Table> opened = new ArrayList<>();
      for (long number : family.tables()) {
        opened.add(Table.open(files, Recovery.tablePath(directory, number), number, cache));
      }
      families.add(family.family());
      lists.add(List.copyOf(opened));
      loaded[family.family().id()] =
          new ReadState.Family(new Memtable(), List.of(), List.copyOf(opened));
    }
    return loaded;
  }

  /// Writes what was replayed to tables; from here on no old log is needed.
  ReadState recovered(ReadState replayed, long lastSequence) throws IOException {
    for (int id = 0; id < replayed.families.length; id++) {
      ReadState.Family family = replayed.families[id];
      if (family != null && family.active().entries() > 0) {
        prepend(id, write(family.active()));
      }
    }
    flushedSequence = lastSequence;
    firstLog = newNumber();
    install();
    ReadState.@Nullable Family[] fresh = new ReadState.Family[replayed.families.length];
    for (int id = 0; id < fresh.length; id++) {
      fresh[id] = new ReadState.Family(new Memtable(), List.of(), lists.get(id));
    }
    return new ReadState(fresh, lastSequence);
  }

  private void prepend(int id, Table table) {
    List<Table> list = new ArrayList<>();
    list.add(table);
    list.addAll(lists.get(id));
    lists.set(id, List.copyOf(list));
  }

  ColumnFamily family(String name, CompactionStyle style, IntConsumer created) throws IOException {
    manifestLock.lock();
    try {
      for (ColumnFamily family : families) {
        if (family.name().equals(name)) {
          return family;
        }
      }
      ColumnFamily family = new ColumnFamily(families.size(), name, style);
      families.add(family);
      lists.add(List.of());
      install();
      created.accept(family.id());
      return family;
    } finally {
      manifestLock.unlock();
    }
  }

  /// A memtable was closed at `lastSequence`; its successor's log is `log`.
  void rotated(long log, long lastSequence) {
    countLock.lock();
    try {
      rotations.add(new long[] {log, lastSequence});
    } finally {
      countLock.unlock();
    }
  }

  /// Takes the new lists, by column family id.
  interface Flushed {
    void publish(List<List<Table>> changed, long flushedSequence);
  }

  void flush(ReadState from, Flushed flushed) throws IOException {
    Map<Integer, Table> made = new LinkedHashMap<>();
    for (int id = 0; id < from.families.length; id++) {
      ReadState.Family family = from.families[id];
      if (family != null && !family.immutable().isEmpty()) {
        Memtable oldest = family.immutable().getLast();
        if (oldest.entries() > 0) {
          made.put(id, write(oldest));
        }
      }
    }
    manifestLock.lock();
    try {
      checkOpen();
      long[] rotation;
      countLock.lock();
      try {
        rotation = java.util.Objects.requireNonNull(rotations.peek());
      } finally {
        countLock.unlock();
      }
      List<List<Table>> before = List.copyOf(lists);
      long[] marks = {firstLog, flushedSequence};
      made.forEach(this::prepend);
      firstLog = rotation[0];
      flushedSequence = rotation[1];
      try {
        install();
      } catch (IOException e) {
        lists.clear();
        lists.addAll(before);
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
      flushed.publish(List.copyOf(lists), flushedSequence);
      deleteLogs(marks[0], firstLog);
    } finally {
      manifestLock.unlock();
    }
  }

  private void deleteLogs(long from, long to) throws IOException {
    for (long number = from; number < to; number++) {
      String path = Recovery.logPath(directory, number);
      if (files.exists(path)) {
        files.delete(path);
      }
    }
  }

  private void checkOpen() throws IOException {
    if (closed) {
      throw new IOException("the store is closed");
    }
  }

  /// A table of the newest versions of a memtable's keys.
  private Table write(Memtable memtable) throws IOException {
    Cursor cursor = memtable.cursor();
    return write(cursor, options.planted() == LsmBug.FLUSH_KEEPS_OLDER, false);
  }

  private Table write(Cursor cursor, boolean keepOldest, boolean dropDeletes) throws IOException {
    long number = newNumber();
    String path = Recovery.tablePath(directory, number);
    try (FileSystem.WritableFile file = files.create(path)) {
      Table.Writer writer = new Table.Writer(file, options.blockBytes());
      cursor.seek(null);
      while (cursor.valid()) {
        byte[] key = cursor.key();
        long sequence = cursor.sequence();
        int kind = cursor.kind();
        byte[] value = cursor.value();
        cursor.next();
        while (cursor.valid() && Arrays.equals(cursor.key(), key)) {
          if (keepOldest) {
            value = cursor.value();
            kind = cursor.kind();
          }
          cursor.next();
        }
        if (kind != WriteBatch.DELETE || !dropDeletes) {
          writer.add(key, sequence, kind, value);
        }
      }
      writer.finish(options.planted() != LsmBug.TABLE_NOT_FORCED);
    } catch (IOException e) {
      if (files.exists(path)) {
        files.delete(path);
      }
      throw e;
    }
    files.forceDirectory(directory);
    return Table.open(files, path, number, cache);
  }

  boolean wantsCompaction() {
    // Called under the writers' lock, which publishers take inside the manifest's: never wait here.
    if (!manifestLock.tryLock()) {
      return true;
    }
    try {
      return lists.stream().anyMatch(list -> pick(list) != null);
    } finally {
      manifestLock.unlock();
    }
  }

  /// A run of at least [#TIER] adjacent tables of similar size, the youngest such; null for none.
  private static @Nullable List<Table> pick(List<Table> list) {
    for (int start = 0; start + TIER <= list.size(); start++) {
      long least = Long.MAX_VALUE;
      long most = 0;
      int end = start;
      while (end < list.size()) {
        long size = list.get(end).sizeBytes;
        if (Math.max(most, size) > SIMILAR * Math.max(4096, Math.min(least, size))) {
          break;
        }
        least = Math.min(least, size);
        most = Math.max(most, size);
        end++;
      }
      if (end - start >= TIER) {
        return list.subList(start, end);
      }
    }
    return null;
  }

  /// Takes a column family's new list.
  interface Compacted {
    void publish(List<Table> changed, int id);
  }

  void compact(Compacted compacted) throws IOException {
    int id = -1;
    List<Table> run = null;
    boolean oldest = false;
    manifestLock.lock();
    try {
      checkOpen();
      for (int i = 0; i < lists.size() && run == null; i++) {
        run = pick(lists.get(i));
        id = i;
        oldest = run != null && run.getLast() == lists.get(i).getLast();
      }
    } finally {
      manifestLock.unlock();
    }
    if (run == null) {
      return;
    }
    List<Cursor> sources = new ArrayList<>();
    for (Table table : run) {
      sources.add(table.cursor());
    }
    boolean keepOldest = options.planted() == LsmBug.COMPACTION_KEEPS_OLDER;
    Table merged = write(new MergingCursor(sources), keepOldest, oldest);
    manifestLock.lock();
    try {
      checkOpen();
      List<Table> before = lists.get(id);
      List<Table> after = new ArrayList<>(before);
      int at = after.indexOf(run.getFirst());
      after.removeAll(run);
      after.add(at, merged);
      lists.set(id, List.copyOf(after));
      try {
        install();
      } catch (IOException e) {
        lists.set(id, before);
        throw e;
      }
      compacted.publish(lists.get(id), id);
    } finally {
      manifestLock.unlock();
    }
  }

  /// Writes the manifest of what the fields say; under the manifest lock, or before anybody else.
  private void install() throws IOException {
    List<Manifest.Family> named = new ArrayList<>();
    for (int id = 0; id < lists.size(); id++) {
      named.add(
          new Manifest.Family(
              families.get(id), lists.get(id).stream().map(table -> table.number).toList()));
    }
    long number = newNumber();
    new Manifest(nextNumber, firstLog, flushedSequence, named).install(files, directory, number);
    String old = Manifest.path(directory, manifestNumber);
    if (manifestNumber != 0 && files.exists(old)) {
      files.delete(old);
    }
    manifestNumber = number;
  }

  /// The names of the files that belong to the store.
  List<String> named() {
    List<String> names = new ArrayList<>();
    names.add("MANIFEST-%06d".formatted(manifestNumber));
    for (List<Table> list : lists) {
      for (Table table : list) {
        names.add("%06d.table".formatted(table.number));
      }
    }
    return names;
  }

  void retain(ReadState state) {
    countLock.lock();
    try {
      for (ReadState.Family family : state.families) {
        if (family != null) {
          for (Table table : family.tables()) {
            holders.merge(table, 1, Integer::sum);
          }
        }
      }
    } finally {
      countLock.unlock();
    }
  }

  /// Closes the tables that only this state held; deletes them too unless the store is closing.
  void release(ReadState state) {
    List<Table> free = new ArrayList<>();
    countLock.lock();
    try {
      for (ReadState.Family family : state.families) {
        if (family != null) {
          for (Table table : family.tables()) {
            if (holders.merge(table, -1, Integer::sum) == 0) {
              holders.remove(table);
              free.add(table);
            }
          }
        }
      }
    } finally {
      countLock.unlock();
    }
    for (Table table : free) {
      letGo(table);
    }
  }

  private void letGo(Table table) {
    boolean keep = closed;
    try {
      table.close();
      if (!keep) {
        files.delete(table.path);
      }
    } catch (IOException e) {
      undeleted.increment();
    }
  }

  /// Files whose deletion failed: the next opening removes them, as the manifest does not name
  /// them.
  private final LongAdder undeleted = new LongAdder();

  long undeleted() {
    return undeleted.sum();
  }

  /// No flush or compaction changes anything afterwards.
  void close() {
    manifestLock.lock();
    try {
      closed = true;
    } finally {
      manifestLock.unlock();
    }
  }
}
