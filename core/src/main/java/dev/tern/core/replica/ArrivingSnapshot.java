package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.SnapshotChunk;
import dev.tern.env.DecodeException;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.TableFileWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The rows of another replica's snapshot of a partition on their way into tables: looked through,
/// counted, and written to files outside the store, from which [SnapshotInstalls] takes them.
///
/// Nothing that comes is trusted to be what it says: a row that is none of the partition ends it.
///
/// Threads: made on the shard's loop; the rest by one job at a time.
public final class ArrivingSnapshot {
  /// A file is ended beyond this.
  private static final long MAX_FILE_BYTES = 64 << 20;

  private final Store store;
  private final SnapshotFiles files;
  final Partition partition;

  /// The admission that it is for.
  final int admission;

  /// Of the partition's figures when it began: they begin anew where the partition is emptied.
  final long resets;

  /// What the partition had stripped when it began.
  private final long strips;

  private final SortedMap<Integer, ColumnFamily> data;
  private final List<ColumnFamily> families;

  /// By place among the families: paths of the files that are whole.
  final List<List<String>> paths = new ArrayList<>();

  private DotSet clock = new DotSet();
  private DotSet trimmed = new DotSet();
  private Stamp floor = Stamp.NONE;
  private long stamp;
  private boolean begun;
  private @Nullable TableFileWriter writer;
  private String path = "";
  private int family;

  /// By keyspace: what the records count.
  private final TreeMap<Integer, Figures> figures = new TreeMap<>();

  /// What records count, see [dev.tern.core.store.PartitionRecords].
  record Figures(long keys, long expiring, long bytes) {
    static final Figures NONE = new Figures(0, 0, 0);

    static Figures of(byte[] storageKey, Siblings record) {
      return record.hasValue()
          ? new Figures(
              1,
              record.expires() ? 1 : 0,
              (long) RecordKey.userKeyBytes(storageKey) + record.valueBytes())
          : NONE;
    }

    Figures plus(Figures other, int times) {
      return new Figures(
          keys + times * other.keys,
          expiring + times * other.expiring,
          bytes + times * other.bytes);
    }
  }

  ArrivingSnapshot(Store store, SnapshotFiles files, Partition partition) {
    this.store = store;
    this.files = files;
    this.partition = partition;
    this.admission = partition.admission();
    this.resets = partition.records().resets();
    this.strips = partition.strips();
    this.data = store.records().families(partition.records());
    this.families = store.snapshotFamilies();
    families.forEach(each -> paths.add(new ArrayList<>()));
  }

  /// Whether the partition is the one that it was begun for, with what it held then.
  boolean isFor() {
    int group = partition.set();
    boolean kept = store.partitionOfGroup(group, partition.number()) == partition;
    return kept && partition.admission() == admission && partition.records().resets() == resets;
  }

  /// Whether it may be taken in: the partition still waits to be filled, so that nobody reads it or
  /// waits for it.
  boolean isWanted() {
    return isFor() && partition.isPending();
  }

  /// Whether a delete was stripped here since it began: the snapshot may have what that delete had
  /// replaced, and nothing here would tell.
  boolean isOvertaken() {
    return partition.strips() != strips;
  }

  /// The clock of the moment.
  public DotSet clock() {
    return clock;
  }

  DotSet trimmed() {
    return trimmed;
  }

  Stamp floor() {
    return floor;
  }

  /// The largest time of a version's stamp, hybrid time.
  long stamp() {
    return stamp;
  }

  SortedMap<Integer, Figures> figures() {
    return figures;
  }

  /// Takes the next chunk. Blocks.
  ///
  /// @throws IOException if it cannot be written, or is not what it should be: [#discard] it
  public void add(SnapshotChunk chunk) throws IOException {
    try {
      if (!begun) {
        begun = true;
        clock = chunk.clock();
        trimmed = chunk.trimmed();
        floor = chunk.floor();
      }
      if (chunk.family() < family || chunk.family() >= families.size()) {
        throw new IOException("a chunk of family " + chunk.family() + " behind " + family);
      }
      if (chunk.family() > family) {
        endFile();
        family = chunk.family();
      }
      PartitionSnapshot.rows(chunk, this::row);
    } catch (DecodeException | IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new IOException("a chunk of a snapshot that is none: " + e.getMessage(), e);
    }
  }

