package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// One version of one key; a record holds one or more ([Siblings]).
///
/// Its dot says which write it is, its stamp where it stands in the order of last-write-wins.
///
/// @param replica id of the replica that minted it; never 0
/// @param counter the replica's count, from 1; (replica, counter) is the dot
/// @param stamp orders versions of one key, see [Stamp]
/// @param expiryMillis wall-clock milliseconds from which every replica hides it, 0 for never
/// @param type how the value is to be read; [ValueType#NONE] of a delete, and only of one
/// @param value the bytes, null for a delete; shared, do not change
/// @param extension what a later version of Tern added to this write, null for nothing: kept and
///   passed on as it is, not understood here; shared, do not change
public record Version(
    int replica,
    long counter,
    Stamp stamp,
    long expiryMillis,
    ValueType type,
    byte @Nullable [] value,
    byte @Nullable [] extension) {
  /// Of an extension, bytes; more is refused.
  public static final int MAX_EXTENSION_BYTES = 1 << 10;

  /// Of a version's encoding, at least.
  static final int LEAST_BYTES = 1 + Integer.BYTES + 1 + Long.BYTES;

  private static final int DELETED = 1;
  private static final int EXPIRES = 2;
  private static final int EXTENDED = 0x80;
  private static final int KNOWN = DELETED | EXPIRES | Rank.INHERITED | Rank.EXPIRED | EXTENDED;

  public Version {
    assert (value == null) == (type == ValueType.NONE) : type + " of a value or of none";
  }

  /// Of this version of Tern, which adds no extension.
  public Version(
      int replica,
      long counter,
      Stamp stamp,
      long expiryMillis,
      ValueType type,
      byte @Nullable [] value) {
    this(replica, counter, stamp, expiryMillis, type, value, null);
  }

  /// A blind put of plain bytes, or a delete.
  ///
  /// @param time of its stamp
  public static Version put(
      int replica, long counter, long time, long expiryMillis, byte @Nullable [] value) {
    ValueType type = value == null ? ValueType.NONE : ValueType.BYTES;
    return new Version(replica, counter, Stamp.put(time, replica), expiryMillis, type, value);
  }

  /// Whether this wins over `other`; everything wins over nothing.
  public boolean newerThan(@Nullable Version other) {
    return other == null || compare(this, other) > 0;
  }

  /// Whether both are the same write.
  public boolean sameAs(@Nullable Version other) {
    return other != null && isDot(other.replica, other.counter);
  }

  /// The order of last-write-wins: stamps, then dots.
  public static int compare(Version a, Version b) {
    int order = a.stamp.compareTo(b.stamp);
    order = order != 0 ? order : Integer.compareUnsigned(a.replica, b.replica);
    return order != 0 ? order : Long.compareUnsigned(a.counter, b.counter);
  }

  /// Its stamp and its dot.
  public Rank rank() {
    return new Rank(stamp, replica, counter);
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
    Rank rank = rank();
    int flags = (value == null ? DELETED : 0) | (expiryMillis != 0 ? EXPIRES : 0);
    out.writeByte(flags | (extension == null ? 0 : EXTENDED) | rank.flags());
    if (value != null) {
      out.writeByte(type.number());
    }
    rank.encodeBody(out);
    if (expiryMillis != 0) {
      out.writeVarLong(expiryMillis);
    }
    if (value != null) {
      out.writeBlob(value);
    }
    if (extension != null) {
      out.writeBlob(extension);
    }
  }

  static Version decode(ByteReader in) {
    int flags = in.readUnsignedByte();
    if ((flags & ~KNOWN) != 0) {
      throw new DecodeException("a version with unknown flags " + flags);
    }
    boolean deleted = (flags & DELETED) != 0;
    ValueType type = deleted ? ValueType.NONE : ValueType.decode(in);
    Rank rank = Rank.decodeBody(in, flags);
    if (rank.isAbsent()) {
      throw new DecodeException("a version without a dot");
    }
    long expiry = (flags & EXPIRES) != 0 ? expiry(in) : 0;
    byte[] value = deleted ? null : in.readBlob();
    byte[] extension = (flags & EXTENDED) != 0 ? extension(in) : null;
    return new Version(
        rank.replica(), rank.counter(), rank.stamp(), expiry, type, value, extension);
  }

  private static long expiry(ByteReader in) {
    long millis = in.readPositiveVarLong();
    if (millis == 0) {
      throw new DecodeException("a version that expires never, and says when");
    }
    return millis;
  }

  private static byte[] extension(ByteReader in) {
    byte[] extension = in.readBlob();
    if (extension.length > MAX_EXTENSION_BYTES) {
      throw new DecodeException("an extension of " + extension.length + " bytes");
    }
    return extension;
  }
}
