package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.RecordHash;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.RepairPage.Answer;
import dev.tern.core.wire.RepairPage.RepairRecord;
import dev.tern.core.wire.TreeRange;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.SortedMap;
import java.util.TreeSet;

/// Gathers what another replica lacks, a page at a time; runs on a worker.
///
/// What it reads is the state at one sequence on disk, and the clock that goes with it is the one
/// of that sequence or an older one.
final class Repair {
  /// Dots looked up for a page.
  private static final int MAX_DOTS = 4_096;

  /// Records that cannot be read, on one page: reading on costs an error each.
  private static final int MAX_UNREAD = 64;

  /// Bytes read to look for what another replica holds otherwise.
  private static final int MAX_READ = 4 << 20;

  /// Keys beside a rotten block that are looked up before the walk goes on.
  private static final int MAX_BESIDE = 256;

  private final Lsm lsm;
  private final Store store;
  private final Partition partition;
  private final DotSet clock;
  private final long sequence;

  /// Where the records of the group's keyspaces lie, by keyspace id.
  private final SortedMap<Integer, ColumnFamily> families;

  private final int pageBytes;
  private final List<RepairRecord> records = new ArrayList<>();
  private final DotSet covered = new DotSet();

  /// Dots whose records cannot be read, and those records' keys.
  private final DotSet unreadable = new DotSet();

  private final TreeSet<byte[]> unread = new TreeSet<>(Arrays::compareUnsigned);
  private final TreeSet<byte[]> taken = new TreeSet<>(Arrays::compareUnsigned);
  private int bytes;
  private int dots;

  /// Of a walk over a range: bytes of values, and blocks that could not be read.
  private int read;

  private int failures;

  /// @param pageBytes of records on a page, about
  Repair(Store store, Partition partition, DotSet clock, long sequence, int pageBytes) {
    this.store = store;
    this.lsm = store.lsm();
    this.partition = partition;
    this.clock = clock;
    this.sequence = sequence;
    this.families = store.records().families(partition.records());
    this.pageBytes = pageBytes;
  }

  private boolean full() {
    return bytes >= pageBytes || dots >= MAX_DOTS || unread.size() >= MAX_UNREAD;
  }

  /// The records of dots; everything is to be asked for where rows of the log of dots are rotten.
  ///
  /// @param wanted dots that are in the clock, and in the log of dots where they have a record
  RepairPage ofDots(DotSet wanted) {
    try (LsmIterator log =
        lsm.iterator(store.dots(), IteratorOptions.all().maxSequence(sequence))) {
      List<long[]> runs = new ArrayList<>();
      wanted.forEach((replica, from, to) -> runs.add(new long[] {replica, from, to}));
      for (long[] run : runs) {
        if (full()) {
          break;
        }
        if (!run(log, (int) run[0], run[1], run[2])) {
          return RepairPage.rebuild(clock);
        }
      }
    } catch (CorruptionException e) {
      return RepairPage.rebuild(clock);
    } catch (IOException e) {
      // The log of dots itself: what was not looked at yet is to be had elsewhere.
      unreadable.addAll(wanted.minus(covered));
    }
    return page(covered.minus(unreadable), RepairPage.DONE, Answer.RECORDS);
  }

  /// The records of a range that are not among others, without those that cannot be read.
  ///
  /// @param theirs hashes of the others, sorted
  RepairPage ofOthers(TreeRange range, long[] theirs) throws IOException {
    ColumnFamily family = store.records().dataFamilies().get(range.family());
    Others others = new Others(family, theirs, range.from());
    byte[] next = range.from();
    while (!range.from(next).isEmpty()) {
      try {
        return page(covered, others(range.from(next), others), Answer.RECORDS);
      } catch (CorruptionException e) {
        byte[] readable = e.readableFrom();
        if (readable == null) {
          throw e;
        }
        boolean within = Arrays.compareUnsigned(readable, range.to()) < 0;
        next = beside(others, within ? readable : range.to());
        failures++;
        if ((isRead() || failures >= MAX_UNREAD) && !range.from(next).isEmpty()) {
          return page(covered, next, Answer.RECORDS);
        }
      }
    }
    return page(covered, RepairPage.DONE, Answer.RECORDS);
  }

  private boolean isRead() {
    return full() || read >= MAX_READ;
  }

  /// A walk over the records of a range that goes past rotten blocks.
  private abstract static class RangeWalk {
    final ColumnFamily family;

    /// All records before it are dealt with, but for those that cannot be read.
    byte[] at;

    RangeWalk(ColumnFamily family, byte[] from) {
      this.family = family;
      this.at = from;
    }

    abstract void take(byte[] key, byte[] value);
  }

  /// A walk for the records of a range that another replica lacks.
  private final class Others extends RangeWalk {
    private final long[] theirs;
    private final RecordHash hasher = new RecordHash();

    Others(ColumnFamily family, long[] theirs, byte[] from) {
      super(family, from);
      this.theirs = theirs;
    }

