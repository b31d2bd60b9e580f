package dev.tern.core.replica;

import dev.tern.core.replica.Store.Reservation;
import dev.tern.core.store.PartitionRecords;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Stamp;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;

/// The bytes of the rows in `meta`, but for the journal's ([JournalRows]) and the record store's
/// own. [Rows] has their keys. They are of the store's format, which the identity says.
///
/// ```
///   reservation:  | counter u64 | hybrid time u64 |
///   walk:         | place u64 |
///   partition:    | 10 | admission varint | clock, dots | figures |
///   trimmed:      | dots |
///   floor:        | an absent Rank |
///   filled:       |
///   segment:      | hash u64 |
///   installed:    | 10 | admission varint | clock, dots | trimmed, dots | floor, an absent Rank |
///                 | hybrid time u64 | figures |
/// ```
///
/// Dots are a [DotSet], figures are drawn in [dev.tern.core.store.PartitionRecords]. The high
/// nibble of a partition's first byte is the version of its row. Every decoder throws a
/// [DecodeException] for bytes that are no such row.
final class MetaRows {
  private static final int PARTITION = 0x10;

  private MetaRows() {}

  static byte[] encoded(Reservation reservation) {
    ByteWriter out = new ByteWriter(16);
    return out.writeLong(reservation.counter()).writeLong(reservation.stamp()).toByteArray();
  }

  static Reservation reservation(byte[] row) {
    ByteReader in = new ByteReader(row);
    Reservation reservation = new Reservation(in.readLong(), in.readLong());
    in.expectEnd();
    if (reservation.counter() < 0
        || reservation.counter() >= Stamp.MAX_TIME
        || reservation.stamp() < 0
        || reservation.stamp() >= Stamp.MAX_TIME) {
      throw new DecodeException("a reservation up to " + reservation);
    }
    return reservation;
  }

  static void partition(Partition partition, ByteWriter out) {
    out.writeByte(PARTITION).writeVarInt(partition.admission());
    partition.clock().encode(out);
    partition.records().encodeCounts(out);
  }

  /// Brings a partition that was just made to what its row says.
  static void partition(byte[] row, Partition to) {
    ByteReader in = new ByteReader(row);
    int lead = in.readUnsignedByte();
    if (lead != PARTITION) {
      throw new DecodeException(
          "a row of a partition that begins with %02x, not %02x".formatted(lead, PARTITION));
    }
    to.admit(in.readVarIntIn(0, Integer.MAX_VALUE));
    to.load(DotSet.decode(in));
    to.records().decodeCounts(in);
    in.expectEnd();
  }

  /// Brings a partition that was just made to what one of its rows says.
  ///
  /// @param slot that the row's key names
  /// @param segments of a partition's hash tree
  /// @param key what follows the slot in the row's key
  /// @return whether the row has its counts
  /// @throws DecodeException if no store writes such a row
  static boolean load(Partition to, int slot, int segments, ByteReader key, byte[] row) {
    int kind = key.readUnsignedByte();
    if (slot != to.records().firstSlot()) {
      throw new DecodeException(
          "a row of slot %d, where partition %d begins at %d"
              .formatted(slot, to.number(), to.records().firstSlot()));
    }
    switch (kind) {
      case Rows.PARTITION -> partition(row, to);
      case Rows.TRIMMED -> to.trim(trimmed(row));
      case Rows.FLOOR -> to.loadFloor(floor(row));
      case Rows.FILLED -> {
        filled(row);
        to.filled(true);
      }
      case Rows.SEGMENT -> {
        int segment = key.readUnsignedByte();
        if (segment >= segments) {
          throw new DecodeException("segment %d of %d".formatted(segment, segments));
        }
        to.tree().learn(segment, number(row));
      }
      default -> throw new DecodeException("a row of kind " + kind);
    }
    key.expectEnd();
    return kind == Rows.PARTITION;
  }

  static DotSet trimmed(byte[] row) {
    ByteReader in = new ByteReader(row);
    DotSet trimmed = DotSet.decode(in);
    in.expectEnd();
    return trimmed;
  }

  static byte[] floor(Stamp floor) {
    ByteWriter out = new ByteWriter(32);
    Rank.absent(floor).encode(out);
    return out.toByteArray();
  }

  static Stamp floor(byte[] row) {
    ByteReader in = new ByteReader(row);
    Rank floor = Rank.decode(in);
    in.expectEnd();
    if (!floor.isAbsent()) {
      throw new DecodeException("a floor with a dot");
    }
    return floor.stamp();
  }

  static byte[] filled() {
    return new byte[0];
  }

  static void filled(byte[] row) {
    new ByteReader(row).expectEnd();
  }

  /// What a snapshot that is taken in says besides its rows, and what the partition counts with it.
  ///
  /// @param admission that it is for
  /// @param stamp the largest time of a version's stamp
  /// @param counts of the partition from then on
  record Installed(
      int admission,
      DotSet clock,
      DotSet trimmed,
      Stamp floor,
      long stamp,
      PartitionRecords counts) {}

  static byte[] encoded(Installed installed) {
    ByteWriter out = new ByteWriter();
    out.writeByte(PARTITION).writeVarInt(installed.admission());
    installed.clock().encode(out);
    installed.trimmed().encode(out);
    Rank.absent(installed.floor()).encode(out);
    out.writeLong(installed.stamp());
    installed.counts().encodeCounts(out);
    return out.toByteArray();
  }

  /// @param of the partition that the row's key names
  static Installed installed(byte[] row, PartitionRecords of) {
    ByteReader in = new ByteReader(row);
    int lead = in.readUnsignedByte();
    if (lead != PARTITION) {
      throw new DecodeException("a snapshot's row that begins with %02x".formatted(lead));
    }
    int admission = in.readVarIntIn(0, Integer.MAX_VALUE);
    DotSet clock = DotSet.decode(in);
    DotSet trimmed = DotSet.decode(in);
    Rank floor = Rank.decode(in);
    long stamp = in.readLong();
    if (!floor.isAbsent() || stamp < 0 || stamp >= Stamp.MAX_TIME) {
      throw new DecodeException("a snapshot's row with a floor or a time that is none");
    }
    PartitionRecords counts = of.blank();
    counts.decodeCounts(in);
    in.expectEnd();
    return new Installed(admission, clock, trimmed, floor.stamp(), stamp, counts);
  }

  /// A number alone: the hash of a segment, the place of the walk.
  static byte[] number(long number) {
    return new ByteWriter(Long.BYTES).writeLong(number).toByteArray();
  }

  static long number(byte[] row) {
    ByteReader in = new ByteReader(row);
    long number = in.readLong();
    in.expectEnd();
    return number;
  }
}
