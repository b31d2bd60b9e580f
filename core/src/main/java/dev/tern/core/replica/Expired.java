package dev.tern.core.replica;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// A version whose time has passed, as the index of expiries tells it: it may have been replaced
/// since.
///
/// Row in `expiries`: key `[u64 wall milliseconds][storage key][u32 replica id][u64 counter]`, no
/// value: siblings of one key may go in the same millisecond.
///
/// @param row its key in the index
/// @param replica of its dot
/// @param counter of its dot
public record Expired(byte[] row, int replica, long counter) {
  private static final int TIME_BYTES = 8;
  private static final int DOT_BYTES = 12;
  private static final int LEAST_BYTES = TIME_BYTES + StorageKey.PREFIX_BYTES + DOT_BYTES;

  static Expired of(byte[] row) {
    ByteReader in = new ByteReader(row, row.length - DOT_BYTES, DOT_BYTES);
    return new Expired(row, in.readInt(), in.readLong());
  }

  static byte[] row(long millis, byte[] storageKey, int replica, long counter) {
    ByteWriter out = new ByteWriter(TIME_BYTES + storageKey.length + DOT_BYTES).writeLong(millis);
    return out.writeBytes(storageKey).writeInt(replica).writeLong(counter).toByteArray();
  }

  long millis() {
    return new ByteReader(row).readLong();
  }

  byte[] storageKey() {
    return Arrays.copyOfRange(row, TIME_BYTES, row.length - DOT_BYTES);
  }

  /// Whose key it is.
  public int keyspace() {
    return StorageKey.keyspace(storageKey());
  }

  public byte[] key() {
    return StorageKey.userKey(storageKey());
  }

  /// Those after a row whose time was before another; on a worker.
  static List<Expired> read(Store store, byte[] after, long untilMillis, int limit)
      throws IOException {
    List<Expired> found = new ArrayList<>();
    try (LsmIterator rows = store.lsm().iterator(store.expiries(), IteratorOptions.all())) {
      rows.seek(after);
      if (rows.valid() && Arrays.equals(rows.key(), after)) {
        rows.next();
      }
      for (; rows.valid() && found.size() < limit; rows.next()) {
        byte[] row = rows.key().clone();
        Expired each = row.length < LEAST_BYTES ? null : Expired.of(row);
        if (each == null || !StoredRecords.isKey(store, each.storageKey())) {
          // No row of this index: nothing is known to expire by it.
          continue;
        }
        if (each.millis() > untilMillis) {
          break;
        }
        found.add(each);
      }
    }
    return found;
  }
}
