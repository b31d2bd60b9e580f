package dev.tern.core.replica;

import dev.tern.core.store.RowKeys;
import dev.tern.core.version.Rank;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// The keys of what stands beside the records, but for the record store's own rows ([RowKeys]).
///
/// ```
///   meta, of a partition:  | set u16 | first slot u16 | kind u8 | [segment u8] |
///   meta, of the store:    | 0 u16 | kind u8 | [number u16] |
///   meta, of an install:   | 0 u16 | 8 u8 | set u16 | first slot u16 |
///   dots, graves:          | set u16 | first slot u16 | replica u32 | counter u64 |
///   expiries:              | set u16 | first slot u16 | ... see Expired
/// ```
///
/// `set` and `first slot` are those of all rows of a partition, see [RowKeys].
final class Rows {
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

  /// Below which numbers may be given out.
  static final byte[] RESERVATION = {0, 0, 2};

  /// The place of the walk that compares hash trees.
  static final byte[] WALK = {0, 0, 4};

  /// The round that the journal's entries must be of.
  static final byte[] ROUND = {0, 0, 5};

  private static final int JOURNAL = 6;
  private static final int INSTALLED = 8;

  /// Before the rows of snapshots that were taken in, and behind them.
  static final byte[] INSTALLED_FIRST = {0, 0, INSTALLED};

  static final byte[] INSTALLED_END = {0, 0, INSTALLED + 1};

  /// What the key of a row in `dots` or `graves` says besides its partition.
  record Dot(int replica, long counter) {
    /// @throws DecodeException if no replica gives out such a dot
    Dot {
      if (!Rank.isDot(replica, counter)) {
        throw new DecodeException("a row of dot %08x:%d".formatted(replica, counter));
      }
    }

    /// @throws DecodeException if it is the key of none
    static Dot decode(byte[] row) {
      ByteReader in = RowKeys.rest(row);
      Dot dot = read(in);
      in.expectEnd();
      return dot;
    }

    /// @throws DecodeException if there is none
    static Dot read(ByteReader in) {
      return new Dot(in.readInt(), in.readLong());
    }
  }

  private Rows() {}

  /// The key of one of a partition's rows in `meta`.
  ///
  /// @param kind [#PARTITION], [#TRIMMED], [#FLOOR] or [#FILLED]
  static byte[] of(Partition partition, int kind) {
    return RowKeys.of(partition.records(), kind);
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
    return RowKeys.begin(partition.records(), bytes);
  }

  /// The key of an entry of the journal in `meta`.
  static byte[] journal(int number) {
    return new ByteWriter(5).writeShort(0).writeByte(JOURNAL).writeShort(number).toByteArray();
  }

  /// The key of what a partition's snapshot says besides its rows, see [SnapshotInstalls].
  static byte[] installed(Partition partition) {
    return new ByteWriter(7)
        .writeBytes(INSTALLED_FIRST)
        .writeShort(partition.set())
        .writeShort(partition.records().firstSlot())
        .toByteArray();
  }

  static boolean isInstalled(byte[] key) {
    return key.length == 7 && key[0] == 0 && key[1] == 0 && key[2] == INSTALLED;
  }

  static boolean isJournal(byte[] key) {
    return key.length == 5 && key[0] == 0 && key[1] == 0 && key[2] == JOURNAL;
  }
}
