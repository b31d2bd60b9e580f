package dev.tern.core.replica;

import dev.tern.core.store.PartitionRecords;
import dev.tern.core.version.Stamp;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The bytes of the rows that a [Journal] writes, format 3.
///
/// ```
///   round row:  u8 30   varint round   u64 time of the commit of the group that wrote it
///   entry:      u8 31   varint round   u64 time of the commit   change ...      to the end
///   change:     u8 1    u16 set    u16 partition
///               u32 replica id     varint counter    varint further dots in a row
///           or: u8 2    u16 set    u16 partition     u32 keyspace
///               then what these changed by:   keys   expiring keys   bytes
///   dot's row:  u8 kind   1: the record key of the record that the dot belongs to
/// ```
///
/// What figures change by is a varint in zigzag form: 0, -1, 1, -2 are 0, 1, 2, 3. Times are hybrid
/// time, see [dev.tern.core.version.HybridClock].
final class JournalRows {
  private static final int FORMAT = 3;
  private static final int ROUND = FORMAT << 4;
  private static final int ENTRY = FORMAT << 4 | 1;

  /// Of a change.
  private static final int DOTS = 1;

  private static final int COUNTS = 2;

  /// A dot's row names a record. Other kinds are to come: what else a dot may have written.
  private static final int RECORD = 1;

  private JournalRows() {}

  /// What a round row or an entry begins with.
  ///
  /// @param time of the commit, hybrid time
  record Head(long round, long time) {}

  /// Told of each change of an entry, in order.
  interface Changes {
    /// Dots came to a clock.
    ///
    /// @param counter of the first dot
    /// @param further dots in a row after it
    void dots(int set, int partition, int replica, long counter, long further);

    /// What a partition holds of a keyspace came to be more or less.
    ///
    /// @param keys -1 to 1
    /// @param expiring -1 to 1
    void counts(int set, int partition, int keyspace, int keys, int expiring, long bytes);
  }

  static void round(Head head, ByteWriter out) {
    head(ROUND, head.round(), head.time(), out);
  }

  private static ByteWriter head(int lead, long round, long time, ByteWriter out) {
    return out.writeByte(lead).writeVarLong(round).writeLong(time);
  }

  /// Appends an entry with changes that were appended to a writer of their own.
  static void entry(long round, long time, ByteWriter changes, ByteWriter out) {
    head(ENTRY, round, time, out).writeBytes(changes.array(), 0, changes.length());
  }

  static void dots(
      int set, int partition, int replica, long counter, long further, ByteWriter out) {
    out.writeByte(DOTS).writeShort(set).writeShort(partition).writeInt(replica);
    out.writeVarLong(counter).writeVarLong(further);
  }

  static void counts(
      int set, int partition, int keyspace, int keys, int expiring, long bytes, ByteWriter out) {
    out.writeByte(COUNTS).writeShort(set).writeShort(partition).writeInt(keyspace);
    zigzag(keys, out);
    zigzag(expiring, out);
    zigzag(bytes, out);
  }

  private static void zigzag(long number, ByteWriter out) {
    out.writeVarLong(number << 1 ^ number >> Long.SIZE - 1);
  }

  private static long zigzag(ByteReader in) {
    long bits = in.readVarLong();
    return bits >>> 1 ^ -(bits & 1);
  }

  private static int one(ByteReader in) {
    long number = zigzag(in);
    if (number < -1 || number > 1) {
      throw new DecodeException("a write that makes " + number + " keys");
    }
    return (int) number;
  }

  /// @throws DecodeException if the bytes are no round row
  static Head round(byte[] row) {
    ByteReader in = new ByteReader(row);
    Head head = head(ROUND, in);
    in.expectEnd();
    return head;
  }

  /// Reads what stands before the changes.
  ///
  /// @throws DecodeException if the bytes are no entry
  static Head entry(ByteReader in) {
    return head(ENTRY, in);
  }

  private static Head head(int lead, ByteReader in) {
    int found = in.readUnsignedByte();
    if (found != lead) {
      throw new DecodeException(
          "a row of the journal that begins with %02x, not %02x".formatted(found, lead));
    }
    long round = in.readPositiveVarLong();
    long time = in.readLong();
    if (time < 0 || time >= Stamp.MAX_TIME) {
      throw new DecodeException("a commit at %016x".formatted(time));
    }
    return new Head(round, time);
  }

  /// Reads the changes of an entry, behind its head.
  ///
  /// @throws DecodeException if the bytes are none
  static void changes(ByteReader in, Changes told) {
    while (in.remaining() > 0) {
      int kind = in.readUnsignedByte();
      int set = in.readUnsignedShort();
      int partition = in.readUnsignedShort();
      if (kind == DOTS) {
        int replica = in.readInt();
        long counter = in.readPositiveVarLong();
        long further = in.readPositiveVarLong();
        boolean beyond = counter >= Stamp.MAX_TIME || further >= Stamp.MAX_TIME;
        if (replica == 0 || counter == 0 || beyond) {
          throw new DecodeException("dots that no replica gives out");
        }
        told.dots(set, partition, replica, counter, further);
      } else if (kind == COUNTS) {
        int keyspace = in.readInt();
        PartitionRecords.checkKeyspace(keyspace);
        told.counts(set, partition, keyspace, one(in), one(in), zigzag(in));
      } else {
        throw new DecodeException("a change of kind " + kind);
      }
    }
  }

  /// The row of a dot in the log of dots.
  static byte[] dot(byte[] recordKey) {
    byte[] row = new byte[1 + recordKey.length];
    row[0] = RECORD;
    System.arraycopy(recordKey, 0, row, 1, recordKey.length);
    return row;
  }

  /// The record key that a dot's row names; null if the row is of no kind known here.
  static byte @Nullable [] dotKey(byte[] row) {
    return row.length == 0 || row[0] != RECORD ? null : Arrays.copyOfRange(row, 1, row.length);
  }
}
