package dev.tern.core.replica;

import dev.tern.core.replica.Store.Reservation;
import dev.tern.core.topology.ClusterId;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Stamp;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;

/// The bytes of the rows in `meta`, but for the journal's ([JournalRows]). [Rows] has their keys.
/// They are of the store's format, which the identity says.
///
/// ```
///   identity:     | replica id u32 | shards u32 | partitions u32 | format u32 |
///   owner:        | cluster, high u64, low u64 | member u32 |
///   reservation:  | counter u64 | hybrid time u64 |
///   groups:       | set u32 | ...
///   walk:         | place u64 |
///   partition:    | 10 | admission varint | clock, dots | keyspaces varint | count | ...
///     count:      | keyspace u32 | keys varint | expiring keys varint | bytes varint |
///   trimmed:      | dots |
///   floor:        | an absent Rank |
///   filled:       |
///   segment:      | hash u64 |
/// ```
///
/// Dots are a [DotSet]. The high nibble of a partition's first byte is the version of its row.
/// Every decoder throws a [DecodeException] for bytes that are no such row.
final class MetaRows {
  private static final int PARTITION = 0x10;

  /// Of a keyspace's count, at least.
  private static final int LEAST_COUNT_BYTES = 7;

  /// Identities of earlier formats are refused for their format.
  private static final int FIRST_CHECKED = 5;

  /// Ids that a cluster may ever give out are below.
  private static final int MAX_KEYSPACES = 1 << 20;

  private MetaRows() {}

  /// Whose store it is, and what it was written with.
  record Identity(int replica, int shards, int partitions, int format) {
    byte[] encoded() {
      ByteWriter out = new ByteWriter(16);
      out.writeInt(replica).writeInt(shards).writeInt(partitions).writeInt(format);
      return out.toByteArray();
    }

    static Identity decode(byte[] row) {
      ByteReader in = new ByteReader(row);
      Identity identity = new Identity(in.readInt(), in.readInt(), in.readInt(), in.readInt());
      in.expectEnd();
      if (identity.replica == 0 && identity.format >= FIRST_CHECKED) {
        throw new DecodeException("a store of the replica id 0");
      }
      return identity;
    }
  }

  /// The cluster and the member that a store was first used by, for ever.
  record Owner(ClusterId cluster, int member) {
    byte[] encoded() {
      ByteWriter out = new ByteWriter(20);
      out.writeLong(cluster.high()).writeLong(cluster.low()).writeInt(member);
      return out.toByteArray();
    }

    static Owner decode(byte[] row) {
      ByteReader in = new ByteReader(row);
      Owner owner = new Owner(new ClusterId(in.readLong(), in.readLong()), in.readInt());
      in.expectEnd();
      if (!owner.cluster.known() || owner.member <= 0) {
        throw new DecodeException("a store of member %d of no cluster".formatted(owner.member));
      }
      return owner;
    }
  }

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

  /// The numbers of groups, in the order of a store.
  static byte[] groups(int[] numbers) {
    ByteWriter out = new ByteWriter(Integer.BYTES * numbers.length);
    for (int number : numbers) {
      out.writeInt(number);
    }
    return out.toByteArray();
  }

  static int[] groups(byte[] row) {
    ByteReader in = new ByteReader(row);
    int[] numbers = new int[row.length / Integer.BYTES];
    for (int group = 0; group < numbers.length; group++) {
      numbers[group] = in.readInt();
      if (numbers[group] < 1 || numbers[group] > 0xffff) {
        throw new DecodeException("groups of the number " + numbers[group]);
      }
    }
    if (Arrays.stream(numbers).distinct().count() < numbers.length) {
      throw new DecodeException("two groups of one number");
    }
    in.expectEnd();
    return numbers;
  }

  static void partition(Partition partition, ByteWriter out) {
    out.writeByte(PARTITION).writeVarInt(partition.admission);
    partition.clock.encode(out);
    int[] keyspaces = partition.keyspaces();
    out.writeVarInt(keyspaces.length);
    for (int keyspace : keyspaces) {
      out.writeInt(keyspace).writeVarLong(partition.keys(keyspace));
      out.writeVarLong(partition.expiring(keyspace)).writeVarLong(partition.bytes(keyspace));
    }
  }

  /// Brings a partition that was just made to what its row says.
  static void partition(byte[] row, Partition to) {
    ByteReader in = new ByteReader(row);
    int lead = in.readUnsignedByte();
    if (lead != PARTITION) {
      throw new DecodeException(
          "a row of a partition that begins with %02x, not %02x".formatted(lead, PARTITION));
    }
    to.admission = in.readVarIntIn(0, Integer.MAX_VALUE);
    DotSet clock = DotSet.decode(in);
    to.clock.addAll(clock);
    to.synced.addAll(clock);
    for (int left = in.readCount(LEAST_COUNT_BYTES); left > 0; left--) {
      int keyspace = in.readInt();
      checkKeyspace(keyspace);
      if (to.knows(keyspace)) {
        throw new DecodeException("two counts of keyspace " + keyspace);
      }
      to.count(keyspace, in.readVarLong(), in.readVarLong(), in.readVarLong());
    }
    in.expectEnd();
  }

  /// Figures are kept by the ids of keyspaces, so an id that no cluster gives out is refused.
  static void checkKeyspace(int keyspace) {
    if (keyspace <= 0 || keyspace >= MAX_KEYSPACES) {
      throw new DecodeException("a count of keyspace " + keyspace);
    }
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
    if (slot != to.firstSlot) {
      throw new DecodeException(
          "a row of slot %d, where partition %d begins at %d"
              .formatted(slot, to.number, to.firstSlot));
    }
    switch (kind) {
      case Rows.PARTITION -> partition(row, to);
      case Rows.TRIMMED -> to.trimmed.addAll(trimmed(row));
      case Rows.FLOOR -> to.floor = floor(row);
      case Rows.FILLED -> {
        filled(row);
        to.filled = true;
      }
      case Rows.SEGMENT -> {
        int segment = key.readUnsignedByte();
        if (segment >= segments) {
          throw new DecodeException("segment %d of %d".formatted(segment, segments));
        }
        to.tree.learn(segment, number(row));
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
