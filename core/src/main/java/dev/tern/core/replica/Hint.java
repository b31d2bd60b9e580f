package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// A write that this node holds for a replica that was away.
///
/// @param number in the order they came, for its target
/// @param recordKey of its record at the target
/// @param heldSinceMillis when it came, by the cluster's time: for people
/// @param bytes that it is stored in
public record Hint(
    long number, byte[] recordKey, Siblings record, long heldSinceMillis, int bytes) {
  /// Appends the row of one: `u64 time milliseconds, blob record key, record`.
  static void encode(byte[] recordKey, long millis, Siblings record, ByteWriter out) {
    record.encode(out.writeLong(millis).writeBlob(recordKey));
  }

  /// @throws DecodeException if the row is none
  static Hint decode(long number, byte[] row) {
    ByteReader in = new ByteReader(row);
    long since = in.readLong();
    byte[] recordKey = RecordKey.decode(in);
    Siblings record = Siblings.decode(in);
    in.expectEnd();
    return new Hint(number, recordKey, record, since, row.length);
  }

  /// Of the key, as whoever wrote it said.
  public int slot() {
    return RecordKey.slot(recordKey);
  }

  public int keyspace() {
    return RecordKey.keyspace(recordKey);
  }

  /// The user key.
  public byte[] key() {
    return RecordKey.userKey(recordKey);
  }
}
