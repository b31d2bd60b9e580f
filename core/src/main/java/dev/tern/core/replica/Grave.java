package dev.tern.core.replica;

import dev.tern.env.ByteReader;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// A delete that is not stripped yet.
///
/// @param replica of its dot
/// @param counter of its dot
/// @param storageKey of its record
public record Grave(int replica, long counter, byte[] storageKey) {
  static Grave of(byte[] dot, byte[] storageKey) {
    ByteReader in = new ByteReader(dot, 4, 12);
    return new Grave(in.readInt(), in.readLong(), storageKey);
  }

  /// The first ones of a partition; on a worker.
  static List<Grave> read(Store store, Partition partition, int limit) throws IOException {
    List<Grave> found = new ArrayList<>();
    byte[] from = StorageKey.dot(partition.group, partition.number, 0, 0);
    byte[] to = StorageKey.dot(partition.group, partition.number + 1, 0, 0);
    try (LsmIterator rows = store.lsm().iterator(store.graves(), IteratorOptions.all())) {
      for (rows.seek(from); rows.valid() && found.size() < limit; rows.next()) {
        if (java.util.Arrays.compareUnsigned(rows.key(), to) >= 0) {
          break;
        }
        byte[] storageKey = rows.value().clone();
        boolean names = StoredRecords.isKey(store, storageKey);
        if (names && store.partitionOf(StorageKey.slot(storageKey)) == partition.number) {
          found.add(Grave.of(rows.key().clone(), storageKey));
        }
      }
    }
    return found;
  }
}
