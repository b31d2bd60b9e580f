package dev.tern.core.store;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;

/// The keys of rows that stand beside the records.
///
/// ```
///   meta, of the store:    | 0 u16 | kind u8 | ...
///   meta, of a partition:  | set u16 | first slot u16 | kind u8 | ...
///   other families:        | set u16 | first slot u16 | ...
/// ```
///
/// `set` is the number of the partition's groups and `first slot` the partition's, so that a
/// partition is one range in every family, as it is among the records ([RecordKey]). No groups have
/// the number 0.
///
/// The kinds of the store's rows are 1 for the identity, 3 for the numbers of the groups and 7 for
/// the owner. All other kinds belong to what stands on the record store.
public final class RowKeys {
  /// Of set and first slot.
  public static final int PARTITION_BYTES = 4;

  /// What the store was written with.
  public static final byte[] IDENTITY = {0, 0, 1};

  /// The numbers of the groups, in the order the store counts them.
  public static final byte[] GROUPS = {0, 0, 3};

  /// Whose the store is: its cluster and its member.
  public static final byte[] OWNER = {0, 0, 7};

  /// Before the rows of all partitions.
  public static final byte[] PARTITIONS = {0, 1};

  /// Where the identity stood in stores of formats 1 to 3.
  static final byte[] FORMER_IDENTITY = {2};

  private RowKeys() {}

  /// The key of one of a partition's rows in `meta`.
  public static byte[] of(PartitionRecords partition, int kind) {
    return begin(partition, 1).writeByte(kind).toByteArray();
  }

  /// Begins a key of a row of a partition.
  ///
  /// @param bytes that follow, about
  public static ByteWriter begin(PartitionRecords partition, int bytes) {
    ByteWriter out = new ByteWriter(PARTITION_BYTES + bytes);
    return out.writeShort(partition.set()).writeShort(partition.firstSlot());
  }

  /// What follows set and first slot in a row's key.
  public static ByteReader rest(byte[] row) {
    return new ByteReader(row, PARTITION_BYTES, row.length - PARTITION_BYTES);
  }
}
