package dev.tern.lsm;

import dev.tern.env.FileSystem;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.read.MergingCursor;
import dev.tern.lsm.table.Bloom;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.RunCursor;
import dev.tern.lsm.table.Table;
import dev.tern.lsm.table.TableProperties;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Takes tables in that were written outside the store.
///
/// ```
///   stage    file --link, copy--> directory --edit--> named, not read
///   ingest   an entry that changes nothing: its sequence is the tables'
///            memtables rotated behind it, and flushed: all that they hold now is newer
///            the ranges are empty?
///            one edit: the tables in their levels, staged no more --> readers
/// ```
///
/// Invariant: of one key, what is written before the ingest's entry lies in older tables than the
/// ingested ones or further down, and what is written behind it in memtables or in newer tables. A
/// compaction that has mixed both since, or is about to, is seen when the lists are changed; the
/// ingest then begins anew with a later sequence.
///
/// A snapshot from before the mark is open until the edit is made. Compactions settle nothing above
/// it: a deletion that is written meanwhile stays, though the tables that it hides are in no list
/// yet.
///
/// Any thread; one ingest at a time.
final class Ingests {
  private static final int COPY_BYTES = 1 << 20;

  /// So often an ingest begins anew because what was written meanwhile is in the way.
  private static final int MOST_TRIES = 8;

  private final Tools tools;
  private final Tables tables;
  private final Readers readers;
  private final Upkeep upkeep;
  private final BatchWriter writer;
  private final Publication publication;
  private final Lifetime lifetime;
  private final LongAdder bytes = new LongAdder();

  /// Held by whoever stages, ingests or gives up.
  private final ReentrantLock turn = new ReentrantLock();

  Ingests(
      Tools tools,
      Tables tables,
      Readers readers,
      Upkeep upkeep,
      BatchWriter writer,
      Publication publication,
      Lifetime lifetime) {
    this.tools = tools;
    this.tables = tables;
    this.readers = readers;
    this.upkeep = upkeep;
    this.writer = writer;
    this.publication = publication;
    this.lifetime = lifetime;
  }

  /// Does something while the store is open and nobody else is here.
  private <T> T alone(Action<T> action) throws IOException {
    turn.lock();
    try {
      if (!lifetime.begin()) {
        throw new IllegalStateException("the store is closed");
      }
      try {
        return action.run();
      } finally {
        lifetime.end();
      }
    } finally {
      turn.unlock();
    }
  }

  private interface Action<T> {
    T run() throws IOException;
  }

  /// See [Lsm#stage].
  void stage(String label, ColumnFamily family, List<String> paths, Staging how)
      throws IOException {
    Objects.requireNonNull(label, "label");
    Objects.requireNonNull(how, "how");
    ColumnFamily.checkName(label);
    Objects.requireNonNull(paths, "paths");
    family.in(readers.state, tables);
    boolean early = tools.planted(LsmBug.STAGED_READABLE_EARLY);
    alone(
        () -> {
          stageAll(label, family, List.copyOf(paths), how);
          return early ? take(label, List.of(), true) : 0;
        });
  }

  private void stageAll(String label, ColumnFamily family, List<String> paths, Staging how)
      throws IOException {
    List<String> made = new ArrayList<>();
    List<Manifest.Staged> staged = new ArrayList<>();
    boolean done = false;
    try {
      for (String path : paths) {
        long number = tables.newNumber();
        String target = StoreFiles.tablePath(tools.directory(), number);
        if (how == Staging.LINK) {
          tools.files().link(path, target);
          made.add(target);
        } else {
          copy(path, target, made);
        }
        tools.files().force(target);
        staged.add(new Manifest.Staged(label, family.id(), looked(number, path)));
      }
      tools.files().forceDirectory(tools.directory());
      done = true;
    } finally {
      if (!done) {
        made.forEach(tables.holders::deleteQuietly);
      }
    }
    tables.stage(
        before -> {
          List<Manifest.Staged> all = new ArrayList<>(before);
          all.addAll(staged);
          return all;
        });
  }

