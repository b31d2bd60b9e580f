package dev.tern.core.version;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import org.jspecify.annotations.Nullable;

/// All of a version but its value and expiry: its stamp, which orders it, and its dot, which
/// identifies it. Two versions are the same write if and only if their dots are equal; of two with
/// equal stamps the greater dot wins, so that all replicas keep the same one.
///
/// An *absent* rank stands for a key of which a replica holds nothing. It ranks below every version
/// and carries the floor of the key's partition: the greatest stamp of a delete that was stripped
/// there, which is the stamp of what an update of the key is computed from.
///
/// Encoded: `u8 flags (4 inherited, 8 expired), u32 replica id, varint counter, u64 time`, and with
/// flag 4 `u32 origin, varint term, varint count`; without it the origin is the replica, term and
/// count are 0.
///
/// @param stamp orders it
/// @param replica id that minted it, 0 if absent
/// @param counter of that replica, 0 if absent
public record Rank(Stamp stamp, int replica, long counter) implements Comparable<Rank> {
  static final int INHERITED = 4;
  static final int EXPIRED = 8;

  /// No replica counts so far: runs of counters in a [DotSet] do not overflow.
  static final long MAX_COUNTER = 1L << 62;

  /// Of a key that is absent in a partition that never stripped a delete.
  public static final Rank NONE = absent(Stamp.NONE);

  /// Of a key that is absent.
  ///
  /// @param floor of its partition
  public static Rank absent(Stamp floor) {
    return new Rank(floor, 0, 0);
  }

  /// Of the version of a record that wins; absent if there is none.
  ///
  /// @param floor of the key's partition
  public static Rank of(@Nullable Siblings record, Stamp floor) {
    return record == null || record.isEmpty() ? absent(floor) : record.newest().rank();
  }

  /// Whether a replica gives out such a dot.
  public static boolean isDot(int replica, long counter) {
    return replica != 0 && counter > 0 && counter < MAX_COUNTER;
  }

  /// Whether it stands for nothing.
  public boolean isAbsent() {
    return replica == 0;
  }

  /// Whether both are the same write, or both nothing.
  public boolean sameAs(Rank other) {
    return replica == other.replica && counter == other.counter;
  }

  /// Whether both are updates of one version that did not know of each other: two replicas led.
  public boolean forks(Rank other) {
    return !sameAs(other) && stamp.forks(other.stamp);
  }

  @Override
  public int compareTo(Rank other) {
    int order = Boolean.compare(other.isAbsent(), isAbsent());
    order = order != 0 ? order : stamp.compareTo(other.stamp);
    order = order != 0 ? order : Integer.compareUnsigned(replica, other.replica);
    return order != 0 ? order : Long.compareUnsigned(counter, other.counter);
  }

  int flags() {
    boolean inherited = stamp.origin() != replica || stamp.term() != 0 || stamp.count() != 0;
    return (inherited ? INHERITED : 0) | (stamp.expired() ? EXPIRED : 0);
  }

  /// Appends all but the flags.
  void encodeBody(ByteWriter out) {
    out.writeInt(replica).writeVarLong(counter).writeLong(stamp.time());
    if ((flags() & INHERITED) != 0) {
      out.writeInt(stamp.origin()).writeVarLong(stamp.term()).writeVarLong(stamp.count());
    }
  }

  static Rank decodeBody(ByteReader in, int flags) {
    int replica = in.readInt();
    long counter = in.readVarLong();
    long time = in.readLong();
    boolean inherited = (flags & INHERITED) != 0;
    int origin = inherited ? in.readInt() : replica;
    long term = inherited ? in.readVarLong() : 0;
    long count = inherited ? in.readVarLong() : 0;
    if (term < 0 || count < 0) {
      throw new DecodeException("a stamp of term " + term + " and count " + count);
    }
    if (inherited && origin == replica && term == 0 && count == 0) {
      throw new DecodeException("a stamp that says what it need not");
    }
    Stamp stamp = new Stamp(time, origin, term, count, (flags & EXPIRED) != 0);
    boolean dotted = replica == 0 ? counter == 0 : isDot(replica, counter);
    if (!dotted || !stamp.inRange()) {
      throw new DecodeException(
          "a version of dot %08x:%d and %s, which no replica mints"
              .formatted(replica, counter, stamp));
    }
    return new Rank(stamp, replica, counter);
  }

  /// Appends it to a message.
  public void encode(ByteWriter out) {
    out.writeByte(flags());
    encodeBody(out);
  }

  /// @throws DecodeException if the bytes are none
  public static Rank decode(ByteReader in) {
    int flags = in.readUnsignedByte();
    if ((flags & ~(INHERITED | EXPIRED)) != 0) {
      throw new DecodeException("a rank with unknown flags " + flags);
    }
    return decodeBody(in, flags);
  }
}
