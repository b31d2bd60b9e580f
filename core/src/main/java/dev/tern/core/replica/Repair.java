package dev.tern.core.replica;

import dev.tern.core.replica.RepairPage.RepairRecord;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Gathers what another replica lacks, a page at a time; runs on a worker.
///
/// What it reads is the state at one sequence on disk, and the clock that goes with it is the one
/// of that sequence or an older one.
final class Repair {
  /// Bytes of records on a page, about.
  static final int MAX_BYTES = 256 << 10;

  /// Dots looked up for a page.
  static final int MAX_DOTS = 4_096;

  private final Lsm lsm;
  private final Store store;
  private final int group;
  private final int partition;
  private final DotSet clock;
  private final long sequence;
  private final SortedMap<Integer, ColumnFamily> families;
  private final List<RepairRecord> records = new ArrayList<>();
  private final DotSet covered = new DotSet();
  private final TreeSet<byte[]> taken = new TreeSet<>(Arrays::compareUnsigned);
  private int bytes;
  private int dots;

  /// @param families where the records of the group's keyspaces lie, by keyspace id
  Repair(
      Store store,
      Partition partition,
      DotSet clock,
      long sequence,
      SortedMap<Integer, ColumnFamily> families) {
    this.store = store;
    this.lsm = store.lsm();
    this.group = partition.group;
    this.partition = partition.number;
    this.clock = clock;
    this.sequence = sequence;
    this.families = families;
  }

  private boolean full() {
    return bytes >= MAX_BYTES || dots >= MAX_DOTS;
  }

  /// The records of dots.
  ///
  /// @param wanted dots that are in the clock, and in the log of dots where they have a record
  RepairPage ofDots(DotSet wanted) throws IOException {
    try (LsmIterator log =
        lsm.iterator(store.dots(), IteratorOptions.all().maxSequence(sequence))) {
      List<long[]> runs = new ArrayList<>();
      wanted.forEach((replica, from, to) -> runs.add(new long[] {replica, from, to}));
      for (long[] run : runs) {
        if (full()) {
          break;
        }
        run(log, (int) run[0], run[1], run[2]);
      }
    }
    return new RepairPage(clock, covered, RepairPage.DONE, /* rebuild= */ false, records);
  }

  private void run(LsmIterator log, int replica, long from, long to) throws IOException {
    byte[] end = StorageKey.dot(group, partition, replica, to);
    log.seek(StorageKey.dot(group, partition, replica, from));
    for (; log.valid() && Arrays.compareUnsigned(log.key(), end) <= 0; log.next()) {
      long counter = new ByteReader(log.key(), 8, 8).readLong();
      if (full()) {
        covered.addRun(replica, from, counter - 1);
        return;
      }
      dots++;
      take(log.value());
    }
    covered.addRun(replica, from, to);
  }

  private void take(byte[] storageKey) throws IOException {
    int keyspace = StorageKey.keyspace(storageKey);
    ColumnFamily family = families.get(keyspace);
    if (family == null || !taken.add(storageKey)) {
      return;
    }
    byte[] record = lsm.get(family, storageKey, sequence);
    if (record != null) {
      add(storageKey, record);
    }
  }

  private void add(byte[] storageKey, byte[] record) {
    bytes += storageKey.length + record.length;
    byte[] key = StorageKey.userKey(storageKey);
    int keyspace = StorageKey.keyspace(storageKey);
    records.add(new RepairRecord(keyspace, key, Siblings.decode(new ByteReader(record))));
  }

  /// All records of some slots, in order of the families and keys, from a cursor on: u8 family,
  /// storage key.
  ///
  /// @param cursor as a page before said, empty to begin
  RepairPage ofSlots(byte[] cursor, int firstSlot, int endSlot) throws IOException {
    List<ColumnFamily> all = store.dataFamilies();
    int at = cursor.length == 0 ? 0 : cursor[0];
    byte[] from = cursor.length == 0 ? null : Arrays.copyOfRange(cursor, 1, cursor.length);
    for (; at < all.size(); at++) {
      byte[] next = slots(all.get(at), from, firstSlot, endSlot);
      if (next.length > 0) {
        byte[] marked = new ByteWriter().writeByte(at).writeBytes(next).toByteArray();
        return new RepairPage(clock, covered, marked, /* rebuild= */ false, records);
      }
      from = null;
    }
    return new RepairPage(clock, covered, RepairPage.DONE, /* rebuild= */ false, records);
  }

  private byte[] slots(ColumnFamily family, byte @Nullable [] from, int firstSlot, int endSlot)
      throws IOException {
    try (LsmIterator all = lsm.iterator(family, IteratorOptions.all().maxSequence(sequence))) {
      all.seek(from == null ? StorageKey.first(firstSlot, 0) : from);
      for (; all.valid() && StorageKey.slot(all.key()) < endSlot; all.next()) {
        if (full()) {
          return all.key().clone();
        }
        dots++;
        if (family == families.get(StorageKey.keyspace(all.key()))) {
          add(all.key().clone(), all.value().clone());
        }
      }
      return RepairPage.DONE;
    }
  }
}
