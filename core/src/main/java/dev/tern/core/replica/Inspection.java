package dev.tern.core.replica;

import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;

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
    byte[] from = StorageKey.first(store.firstSlot(partition.number), 0);
    byte[] to = StorageKey.first(store.firstSlot(partition.number + 1), 0);
    var families = store.families(partition);
    StringBuilder text = new StringBuilder();
    for (ColumnFamily family : store.dataFamilies()) {
      try (LsmIterator all = lsm.iterator(family, IteratorOptions.all())) {
        for (all.seek(from); all.valid(); all.next()) {
          if (java.util.Arrays.compareUnsigned(all.key(), to) >= 0) {
            break;
          }
          int keyspace = StorageKey.keyspace(all.key());
          if (families.get(keyspace) == family) {
            Siblings record = Siblings.decode(new ByteReader(all.value()));
            String key = java.util.HexFormat.of().formatHex(StorageKey.userKey(all.key()));
            Siblings told = deletes ? record : record.withoutDeletes();
            if (told != null) {
              text.append("%d/%s: %s%n".formatted(keyspace, key, told.dots()));
            }
          }
        }
      }
    }
    return text.toString();
  }

  /// Bytes of a partition's records that are neither key nor value. Blocks; for tests and figures.
  ///
  /// @throws IOException if the records cannot be read
  public long metadataBytes(Partition partition) throws IOException {
    byte[] from = StorageKey.first(store.firstSlot(partition.number), 0);
    byte[] to = StorageKey.first(store.firstSlot(partition.number + 1), 0);
    long total = 0;
    for (ColumnFamily family : store.dataFamilies()) {
      try (LsmIterator all = lsm.iterator(family, IteratorOptions.all())) {
        for (all.seek(from); all.valid(); all.next()) {
          if (java.util.Arrays.compareUnsigned(all.key(), to) >= 0) {
            break;
          }
          Siblings record = Siblings.decode(new ByteReader(all.value()));
          total += all.value().length;
          for (int i = 0; i < record.count(); i++) {
            byte[] value = record.get(i).value();
            total -= value == null ? 0 : value.length;
          }
        }
      }
    }
    return total;
  }
}
