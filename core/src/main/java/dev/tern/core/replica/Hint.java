package dev.tern.core.replica;

import dev.tern.core.version.Siblings;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// A write that this node holds for a replica that was away.
///
/// @param number in the order they came, for its target
/// @param heldSinceMillis when it came, by the cluster's time: for people
/// @param bytes that it is stored in
public record Hint(
    long number, int keyspace, byte[] key, Siblings record, long heldSinceMillis, int bytes) {
  /// Appends the row of one: `u32 keyspace, u64 time milliseconds, blob key, record`.
  static void encode(int keyspace, long millis, byte[] key, Siblings record, ByteWriter out) {
    record.encode(out.writeInt(keyspace).writeLong(millis).writeBlob(key));
  }

  /// @throws DecodeException if the row is none
  static Hint decode(long number, byte[] row) {
    ByteReader in = new ByteReader(row);
    int keyspace = in.readInt();
    long since = in.readLong();
    byte[] key = in.readBlob();
    Siblings record = Siblings.decode(in);
    in.expectEnd();
    return new Hint(number, keyspace, key, record, since, row.length);
  }
}
