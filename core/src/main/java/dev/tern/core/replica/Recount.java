package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.store.PartitionRecords;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.Siblings;
import dev.tern.env.CoverageMarks;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Snapshot;
import dev.tern.lsm.WriteBatch;
import java.util.SortedMap;
import java.util.TreeMap;

/// Counts the records of a partition while a [SegmentReader] reads all of them, and corrects the
/// partition's figures by what they were off.
///
/// [WriteCounts] counts each write by the record that it replaces. Where a disk has lost or brought
/// back that record nothing tells the write what was counted. The walk over the hash trees reads
/// all records for ever, so it is what finds figures that are off.
///
/// Writes go on meanwhile. All is read at one snapshot, and compared with the figures of the moment
/// that the snapshot was taken. The difference of the two is what the figures are off by, then and
/// at the end: writes that came since have changed the figures by what they changed.
///
/// A correction is written with the rows of the partitions, and is as durable as the next write. If
/// a crash takes it, the next walk finds it again. What cannot be corrected, as a record cannot be
/// read or the store takes no writes, leaves the partition uncertain: it is counted again later.
///
/// Threads: [#begin], [#end] the shard's loop; [#record] the worker that reads.
final class Recount {
  private static final int KEYS = 0;
  private static final int EXPIRING = 1;
  private static final int BYTES = 2;

  private final Replica replica;
  private final Store store;
  private final Partition partition;
  private final Snapshot snapshot;

  /// See [PartitionRecords#resets].
  private final long resets;

  /// By keyspace: what was found so far, less what was kept when the snapshot was taken.
  private final TreeMap<Integer, long[]> off = new TreeMap<>();

  private Recount(Replica replica, Partition partition) {
    this.replica = replica;
    this.store = replica.store();
    this.partition = partition;
    this.resets = partition.records().recounts();
    this.snapshot = store.lsm().snapshot();
  }

  /// Begins: everything is read at [#snapshot] from now on, and [#end] must follow.
  ///
  /// @param families of the keyspaces that are read
  static Recount begin(
      Replica replica, Partition partition, SortedMap<Integer, ColumnFamily> families) {
    Recount recount = new Recount(replica, partition);
    PartitionRecords kept = partition.records();
    for (int keyspace : kept.keyspaces()) {
      if (families.containsKey(keyspace)) {
        recount.add(keyspace, -kept.keys(keyspace), KEYS);
        recount.add(keyspace, -kept.expiring(keyspace), EXPIRING);
        recount.add(keyspace, -kept.bytes(keyspace), BYTES);
      }
    }
    return recount;
  }

  Snapshot snapshot() {
    return snapshot;
  }

  private void add(int keyspace, long number, int figure) {
    off.computeIfAbsent(keyspace, first -> new long[BYTES + 1])[figure] += number;
  }

  /// A record of one of the keyspaces.
  void record(byte[] storageKey, Siblings record) {
    if (record.hasValue()) {
      int keyspace = RecordKey.keyspace(storageKey);
      add(keyspace, 1, KEYS);
      add(keyspace, record.expires() ? 1 : 0, EXPIRING);
      add(keyspace, RecordKey.userKeyBytes(storageKey) + record.valueBytes(), BYTES);
    }
  }

  /// Lets the snapshot go, and corrects the figures.
  ///
  /// @param whole whether all records were read
  void end(boolean whole) {
    snapshot.close();
    if (replica.planted() == PlantedBug.COUNTS_NOT_CORRECTED) {
      return;
    }
    if (partition.records().resets() != resets) {
      // Another replica's records were counted. This one's figures began at nothing.
      return;
    }
    if (!whole || store.lsm().pressure().refused()) {
      partition.records().doubt();
      return;
    }
    off.keySet().removeIf(partition.records()::hasForgotten);
    boolean right = off.values().stream().allMatch(Recount::isNothing);
    if (!right) {
      assert CoverageMarks.reach(CoreMark.COUNTS_CORRECTED);
      store.journal().endGroup(replica.physicalMillis());
      off.forEach(
          (keyspace, by) -> store.counted(partition, keyspace, by[KEYS], by[EXPIRING], by[BYTES]));
      store.journal().change(partition);
      WriteBatch batch = new WriteBatch();
      store.journal().writeRows(batch, replica.physicalMillis());
      store.lsm().append(batch);
    }
  }

  private static boolean isNothing(long[] by) {
    return by[KEYS] == 0 && by[EXPIRING] == 0 && by[BYTES] == 0;
  }
}