    @Override
    void take(byte[] key, byte[] value) {
      read += value.length;
      dots++;
      if (family == families.get(RecordKey.keyspace(key))) {
        try {
          long hash = hasher.whole(key, store.decoder().decode(key, value));
          if (Arrays.binarySearch(theirs, hash) < 0) {
            add(key, value);
          }
        } catch (UnreadableRecordException e) {
          // The other replica's to keep, if it has the record.
        }
      }
    }
  }

  /// Where the page ends, empty for the end of the range.
  private byte[] others(TreeRange range, Others others) throws IOException {
    IteratorOptions options = IteratorOptions.all().maxSequence(sequence).withoutFillingCache();
    others.at = range.from();
    try (LsmIterator all = lsm.iterator(others.family, options)) {
      all.seek(range.from());
      for (; all.valid() && Arrays.compareUnsigned(all.key(), range.to()) < 0; all.next()) {
        byte[] key = all.key();
        if (isRead()) {
          return key;
        }
        others.take(key, all.value());
        others.at = behind(key);
      }
    }
    return RepairPage.DONE;
  }

  private static byte[] behind(byte[] key) {
    return Arrays.copyOf(key, key.length + 1);
  }

  /// What can be read from where a walk stands up to the end of a rotten block: other tables have
  /// keys there too, and point reads do not need that block for them.
  ///
  /// @return where to go on
  private byte[] beside(RangeWalk walk, byte[] end) throws IOException {
    List<byte[]> keys = lsm.readableKeys(walk.family, walk.at, end, MAX_BESIDE);
    for (byte[] key : keys) {
      if (isRead()) {
        return key;
      }
      try {
        byte[] value = lsm.get(walk.family, key, sequence);
        if (value != null) {
          walk.take(key, value);
        }
      } catch (CorruptionException e) {
        // Its newest version may lie in the rotten block.
      }
    }
    return keys.size() < MAX_BESIDE ? end : behind(keys.getLast());
  }

  private RepairPage page(DotSet speaksFor, byte[] next, Answer answer) {
    return new RepairPage(clock, speaksFor, unreadable, next, answer, records);
  }

  /// Whether each row names a key.
  private boolean run(LsmIterator log, int replica, long from, long to) throws IOException {
    byte[] end = Rows.dot(partition, replica, to);
    log.seek(Rows.dot(partition, replica, from));
    for (; log.valid() && Arrays.compareUnsigned(log.key(), end) <= 0; log.next()) {
      long counter = counter(log.key());
      if (counter == 0) {
        return false;
      }
      if (full()) {
        covered.addRun(replica, from, counter - 1);
        return true;
      }
      dots++;
      byte[] storageKey = JournalRows.dotKey(log.value());
      if (storageKey == null || !partition.records().isKey(storageKey)) {
        return false;
      }
      if (!take(storageKey)) {
        unreadable.add(replica, counter);
      }
    }
    covered.addRun(replica, from, to);
    return true;
  }

  /// Of the dot whose row has that key; 0 if it is the key of none.
  private static long counter(byte[] row) {
    try {
      return Rows.Dot.decode(row).counter();
    } catch (DecodeException e) {
      return 0;
    }
  }

  /// Whether the record could be read, if there is one.
  private boolean take(byte[] storageKey) {
    int keyspace = RecordKey.keyspace(storageKey);
    ColumnFamily family = families.get(keyspace);
    if (family == null || !taken.add(storageKey)) {
      return !unread.contains(storageKey);
    }
    try {
      byte[] record = lsm.get(family, storageKey, sequence);
      if (record != null) {
        add(storageKey, record);
      }
      return true;
    } catch (IOException e) {
      unread.add(storageKey);
      return false;
    }
  }

  private void add(byte[] storageKey, byte[] record) throws UnreadableRecordException {
    Siblings decoded = store.decoder().decode(storageKey, record);
    bytes += storageKey.length + record.length;
    byte[] key = RecordKey.userKey(storageKey);
    int keyspace = RecordKey.keyspace(storageKey);
    records.add(new RepairRecord(RecordKey.slot(storageKey), keyspace, key, decoded));
  }

  /// All records of the partition in one family, from a cursor on: u8 family, record key. A page
  /// goes no further than its family, so that who gets it knows which records are not there.
  ///
  /// @param cursor as a page before said, empty to begin
  /// @param unlogged dots that are wanted and that only such pages bring
  RepairPage ofSlots(byte[] cursor, DotSet unlogged) {
    int at = family(cursor);
    if (at < 0 || at >= store.records().dataFamilies().size()) {
      throw new DecodeException("a cursor of a family that is none");
    }
    Walk walk = new Walk(from(cursor));
    byte[] next;
    try {
      next = slots(store.records().dataFamilies().get(at), walk);
    } catch (IOException e) {
      unreadable.addAll(unlogged);
      return page(covered, cursor(at, walk.at), Answer.STUCK);
    }
    if (next.length > 0) {
      next = cursor(at, next);
    } else if (at + 1 < store.records().dataFamilies().size()) {
      next = cursor(at + 1, first());
    }
    return page(covered, next, Answer.RECORDS);
  }

