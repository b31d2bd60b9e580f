package dev.tern.core.replica;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;

/// Where a record lies: `[0 u16][slot u16][keyspace u32][user key]`, big-endian.
///
/// The slot stands where the architecture has the partition: a partition is a run of slots, so it
/// is still one contiguous range, a slot is one too, and a partition can be cut in two without
/// moving a byte (docs/design/0002). A keyspace names its group, so the key does not.
final class StorageKey {
  static final int PREFIX_BYTES = 8;

  private StorageKey() {}

  static byte[] of(int slot, int keyspace, byte[] key) {
    byte[] bytes = new byte[PREFIX_BYTES + key.length];
    bytes[2] = (byte) (slot >>> 8);
    bytes[3] = (byte) slot;
    bytes[4] = (byte) (keyspace >>> 24);
    bytes[5] = (byte) (keyspace >>> 16);
    bytes[6] = (byte) (keyspace >>> 8);
    bytes[7] = (byte) keyspace;
    System.arraycopy(key, 0, bytes, PREFIX_BYTES, key.length);
    return bytes;
  }

  /// The first key of a keyspace in a slot.
  static byte[] first(int slot, int keyspace) {
    return of(slot, keyspace, new byte[0]);
  }

  static int slot(byte[] storageKey) {
    return new ByteReader(storageKey, 2, 2).readUnsignedShort();
  }

  static int keyspace(byte[] storageKey) {
    return new ByteReader(storageKey, 4, 4).readInt();
  }

  static byte[] userKey(byte[] storageKey) {
    return java.util.Arrays.copyOfRange(storageKey, PREFIX_BYTES, storageKey.length);
  }

  /// The key of one of a partition's rows in the `meta` column family.
  ///
  /// @param kind [#PARTITION_ROW], [#TRIMMED_ROW], [#FLOOR_ROW] or [#FILLED_ROW]
  static byte[] row(int kind, int group, int partition) {
    ByteWriter out = new ByteWriter(5).writeByte(kind);
    return out.writeShort(group).writeShort(partition).toByteArray();
  }

  static boolean isRow(int kind, byte[] key) {
    return key[0] == kind;
  }

  /// The key of a dot in the log of dots and among the graves: `[group u16][partition u16][replica
  /// u32][counter u64]`.
  static byte[] dot(int group, int partition, int replica, long counter) {
    ByteWriter out = new ByteWriter(16).writeShort(group).writeShort(partition);
    return out.writeInt(replica).writeLong(counter).toByteArray();
  }

  /// Of what a partition knows besides its records, see [Partition].
  static final int PARTITION_ROW = 1;

  /// Rows of the store itself in `meta`.
  static final byte[] IDENTITY_ROW = {2};

  static final byte[] RESERVATION_ROW = {3};

  private static final int JOURNAL_ROW = 4;

  /// The numbers of the groups, in the order the store counts them.
  static final byte[] GROUPS_ROW = {6};

  /// Of a partition's trimmed dots.
  static final int TRIMMED_ROW = 7;

  /// Of a partition's floor, an absent [Rank].
  static final int FLOOR_ROW = 10;

  /// An empty row: the partition is filled.
  static final int FILLED_ROW = 11;

  static final int SEGMENT_ROW = 8;

  /// The place of the walk that compares hash trees.
  static final byte[] WALK_ROW = {9};

  /// The key of the hash of a partition's segment in `meta`; the row is u64, and there only if the
  /// hash is known.
  static byte[] segmentRow(int group, int partition, int segment) {
    ByteWriter out = new ByteWriter(6).writeByte(SEGMENT_ROW);
    return out.writeShort(group).writeShort(partition).writeByte(segment).toByteArray();
  }

  /// The round that the journal's entries must be of.
  static final byte[] ROUND_ROW = {5};

  /// The key of an entry of the journal in `meta`.
  static byte[] journalRow(int number) {
    return new ByteWriter(4).writeByte(JOURNAL_ROW).writeShort(number).toByteArray();
  }

  static boolean isJournalRow(byte[] key) {
    return key[0] == JOURNAL_ROW;
  }
}
