package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import org.jspecify.annotations.Nullable;

/// One version of one key: what a replica stores and what travels between replicas.
///
/// The order of versions in a last-write-wins keyspace is (stamp, replica id). The *carstamp* is
/// (stamp, replica id, updates), kept so that quorum and linearizable updates may share a key
/// later.
///
/// Encoded (format 1); a record holds a list of siblings and a causal context, here always one
/// sibling and an empty context:
///
/// ```
///   u8  format = 1
///   varint siblings = 1
///   per sibling:
///     u8  flags: 1 deleted, 2 has an expiry
///     u32 replica id    varint counter    u64 stamp    varint updates
///     varint expiry milliseconds          if flag 2
///     blob value                          unless flag 1
///   varint context entries = 0
/// ```
///
/// @param replica id of the replica that minted it; never 0
/// @param counter the replica's count, from 1; (replica, counter) is the dot
/// @param stamp hybrid logical clock: milliseconds << 16 | logical
/// @param updates read-modify-writes since the last blind put
/// @param expiryMillis wall-clock milliseconds from which every replica hides it, 0 for never
/// @param value the bytes, null for a delete; shared, do not change
public record Version(
    int replica,
    long counter,
    long stamp,
    int updates,
    long expiryMillis,
    byte @Nullable [] value) {
  private static final int FORMAT = 1;
  private static final int DELETED = 1;
  private static final int EXPIRES = 2;

  /// Whether this wins over `other`; everything wins over nothing.
  public boolean newerThan(@Nullable Version other) {
    return other == null || compare(stamp, replica, other.stamp, other.replica) > 0;
  }

  /// Whether both are the same write.
  public boolean sameAs(@Nullable Version other) {
    return other != null && stamp == other.stamp && replica == other.replica;
  }

  /// The order of last-write-wins: stamps, then replica ids.
  public static int compare(long stampA, int replicaA, long stampB, int replicaB) {
    int byStamp = Long.compareUnsigned(stampA, stampB);
    return byStamp != 0 ? byStamp : Integer.compareUnsigned(replicaA, replicaB);
  }

  /// Whether a reader at that moment sees a value.
  public boolean liveAt(long wallMillis) {
    return value != null && (expiryMillis == 0 || wallMillis < expiryMillis);
  }

  public void encode(ByteWriter out) {
    int flags = (value == null ? DELETED : 0) | (expiryMillis != 0 ? EXPIRES : 0);
    out.writeByte(FORMAT).writeByte(1).writeByte(flags);
    out.writeInt(replica).writeVarLong(counter).writeLong(stamp).writeVarInt(updates);
    if (expiryMillis != 0) {
      out.writeVarLong(expiryMillis);
    }
    if (value != null) {
      out.writeBlob(value);
    }
    out.writeByte(0);
  }

  /// The bytes that [#encode] writes.
  public byte[] encoded() {
    ByteWriter out = new ByteWriter(40 + (value == null ? 0 : value.length));
    encode(out);
    return out.toByteArray();
  }

  /// @throws DecodeException if the bytes are no version of a format known here
  public static Version decode(ByteReader in) {
    int format = in.readUnsignedByte();
    int siblings = in.readVarInt();
    if (format != FORMAT || siblings != 1) {
      throw new DecodeException("a record of format " + format + " with " + siblings + " siblings");
    }
    int flags = in.readUnsignedByte();
    int replica = in.readInt();
    long counter = in.readVarLong();
    long stamp = in.readLong();
    int updates = in.readVarInt();
    long expiry = (flags & EXPIRES) != 0 ? in.readVarLong() : 0;
    byte[] value = (flags & DELETED) != 0 ? null : in.readBlob();
    if (in.readVarInt() != 0 || (flags & ~(DELETED | EXPIRES)) != 0) {
      throw new DecodeException("a record with a context or unknown flags " + flags);
    }
    return new Version(replica, counter, stamp, updates, expiry, value);
  }

  public static @Nullable Version decode(byte @Nullable [] bytes) {
    return bytes == null ? null : decode(new ByteReader(bytes));
  }
}
