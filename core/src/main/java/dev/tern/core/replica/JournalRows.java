package dev.tern.core.replica;

import dev.tern.core.version.Stamp;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The bytes of the rows that a [Journal] writes, format 2.
///
/// ```
///   round row:  u8 20   varint round   u64 time of the commit of the group that wrote it
///   entry:      u8 21   varint round   u64 time of the commit   change ...      to the end
///   change:     u16 set     u16 partition
///               u32 replica id   varint counter   varint further dots in a row
///               u32 keyspace     u8 change of the records with a value, plus 1
///   dot's row:  u8 kind   1: the record key of the record that the dot belongs to
/// ```
///
/// A change of the records alone has the counter 0. Times are hybrid time, see
/// [dev.tern.core.version.HybridClock].
final class JournalRows {
  private static final int FORMAT = 2;
  private static final int ROUND = FORMAT << 4;
  private static final int ENTRY = FORMAT << 4 | 1;

  /// A dot's row names a record. Other kinds are to come: what else a dot may have written.
  private static final int RECORD = 1;

  private JournalRows() {}

  /// What a round row or an entry begins with.
  ///
  /// @param time of the commit, hybrid time
  record Head(long round, long time) {}

  /// Told of each change of an entry, in order.
  interface Changes {
    /// @param counter of the first dot, 0 for a change of the records alone
    /// @param further dots in a row after it
    /// @param delta -1 to 1
    void change(
        int set, int partition, int replica, long counter, long further, int keyspace, int delta);
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

  static void change(
      int set,
      int partition,
      int replica,
      long counter,
      long further,
      int keyspace,
      int delta,
      ByteWriter out) {
    out.writeShort(set).writeShort(partition).writeInt(replica);
    out.writeVarLong(counter).writeVarLong(further).writeInt(keyspace).writeByte(delta + 1);
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
      int set = in.readUnsignedShort();
      int partition = in.readUnsignedShort();
      int replica = in.readInt();
      long counter = in.readPositiveVarLong();
      long further = in.readPositiveVarLong();
      int keyspace = in.readInt();
      int delta = in.readUnsignedByte() - 1;
      if (counter >= Stamp.MAX_TIME || further >= Stamp.MAX_TIME || delta > 1) {
        throw new DecodeException("a change that no group of writes makes");
      }
      told.change(set, partition, replica, counter, further, keyspace, delta);
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
