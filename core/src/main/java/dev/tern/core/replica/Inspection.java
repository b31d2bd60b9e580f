package dev.tern.core.replica;

import dev.tern.core.keyspace.CountOutcome.Count;
import dev.tern.core.store.PartitionRecords;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.RecordHash;
import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Looks at all records of a partition, for tests and figures. Blocks.
public final class Inspection {
  private final Store store;
  private final Lsm lsm;

  /// Of an open store.
  public Inspection(Store store) {
    this.store = store;
    this.lsm = store.lsm();
  }

  /// The records of a partition, pending ones included, as text: alike if the replicas are. Blocks;
  /// for tests with few records.
  ///
  /// @param deletes whether to tell of deletes: each replica strips them in its own time
  /// @throws IOException if the records cannot be read
  public String contents(Partition partition, boolean deletes) throws IOException {
    StringBuilder text = new StringBuilder();
    forEach(
        partition,
        (storageKey, bytes, record) -> {
          Siblings told = deletes ? record : record.withoutDeletes();
          if (told != null) {
            int keyspace = RecordKey.keyspace(storageKey);
            String key = HexFormat.of().formatHex(RecordKey.userKey(storageKey));
            text.append("%d/%s: %s%n".formatted(keyspace, key, told.dots()));
          }
        });
    return text.toString();
  }

  /// The dots of what is stored of one key but deletes; empty where there is nothing else. Blocks;
  /// for tests.
  ///
  /// @throws IOException if it cannot be read
  public DotSet record(int keyspace, int slot, byte[] key) throws IOException {
    byte[] storageKey = store.records().recordKey(keyspace, slot, key);
    byte[] bytes = lsm.get(store.records().data(keyspace), storageKey);
    Siblings record = store.decoder().decodeOrNull(storageKey, bytes);
    Siblings told = record == null ? null : record.withoutDeletes();
    return told == null ? new DotSet() : told.dots();
  }

  /// Bytes of a partition's records that are neither key nor value. Blocks; for tests and figures.
  ///
  /// @throws IOException if the records cannot be read
  public long metadataBytes(Partition partition) throws IOException {
    long[] total = {0};
    forEach(partition, (storageKey, bytes, record) -> total[0] += bytes - record.valueBytes());
    return total[0];
  }

  /// A segment of a partition's hash tree whose hash is known and is not that of its records; -1
  /// for none. Blocks; for tests.
  ///
  /// @throws IOException if the records cannot be read
  public int wrongSegment(Partition partition) throws IOException {
    long[] hashes = new long[store.segments()];
    RecordHash hasher = new RecordHash();
    forEach(
        partition,
        (storageKey, bytes, record) ->
            hashes[store.segment(storageKey)] ^= hasher.withoutDeletes(storageKey, record));
    for (int i = 0; i < hashes.length; i++) {
      if (partition.tree().isKnown(i) && partition.tree().hash(i) != hashes[i]) {
        return i;
      }
    }
    return -1;
  }

  /// The figures that a partition keeps of a keyspace and that are not those of its records, in
  /// words; null if all are right. Blocks; for tests.
  ///
  /// @throws IOException if the records cannot be read
  public @Nullable String wrongCount(Partition partition) throws IOException {
    TreeMap<Integer, Count> found = new TreeMap<>();
    PartitionRecords counted = partition.records();
    for (int keyspace : counted.keyspaces()) {
      found.put(keyspace, Count.NONE);
    }
    forEach(
        partition,
        (storageKey, bytes, record) -> {
          if (record.hasValue()) {
            int size = RecordKey.userKey(storageKey).length + record.valueBytes();
            Count one = new Count(1, record.expires() ? 1 : 0, size);
            found.merge(RecordKey.keyspace(storageKey), one, Count::plus);
          }
        });
    for (var each : found.entrySet()) {
      int keyspace = each.getKey();
      Count kept =
          new Count(counted.keys(keyspace), counted.expiring(keyspace), counted.bytes(keyspace));
      boolean told = kept.equals(store.records().count(keyspace, partition.number()));
      if (!kept.equals(each.getValue()) || !told) {
        return "keyspace %d: %s is kept, %s told, %s there"
            .formatted(
                keyspace,
                kept,
                store.records().count(keyspace, partition.number()),
                each.getValue());
      }
    }
    return null;
  }

  /// Takes a record and how many bytes it is stored in.
  private interface Visitor {
    void record(byte[] storageKey, int bytes, Siblings record);
  }

  /// Visits the records of the keyspaces of a partition's group.
  private void forEach(Partition partition, Visitor visitor) throws IOException {
    byte[] from = partition.records().first();
    byte[] to = partition.records().end();
    var families = store.records().families(partition.records());
    for (ColumnFamily family : store.records().dataFamilies()) {
      try (LsmIterator all = lsm.iterator(family, IteratorOptions.all())) {
        all.seek(from);
        for (; all.valid() && Arrays.compareUnsigned(all.key(), to) < 0; all.next()) {
          if (families.get(RecordKey.keyspace(all.key())) == family) {
            Siblings record = Siblings.decode(new ByteReader(all.value()));
            visitor.record(all.key(), all.value().length, record);
          }
        }
      }
    }
  }
}
