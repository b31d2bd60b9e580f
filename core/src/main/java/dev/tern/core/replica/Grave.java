package dev.tern.core.replica;

import dev.tern.env.DecodeException;
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
  /// What a row says.
  ///
  /// @throws DecodeException if its key is none of a dot
  static Grave of(byte[] row, byte[] storageKey) {
    Rows.Dot dot = Rows.Dot.decode(row);
    return new Grave(dot.replica(), dot.counter(), storageKey);
  }

  /// The first ones of a partition; on a worker.
  static List<Grave> read(Store store, Partition partition, int limit) throws IOException {
    List<Grave> found = new ArrayList<>();
    byte[] from = partition.records().first();
    byte[] to = partition.records().end();
    try (LsmIterator rows = store.lsm().iterator(store.graves(), IteratorOptions.all())) {
      for (rows.seek(from); rows.valid() && found.size() < limit; rows.next()) {
        if (java.util.Arrays.compareUnsigned(rows.key(), to) >= 0) {
          break;
        }
        byte[] storageKey = rows.value().clone();
        try {
          Grave grave = Grave.of(rows.key(), storageKey);
          if (partition.records().isKey(storageKey)) {
            found.add(grave);
          }
        } catch (DecodeException e) {
          // No row of a delete: nothing is stripped by its word.
        }
      }
    }
    return found;
  }
}