  private void row(byte[] key, byte[] value) throws IOException {
    if (!isWanted(key, value)) {
      return;
    }
    if (writer == null) {
      path = files.nextPath();
      writer = files.create(path, families.get(family).options());
    }
    writer.put(key, value);
    if (writer.bytes() >= MAX_FILE_BYTES) {
      endFile();
    }
  }

  /// Whether a row is to be stored; counts it.
  ///
  /// @throws DecodeException if it is none of the family, or of another partition
  private boolean isWanted(byte[] key, byte[] value) {
    byte[] first = partition.records().first();
    boolean isRecord = family < Store.DATA_FAMILIES;
    if (!isRecord && !Arrays.equals(key, 0, first.length, first, 0, first.length)) {
      throw new DecodeException("a row of another partition");
    }
    switch (family) {
      case Store.DOTS_FAMILY -> {
        byte[] named = JournalRows.dotKey(value);
        return isOfClock(key, named == null ? new byte[0] : named);
      }
      case Store.GRAVES_FAMILY -> {
        return isOfClock(key, value);
      }
      case Store.EXPIRIES_FAMILY -> {
        checkKey(Expired.decode(key).recordKey());
        return true;
      }
      default -> {
        checkKey(key);
        int keyspace = RecordKey.keyspace(key);
        if (data.get(keyspace) != families.get(family)) {
          // One that is not known here yet, or dropped here already.
          throw new DecodeException("a record of keyspace " + keyspace);
        }
        Siblings record = Siblings.decode(value);
        if (record == null || record.isEmpty()) {
          throw new DecodeException("a record without a version");
        }
        stamp = Math.max(stamp, record.newest().stamp().time());
        Figures one = Figures.of(key, record);
        figures.merge(keyspace, one, (all, more) -> all.plus(more, 1));
        return true;
      }
    }
  }

  private boolean isOfClock(byte[] row, byte[] recordKey) {
    Rows.Dot dot = Rows.Dot.decode(row);
    checkKey(recordKey);
    return clock.contains(dot.replica(), dot.counter());
  }

  private void checkKey(byte[] recordKey) {
    if (!partition.records().isKey(recordKey)) {
      throw new DecodeException("a row of another partition");
    }
  }

  private void endFile() throws IOException {
    TableFileWriter open = writer;
    if (open != null) {
      open.finish();
      writer = null;
      paths.get(family).add(path);
    }
  }

  /// All has come. Blocks.
  ///
  /// @throws IOException if it cannot be written: [#discard] it
  public void finish() throws IOException {
    endFile();
  }

  /// The rows that are here, of one of the families. Blocks.
  ///
  /// @throws IOException if they cannot be read
  void forEachRow(int of, PartitionSnapshot.Rows told) throws IOException {
    IteratorOptions options =
        IteratorOptions.all().range(partition.records().first(), partition.records().end());
    try (LsmIterator rows = store.lsm().iterator(families.get(of), options)) {
      for (rows.seekToFirst(); rows.valid(); rows.next()) {
        told.row(rows.key(), rows.value());
      }
    }
  }

  /// Removes its files. Blocks.
  public void discard() {
    try {
      if (writer != null) {
        writer.close();
      }
    } catch (IOException e) {
      // The next start removes the file.
    }
    paths.forEach(each -> each.forEach(files::deleteQuietly));
    paths.forEach(List::clear);
  }

  /// The store has its files under names of its own.
  void taken() {
    paths.forEach(each -> each.forEach(files::deleteQuietly));
  }

  /// Whether it has rows of a family.
  boolean has(int of) {
    return !paths.get(of).isEmpty();
  }
}
