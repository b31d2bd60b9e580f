package dev.tern.core.store;

import dev.tern.core.topology.ClusterId;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;

/// The bytes of a record store's own rows in `meta`. [RowKeys] has their keys. They are of the
/// store's format, which the identity says.
///
/// ```
///   identity:  | store id u32 | shards u32 | partitions u32 | format u32 |
///   owner:     | cluster, high u64, low u64 | member u32 |
///   groups:    | set u32 | ...
/// ```
///
/// Every decoder throws a [DecodeException] for bytes that are no such row.
final class StoreRows {
  /// Identities of earlier formats are refused for their format.
  private static final int FIRST_CHECKED = 5;

  private StoreRows() {}

  /// Which store it is, and what it was written with.
  ///
  /// @param id that its versions carry as their replica id
  record Identity(int id, int shards, int partitions, int format) {
    byte[] encoded() {
      ByteWriter out = new ByteWriter(16);
      out.writeInt(id).writeInt(shards).writeInt(partitions).writeInt(format);
      return out.toByteArray();
    }

    static Identity decode(byte[] row) {
      ByteReader in = new ByteReader(row);
      Identity identity = new Identity(in.readInt(), in.readInt(), in.readInt(), in.readInt());
      if (identity.format > RecordStore.FORMAT) {
        // Whatever a later version says besides.
        return identity;
      }
      in.expectEnd();
      if (identity.id == 0 && identity.format >= FIRST_CHECKED) {
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
}
