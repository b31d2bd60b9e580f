package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One version of one key; a record holds one or more ([Siblings]).
///
/// The order of versions in a last-write-wins keyspace is (stamp, replica id). The *carstamp* is
/// (stamp, replica id, updates), kept so that quorum and linearizable updates may share a key
/// later.
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
  /// Of a version's encoding, at least.
  static final int LEAST_BYTES = 1 + Integer.BYTES + 1 + Long.BYTES + 1;

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

  /// Whether this should stand where `other` does: it is newer, or the same write with greater
  /// bytes, which happens only where one of them was altered.
  public boolean hasLostTo(Version other) {
    return sameAs(other)
        ? Arrays.compareUnsigned(encoded(), other.encoded()) > 0
        : newerThan(other);
  }

  private byte[] encoded() {
    ByteWriter out = new ByteWriter();
    encode(out);
    return out.toByteArray();
  }

  /// Whether both have the same dot.
  boolean isDot(int otherReplica, long otherCounter) {
    return replica == otherReplica && counter == otherCounter;
  }

  /// Appends it as one sibling of a record, see [Siblings].
  void encode(ByteWriter out) {
    int flags = (value == null ? DELETED : 0) | (expiryMillis != 0 ? EXPIRES : 0);
    out.writeByte(flags).writeInt(replica).writeVarLong(counter).writeLong(stamp);
    out.writeVarInt(updates);
    if (expiryMillis != 0) {
      out.writeVarLong(expiryMillis);
    }
    if (value != null) {
      out.writeBlob(value);
    }
  }

  static Version decode(ByteReader in) {
    int flags = in.readUnsignedByte();
    int replica = in.readInt();
    long counter = in.readVarLong();
    long stamp = in.readLong();
    int updates = in.readVarInt();
    long expiry = (flags & EXPIRES) != 0 ? in.readVarLong() : 0;
    byte[] value = (flags & DELETED) != 0 ? null : in.readBlob();
    if ((flags & ~(DELETED | EXPIRES)) != 0) {
      throw new DecodeException("a version with unknown flags " + flags);
    }
    return new Version(replica, counter, stamp, updates, expiry, value);
  }
}
