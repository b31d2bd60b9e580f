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
  private static final int ROW_BYTES = 16;

  static Grave of(byte[] dot, byte[] storageKey) {
    ByteReader in = Rows.rest(dot);
    return new Grave(in.readInt(), in.readLong(), storageKey);
  }

  /// The first ones of a partition; on a worker.
  static List<Grave> read(Store store, Partition partition, int limit) throws IOException {
    List<Grave> found = new ArrayList<>();
    byte[] from = RecordKey.first(partition.set, partition.firstSlot);
    byte[] to = RecordKey.first(partition.set, store.firstSlot(partition.number + 1));
    try (LsmIterator rows = store.lsm().iterator(store.graves(), IteratorOptions.all())) {
      for (rows.seek(from); rows.valid() && found.size() < limit; rows.next()) {
        if (java.util.Arrays.compareUnsigned(rows.key(), to) >= 0) {
          break;
        }
        byte[] storageKey = rows.value().clone();
        if (rows.key().length == ROW_BYTES && store.isKeyOf(partition, storageKey)) {
          found.add(Grave.of(rows.key().clone(), storageKey));
        }
      }
    }
    return found;
  }
}
