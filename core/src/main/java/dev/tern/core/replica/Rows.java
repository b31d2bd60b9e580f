package dev.tern.core.replica;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;

/// The keys of what stands beside the records.
///
/// ```
///   meta, of a partition:  | set u16 | first slot u16 | kind u8 | [segment u8] |
///   meta, of the store:    | 0 u16 | kind u8 | [number u16] |
///   dots, graves:          | set u16 | first slot u16 | replica u32 | counter u64 |
///   expiries:              | set u16 | first slot u16 | ... see Expired
/// ```
///
/// `set` is the number of the partition's groups and `first slot` the partition's, so that a
/// partition is one range in every family, as it is among the records ([RecordKey]). No groups have
/// the number 0.
final class Rows {
  /// Of set and first slot.
  static final int PARTITION_BYTES = 4;

  /// Of what a partition knows besides its records, see [Partition].
  static final int PARTITION = 1;

  /// Of a partition's trimmed dots.
  static final int TRIMMED = 2;

  /// Of a partition's floor, an absent [dev.tern.core.version.Rank].
  static final int FLOOR = 3;

  /// An empty row: the partition is filled.
  static final int FILLED = 4;

  /// The hash of a segment, u64; there only if the hash is known.
  static final int SEGMENT = 5;

  /// Rows of the store itself in `meta`.
  static final byte[] IDENTITY = {0, 0, 1};

  static final byte[] RESERVATION = {0, 0, 2};

  /// The numbers of the groups, in the order the store counts them.
  static final byte[] GROUPS = {0, 0, 3};

  /// The place of the walk that compares hash trees.
  static final byte[] WALK = {0, 0, 4};

  /// The round that the journal's entries must be of.
  static final byte[] ROUND = {0, 0, 5};

  private static final int JOURNAL = 6;

  /// Whose the store is: its cluster and its member.
  static final byte[] OWNER = {0, 0, 7};

  /// Before the rows of all partitions.
  static final byte[] PARTITIONS = {0, 1};

  /// Where the identity stood in stores of formats 1 to 3.
  static final byte[] FORMER_IDENTITY = {2};

  private Rows() {}

  /// The key of one of a partition's rows in `meta`.
  ///
  /// @param kind [#PARTITION], [#TRIMMED], [#FLOOR] or [#FILLED]
  static byte[] of(Partition partition, int kind) {
    return begin(partition, 1).writeByte(kind).toByteArray();
  }

  /// The key of the hash of a partition's segment in `meta`.
  static byte[] segment(Partition partition, int segment) {
    return begin(partition, 2).writeByte(SEGMENT).writeByte(segment).toByteArray();
  }

  /// The key of a dot in the log of dots and among the graves.
  static byte[] dot(Partition partition, int replica, long counter) {
    return begin(partition, 12).writeInt(replica).writeLong(counter).toByteArray();
  }

  /// Begins a key of a row of a partition.
  ///
  /// @param bytes that follow, about
  static ByteWriter begin(Partition partition, int bytes) {
    ByteWriter out = new ByteWriter(PARTITION_BYTES + bytes);
    return out.writeShort(partition.set).writeShort(partition.firstSlot);
  }

  /// What follows set and first slot in a row's key.
  static ByteReader rest(byte[] row) {
    return new ByteReader(row, PARTITION_BYTES, row.length - PARTITION_BYTES);
  }

  /// The key of an entry of the journal in `meta`.
  static byte[] journal(int number) {
    return new ByteWriter(5).writeShort(0).writeByte(JOURNAL).writeShort(number).toByteArray();
  }

  static boolean isJournal(byte[] key) {
    return key.length == 5 && key[0] == 0 && key[1] == 0 && key[2] == JOURNAL;
  }
}
