package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.store.RowKeys;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A version whose time has passed, as the index of expiries tells it: it may have been replaced
/// since.
///
/// Row in `expiries`, no value: siblings of one key may go in the same millisecond.
///
/// ```
///   | set u16 | first slot u16 | wall milliseconds u64 | record key without its set |
///   | replica u32 | counter u64 |
/// ```
///
/// @param row its key in the index
/// @param recordKey of its record
/// @param replica of its dot
/// @param counter of its dot
public record Expired(byte[] row, byte[] recordKey, int replica, long counter) {
  private static final int SET_BYTES = 2;
  private static final int DOT_BYTES = 12;

  /// Partitions that one page looks at in vain: each costs a seek.
  private static final int MAX_SEEKS = 256;

  /// Some of them.
  ///
  /// @param next where the walk goes on, empty at its end
  public record Page(List<Expired> expired, byte[] next) {}

  /// What a row says; null if it is none of a record of the partition that it begins with.
  static @Nullable Expired of(Store store, byte[] row) {
    try {
      Expired expired = decode(row);
      int first = new ByteReader(row, SET_BYTES, Short.BYTES).readUnsignedShort();
      int set = RecordKey.set(expired.recordKey);
      Partition partition = store.partitionOfGroup(set, store.records().partitionOf(first));
      boolean ofIt = partition != null && partition.records().isKey(expired.recordKey);
      return ofIt ? expired : null;
    } catch (DecodeException e) {
      return null;
    }
  }

  /// What a row says, whatever partition it is of.
  ///
  /// @throws DecodeException if it is none
  static Expired decode(byte[] row) {
    ByteReader in = new ByteReader(row);
    ByteWriter recordKey = new ByteWriter(row.length).writeBytes(in.readBytes(SET_BYTES));
    in.skip(RowKeys.PARTITION_BYTES - SET_BYTES);
    long millis = in.readLong();
    byte[] key = recordKey.writeBytes(in.readBytes(in.remaining() - DOT_BYTES)).toByteArray();
    Rows.Dot dot = Rows.Dot.read(in);
    if (millis <= 0 || !RecordKey.isOne(key)) {
      throw new DecodeException("a row of no version that expires");
    }
    return new Expired(row, key, dot.replica(), dot.counter());
  }

  static byte[] row(Partition partition, long millis, byte[] recordKey, int replica, long counter) {
    ByteWriter out = Rows.begin(partition, Long.BYTES + recordKey.length + DOT_BYTES);
    RecordKey.writeWithoutSet(recordKey, out.writeLong(millis));
    return out.writeInt(replica).writeLong(counter).toByteArray();
  }

  long millis() {
    return RowKeys.rest(row).readLong();
  }

  /// Of its key.
  public int slot() {
    return RecordKey.slot(recordKey);
  }

  /// Whose key it is.
  public int keyspace() {
    return RecordKey.keyspace(recordKey);
  }

  public byte[] key() {
    return RecordKey.userKey(recordKey);
  }

  /// Those from a place on whose time was not after another, partition by partition; on a worker.
  ///
  /// @param from a page's `next`, empty to begin
  static Page read(Store store, byte[] from, long untilMillis, int limit) throws IOException {
    List<Expired> found = new ArrayList<>();
    int seeks = 0;
    try (LsmIterator rows = store.lsm().iterator(store.expiries(), IteratorOptions.all())) {
      rows.seek(from);
      while (rows.valid()) {
        byte[] row = rows.key().clone();
        if (found.size() >= limit || seeks >= MAX_SEEKS) {
          return new Page(found, row);
        }
        Expired each = Expired.of(store, row);
        if (each == null) {
          // No row of this index: nothing is known to expire by it.
          rows.next();
        } else if (each.millis() <= untilMillis) {
          found.add(each);
          rows.next();
        } else {
          int set = RecordKey.set(each.recordKey());
          int partition = store.records().partitionOf(each.slot());
          rows.seek(RecordKey.first(set, store.records().firstSlot(partition + 1)));
          seeks++;
        }
      }
    }
    return new Page(found, new byte[0]);
  }
}