  private static byte[] cursor(int family, byte[] storageKey) {
    return new ByteWriter().writeByte(family).writeBytes(storageKey).toByteArray();
  }

  private static int family(byte[] cursor) {
    return cursor.length == 0 ? 0 : cursor[0];
  }

  private byte[] from(byte[] cursor) {
    return cursor.length == 0 ? first() : Arrays.copyOfRange(cursor, 1, cursor.length);
  }

  /// Before the partition's records.
  private byte[] first() {
    return partition.records().first();
  }

  /// Behind them.
  private byte[] end() {
    return partition.records().end();
  }

  /// What a replica lacks whose dots it has was deleted, and the delete stripped; or its disk lost
  /// it. Two things hold of what was deleted: all replicas had its dots when the delete was
  /// stripped, and where the last write wins the floor lies above it.
  ///
  /// @param agreed dots of the page's clock that all other replicas have that were heard
  /// @param floor the greatest stamp of a delete that was stripped at any of them
  /// @param newest ids of the keyspaces where the last write wins
  record Strips(DotSet agreed, Stamp floor, BitSet newest) {
    boolean mayHaveTaken(int keyspace, Siblings record) {
      boolean above = newest.get(keyspace) && record.newest().stamp().compareTo(floor) > 0;
      return !above && agreed.covers(record.dots());
    }
  }

  /// The records here that another replica's page of a rebuild passes over, and that were deleted.
  ///
  /// @param cursor that the page was asked for with
  /// @param listed record keys of the page's records
  List<Obsolete> unlisted(
      RepairPage page, byte[] cursor, NavigableSet<byte[]> listed, Strips strips)
      throws IOException {
    boolean same = page.next().length > 0 && family(page.next()) == family(cursor);
    byte[] end = same ? from(page.next()) : end();
    ColumnFamily family = store.records().dataFamilies().get(family(cursor));
    Unlisted walk = new Unlisted(family, from(cursor), listed, strips);
    while (Arrays.compareUnsigned(walk.at, end) < 0) {
      try {
        unlisted(walk, end);
        walk.at = end;
      } catch (CorruptionException e) {
        // What lies in a rotten block is read by nobody, and the hash trees mend it. What other
        // tables have among its keys is read.
        byte[] readable = e.readableFrom() != null ? e.readableFrom() : listed.higher(walk.at);
        boolean within = readable != null && Arrays.compareUnsigned(readable, end) < 0;
        walk.at = beside(walk, within ? readable : end);
      }
    }
    return walk.found;
  }

  /// A walk for the records of a range that another replica does not list.
  private final class Unlisted extends RangeWalk {
    private final NavigableSet<byte[]> listed;
    private final Strips strips;
    final List<Obsolete> found = new ArrayList<>();

    Unlisted(ColumnFamily family, byte[] from, NavigableSet<byte[]> listed, Strips strips) {
      super(family, from);
      this.listed = listed;
      this.strips = strips;
    }

    @Override
    void take(byte[] key, byte[] value) {
      int keyspace = RecordKey.keyspace(key);
      Siblings record;
      try {
        record = store.decoder().decode(key, value);
      } catch (UnreadableRecordException e) {
        // Nobody can say what it was: the hash trees mend it.
        return;
      }
      boolean ours = family == families.get(keyspace) && !listed.contains(key);
      if (ours && strips.mayHaveTaken(keyspace, record)) {
        found.add(new Obsolete(keyspace, key));
      }
    }
  }

  private void unlisted(Unlisted walk, byte[] end) throws IOException {
    try (LsmIterator all = lsm.iterator(walk.family, IteratorOptions.all())) {
      all.seek(walk.at);
      for (; all.valid() && Arrays.compareUnsigned(all.key(), end) < 0; all.next()) {
        byte[] key = all.key().clone();
        walk.take(key, all.value());
        walk.at = behind(key);
      }
    }
  }

  /// A record that is here and was replaced or deleted elsewhere.
  record Obsolete(int keyspace, byte[] storageKey) {}

  /// Where a walk is: everything below is on the page or not there. A record that cannot be decoded
  /// is not below, as another replica's page must bring it.
  private static final class Walk {
    byte[] at;

    Walk(byte[] at) {
      this.at = at;
    }
  }

  private byte[] slots(ColumnFamily family, Walk walk) throws IOException {
    byte[] first = first();
    byte[] end = end();
    try (LsmIterator all = lsm.iterator(family, IteratorOptions.all().maxSequence(sequence))) {
      all.seek(Arrays.compareUnsigned(walk.at, first) < 0 ? first : walk.at);
      for (; all.valid() && Arrays.compareUnsigned(all.key(), end) < 0; all.next()) {
        if (full()) {
          return all.key().clone();
        }
        dots++;
        walk.at = all.key().clone();
        if (family == families.get(RecordKey.keyspace(all.key()))) {
          add(walk.at, all.value().clone());
        }
        walk.at = behind(walk.at);
      }
      return RepairPage.DONE;
    }
  }
}