  private void copy(String from, String to, List<String> made) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(COPY_BYTES);
    try (FileSystem.ReadableFile source = tools.files().open(from);
        FileSystem.WritableFile target = tools.files().create(to)) {
      made.add(to);
      long end = source.size();
      for (long at = 0; at < end; at += buffer.limit()) {
        buffer.clear().limit((int) Math.min(COPY_BYTES, end - at));
        StoreFiles.fill(source, from, at, buffer);
        target.append(buffer.flip());
      }
    }
  }

  /// Looks at a file that came, and tells which it is.
  ///
  /// @param path from where, for the message of an error
  private Manifest.Named looked(long number, String path) throws IOException {
    try {
      return looked(tools.open(number), path);
    } catch (CorruptionException e) {
      throw e.advise(path, "It was not staged: write it again with a TableFileWriter");
    }
  }

  private static Manifest.Named looked(Table table, String path) throws IOException {
    try {
      table.verifyFile();
      TableProperties properties = table.properties;
      if (properties.entries() == 0
          || properties.largestSequence() != 0
          || properties.rangeDeletes() + properties.deletes() > 0) {
        throw new IngestRefusedException(
            "%s has deletions, or sequences of the store that wrote it: only tables of a"
                    .formatted(path)
                + " TableFileWriter can be ingested: write it again with one");
      }
      return Manifest.Named.of(table);
    } finally {
      table.close();
    }
  }

  /// See [Lsm#staged].
  List<StagedTable> staged() {
    return tables.staged().stream()
        .map(
            each ->
                new StagedTable(each.label(), tables.family(each.family()), each.table().bytes()))
        .toList();
  }

  /// See [Lsm#abandonStaged].
  void abandon(String label) throws IOException {
    Objects.requireNonNull(label, "label");
    alone(
        () -> {
          List<Manifest.Staged> gone = labelled(label);
          if (!gone.isEmpty()) {
            tables.stage(
                before -> before.stream().filter(each -> !each.label().equals(label)).toList());
            for (Manifest.Staged each : gone) {
              tables.holders.deleteQuietly(
                  StoreFiles.tablePath(tools.directory(), each.table().number()));
            }
          }
          return 0;
        });
  }

  private List<Manifest.Staged> labelled(String label) {
    return tables.staged().stream().filter(each -> each.label().equals(label)).toList();
  }

  /// See [Lsm#ingest] and [Lsm#replace].
  long ingest(String label, List<KeyRange> ranges, boolean replace) throws IOException {
    Objects.requireNonNull(label, "label");
    Objects.requireNonNull(ranges, "ranges");
    for (KeyRange range : ranges) {
      range.family().in(readers.state, tables);
    }
    writer.awaitCompactions();
    return alone(() -> take(label, List.copyOf(ranges), replace));
  }

  /// See [Lsm#replacement].
  Replacement replacement(String label, List<KeyRange> ranges) {
    Objects.requireNonNull(label, "label");
    Objects.requireNonNull(ranges, "ranges");
    for (KeyRange range : ranges) {
      range.family().in(readers.state, tables);
    }
    return new Replacement(this, label, ranges);
  }

  /// Compactions settle nothing above it; null where a test plants that there is none.
  @Nullable Snapshot guard() {
    return tools.planted(LsmBug.INGEST_WITHOUT_GUARD) ? null : readers.snapshot();
  }

  /// Has the next rotation set a mark; told under the store's lock.
  void markLater(Consumer<Mark> told) {
    ColumnFamily any = tables.families().get(0);
    writer.checkWritable();
    upkeep.markBehind(
        () -> {
          long number = tables.newNumber();
          Mark mark = new Mark(writer.append(new WriteBatch().nothing(any)), number);
          return () -> told.accept(mark);
        });
  }

  /// Whether all up to a mark is in tables.
  boolean isFlushed(Mark mark) {
    return readers.state.flushedSequence >= mark.sequence;
  }

  /// See [Replacement#commit].
  boolean commit(Replacement wanted, Mark mark) throws IOException {
    return alone(
        () -> {
          Events.Ingest event = new Events.Ingest();
          event.begin();
          List<Manifest.Staged> staged = labelled(wanted.label);
          if (staged.isEmpty()) {
            throw new IngestRefusedException("no table is staged as " + wanted.label);
          }
          check(staged, wanted.ranges);
          try {
            takeAt(mark, wanted.label, staged, wanted.ranges);
          } catch (InTheWay e) {
            return false;
          }
          taken(event, wanted.label, staged, true);
          upkeep.ingested();
          return true;
        });
  }

  /// See [Lsm#stagedValues].
  List<byte @Nullable []> values(String label, ColumnFamily family, List<byte[]> keys)
      throws IOException {
    family.in(readers.state, tables);
    return alone(
        () -> {
          List<Manifest.Staged> of =
              labelled(label).stream().filter(each -> each.family() == family.id()).toList();
          List<Coming> opened = open(of, 0);
          try {
            return values(opened, keys);
          } finally {
            close(opened);
          }
        });
  }

  private List<byte @Nullable []> values(List<Coming> opened, List<byte[]> keys)
      throws IOException {
    Table[] run =
        opened.stream()
            .map(Coming::table)
            .sorted((a, b) -> Keys.compare(a.properties.smallest(), b.properties.smallest()))
            .toArray(Table[]::new);
    List<byte @Nullable []> found = new ArrayList<>();
    RunCursor cursor = new RunCursor(tools.epochs(), run, false);
    try {
      for (byte[] key : keys) {
        cursor.seek(key);
        boolean here = cursor.valid && isAt(cursor, key);
        byte[] value = here ? new byte[cursor.valueLength()] : null;
        if (value != null) {
          cursor.copyValue(value, 0);
        }
        found.add(value);
      }
      return found;
    } finally {
      cursor.close();
    }
  }

  private static boolean isAt(RunCursor cursor, byte[] key) {
    int from = cursor.keyOffset;
    return Arrays.equals(cursor.key, from, from + cursor.keyLength, key, 0, key.length);
  }

  /// A table of a family that is to come in.
  record Coming(int family, Table table) {}

  /// The place of an ingest among what is written.
  ///
  /// @param sequence of its entries; all up to it is in tables
  /// @param number tables below it hold nothing newer
  record Mark(long sequence, long number) {
    /// Whether all that a table holds is newer: it is the table of a flush.
    boolean isBefore(Table table) {
      return table.properties.smallestSequence() > sequence;
    }

    /// Whether a table may hold something newer. A compaction makes sequences zero that no reader
    /// has to tell apart.
    boolean mayBeBefore(Table table) {
      TableProperties properties = table.properties;
      return properties.largestSequence() > sequence
          || table.number >= number && properties.smallestSequence() == 0;
    }
  }

  /// What was written meanwhile is in the way.
  private static final class InTheWay extends IOException {
    private static final long serialVersionUID = 1;
  }

  /// How many were made visible; any thread.
  long count() {
    return readers.generation;
  }

  /// Bytes of the tables that were taken in; any thread.
  long bytes() {
    return bytes.sum();
  }

  private long take(String label, List<KeyRange> ranges, boolean replace) throws IOException {
    Events.Ingest event = new Events.Ingest();
    event.begin();
    List<Manifest.Staged> staged = labelled(label);
    if (staged.isEmpty()) {
      throw new IngestRefusedException("no table is staged as " + label);
    }
    check(staged, ranges);
    InTheWay last = null;
    ColumnFamily any = tables.family(staged.get(0).family());
    for (int tries = 1; tries <= MOST_TRIES; tries++) {
      long sequence;
      Snapshot guard = guard();
      try {
        Mark mark = mark(any);
        if (!replace) {
          for (KeyRange range : ranges) {
            checkEmpty(range);
          }
        }
        takeAt(mark, label, staged, replace ? ranges : List.of());
        sequence = mark.sequence;
      } catch (InTheWay e) {
        // The next mark is above what came meanwhile.
        last = e;
        continue;
      } finally {
        if (guard != null) {
          guard.close();
        }
      }
      taken(event, label, staged, replace);
      upkeep.ingested();
      return sequence;
    }
    throw new IngestRefusedException(
        "the ranges of %s are written to and compacted all the time".formatted(label), last);
  }

  /// A place behind all that was written, and all up to it in tables. Blocks.
  private Mark mark(ColumnFamily any) throws IOException {
    long[] number = {0};
    long sequence =
        upkeep.flushBehind(
            () -> {
              number[0] = tables.newNumber();
              return writer.append(new WriteBatch().nothing(any));
            });
    return new Mark(sequence, number[0]);
  }

  private void taken(
      Events.Ingest event, String label, List<Manifest.Staged> staged, boolean replace) {
    event.store = tools.directory();
    event.label = label;
    event.tables = staged.size();
    event.bytes = staged.stream().mapToLong(each -> each.table().bytes()).sum();
    event.replaces = replace;
    bytes.add(event.bytes);
    event.commit();
  }

  /// Each table lies in a range, and no two of a family overlap.
  private void check(List<Manifest.Staged> staged, List<KeyRange> ranges) throws IOException {
    List<Coming> all = open(staged, 0);
    try {
      for (int i = 0; i < all.size(); i++) {
        Coming one = all.get(i);
        checkFile(one.table, staged.get(i).label());
        TableProperties bounds = one.table.properties;
        boolean inside =
            ranges.stream()
                .anyMatch(
                    range ->
                        range.family().id() == one.family
                            && Keys.compare(range.from(), bounds.smallest()) <= 0
                            && Keys.compare(bounds.upper(), range.to()) <= 0);
        if (!inside && !tools.planted(LsmBug.STAGED_READABLE_EARLY)) {
          throw new IngestRefusedException(
              "a staged table of %s is in none of the ranges"
                  .formatted(tables.family(one.family).name()));
        }
        for (Coming other : all) {
          if (other != one
              && other.family == one.family
              && bounds.overlaps(
                  other.table.properties.smallest(), other.table.properties.upper())) {
            throw new IngestRefusedException(
                "two staged tables of %s overlap".formatted(tables.family(one.family).name()));
          }
        }
      }
    } finally {
      close(all);
    }
  }

  private List<Coming> open(List<Manifest.Staged> staged, long sequence) throws IOException {
    List<Coming> opened = new ArrayList<>();
    boolean done = false;
    try {
      for (Manifest.Staged each : staged) {
        opened.add(new Coming(each.family(), open(each, sequence)));
      }
      done = true;
      return opened;
    } finally {
      if (!done) {
        close(opened);
      }
    }
  }

  private Table open(Manifest.Staged each, long sequence) throws IOException {
    try {
      return tools.open(each.table().at(sequence));
    } catch (CorruptionException e) {
      throw notIngested(e, each.label());
    }
  }

  private static void checkFile(Table table, String label) throws IOException {
    try {
      table.checkFile();
    } catch (CorruptionException e) {
      throw notIngested(e, label);
    }
  }

  private static CorruptionException notIngested(CorruptionException why, String label) {
    return why.advise(
        "It is staged as %s, and nothing of that was ingested: put the right file back, or abandon"
                .formatted(label)
            + " the label and stage its tables again");
  }

  /// Their files stay: they are staged.
  private void close(List<Coming> opened) {
    tables.holders.delete(opened.stream().map(Coming::table).toList(), false);
  }

  private void checkEmpty(KeyRange range) throws IOException {
    IteratorOptions options =
        IteratorOptions.all().range(range.from(), range.to()).withoutFillingCache();
    try (LsmIterator rows = readers.iterator(range.family(), options, (seen, family) -> {})) {
      rows.seekToFirst();
      if (rows.valid()) {
        throw new IngestRefusedException(
            "the range of %s is not empty: it has the key %s"
                .formatted(range.family().name(), HexFormat.of().formatHex(rows.key())));
      }
    }
  }

  /// @param deleted ranges that are deleted by the same edit
  private void takeAt(Mark mark, String label, List<Manifest.Staged> staged, List<KeyRange> deleted)
      throws IOException {
    boolean below = tools.planted(LsmBug.INGEST_BELOW_DELETION);
    List<Coming> coming = open(staged, below ? 1 : mark.sequence);
    List<Coming> deletions = new ArrayList<>();
    boolean done = false;
    try {
      deletions.addAll(deletions(deleted, mark.sequence));
      if (tools.planted(LsmBug.INGEST_TAKES_ONE_FILE)) {
        Set<Integer> taken = new HashSet<>();
        coming.removeIf(one -> !taken.add(one.family));
      }
      List<Table> made = new ArrayList<>();
      tables.change(
          present -> placed(present, coming, deletions, mark, made),
          label,
          (families, flushed) -> {
            tables.ingested.addAll(made);
            publication.ingested(families, flushed, made);
          });
      done = true;
      List<Table> needless = new ArrayList<>(deletions.stream().map(Coming::table).toList());
      needless.removeAll(made);
      tables.holders.delete(needless, true);
    } finally {
      if (!done) {
        giveUp(coming, deletions);
      }
    }
  }

  /// Those that an edit has named stay open: readers use them, unless they could not be shown them.
  void giveUp(List<Coming> coming, List<Coming> deletions) {
    tables.lock.lock();
    try {
      tables.abandon(deletions.stream().map(Coming::table).toList());
      tables.closeUnnamed(coming.stream().map(Coming::table).toList());
    } finally {
      tables.lock.unlock();
    }
  }

  /// For each family a table that deletes its ranges.
  private List<Coming> deletions(List<KeyRange> ranges, long sequence) throws IOException {
    Map<Integer, List<RangeTombstones.Range>> byFamily = new LinkedHashMap<>();
    for (KeyRange range : ranges) {
      byFamily
          .computeIfAbsent(range.family().id(), id -> new ArrayList<>())
          .add(new RangeTombstones.Range(range.from(), range.to(), sequence));
    }
    List<Coming> made = new ArrayList<>();
    boolean done = false;
    try {
      for (Map.Entry<Integer, List<RangeTombstones.Range>> each : byFamily.entrySet()) {
        int family = each.getKey();
        TableOutputs outputs =
            new TableOutputs(
                tables, tools, tables.family(family), Bloom.BITS_PER_KEY, written -> {});
        RangeTombstones all = RangeTombstones.of(each.getValue());
        MergingCursor none = new MergingCursor(List.of());
        for (Table table : outputs.run(none, all, new long[0], false, Long.MAX_VALUE)) {
          made.add(new Coming(family, table));
        }
      }
      done = true;
      return made;
    } finally {
      if (!done) {
        tables.holders.delete(made.stream().map(Coming::table).toList(), true);
      }
    }
  }

  /// The lists with the tables in their places; under the manifest lock.
  ///
  /// @param made gets the tables that have a place: all but deletions of nothing
  private Map<Integer, Levels> placed(
      List<Levels> present,
      List<Coming> coming,
      List<Coming> deletions,
      Mark mark,
      List<Table> made)
      throws IOException {
    Map<Integer, Levels> changed = new LinkedHashMap<>();
    // What deletes lies behind what came with it, which has the same sequence: nobody who has found
    // the one looks further.
    for (List<Coming> group : List.of(deletions, coming)) {
      for (Coming one : group) {
        Levels levels = changed.getOrDefault(one.family, present.get(one.family));
        int lowest = lowest(levels, one.table.properties, mark);
        if (group == deletions && lowest == Levels.LAST) {
          continue;
        }
        boolean sorted =
            tables.family(one.family).options().style() == CompactionStyle.LEVELED
                && group == coming;
        changed.put(one.family, with(levels, sorted ? lowest : 0, one.table, mark));
        made.add(one.table);
      }
    }
    return changed;
  }

  /// The lowest level on which nothing older overlaps, nor on those above it.
  private static int lowest(Levels levels, TableProperties bounds, Mark mark) throws InTheWay {
    boolean isFree = !isNearMerges(levels, bounds, mark);
    Table[] young = levels.level(0);
    for (int i = newer(young, mark); i < young.length; i++) {
      if (young[i].properties.overlaps(bounds.smallest(), bounds.upper())) {
        isFree = false;
        checkOlder(young[i], mark);
      }
    }
    int lowest = 0;
    for (int level = 1; level < Levels.COUNT; level++) {
      for (Table table : levels.overlapping(level, bounds.smallest(), bounds.upper())) {
        isFree = false;
        checkOlder(table, mark);
      }
      lowest = isFree ? level : lowest;
    }
    return lowest;
  }

  /// Whether a compaction that is under way may write a table across the bounds. It must not bring
  /// something newer below what comes in.
  private static boolean isNearMerges(Levels levels, TableProperties bounds, Mark mark)
      throws InTheWay {
    List<Table> inputs = levels.all().stream().filter(Table::isCompacting).toList();
    boolean reachesFrom =
        inputs.stream()
            .anyMatch(each -> Keys.compare(each.properties.smallest(), bounds.upper()) < 0);
    boolean reachesTo =
        inputs.stream()
            .anyMatch(each -> Keys.compare(each.properties.upper(), bounds.smallest()) > 0);
    if (!reachesFrom || !reachesTo) {
      return false;
    }
    for (Table input : inputs) {
      checkOlder(input, mark);
    }
    return true;
  }

  /// How many tables of level 0, all in front, are newer than what comes in.
  private static int newer(Table[] young, Mark mark) {
    int newer = 0;
    while (newer < young.length && mark.isBefore(young[newer])) {
      newer++;
    }
    return newer;
  }

  private Levels with(Levels levels, int level, Table table, Mark mark) {
    if (level > 0) {
      return levels.plus(level, List.of(table));
    }
    List<Table> list = new ArrayList<>(Arrays.asList(levels.level(0)));
    boolean behind = tools.planted(LsmBug.INGEST_BEHIND_OLDER);
    list.add(behind ? list.size() : newer(levels.level(0), mark), table);
    return levels.with(0, list);
  }

  private static void checkOlder(Table table, Mark mark) throws InTheWay {
    if (mark.mayBeBefore(table)) {
      throw new InTheWay();
    }
  }
}
