package dev.tern.core.topology;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;

/// For each partition the members that hold it, in order of preference. Immutable.
///
/// ```
///   varint partitions, for each: varint n, varint member * n
/// ```
public final class ReplicaLists {
  /// No partitions: where a command has nothing to place.
  public static final ReplicaLists NONE = new ReplicaLists(new int[0][]);

  private final int[][] lists;

  private ReplicaLists(int[][] lists) {
    this.lists = lists;
  }

  /// Copies the lists.
  public static ReplicaLists of(int[][] lists) {
    return new ReplicaLists(copied(lists));
  }

  /// Goes by the lists themselves, which nobody changes.
  static ReplicaLists over(int[][] lists) {
    return new ReplicaLists(lists);
  }

  private static int[][] copied(int[][] lists) {
    int[][] copy = new int[lists.length][];
    for (int p = 0; p < lists.length; p++) {
      copy[p] = lists[p].clone();
    }
    return copy;
  }

  public int partitions() {
    return lists.length;
  }

  /// Shared, do not change.
  public int[] list(int partition) {
    return lists[partition];
  }

  /// All lists, the caller's own.
  public int[][] copied() {
    return copied(lists);
  }

  int replicas() {
    int replicas = 0;
    for (int[] list : lists) {
      replicas += list.length;
    }
    return replicas;
  }

  void encode(ByteWriter out) {
    out.writeVarInt(lists.length);
    for (int[] list : lists) {
      out.writeVarInt(list.length);
      for (int member : list) {
        out.writeVarInt(member);
      }
    }
  }

  static ReplicaLists decode(ByteReader in) {
    int partitions = in.readCount(1);
    if (partitions > Slots.COUNT) {
      throw new DecodeException("lists of " + partitions + " partitions");
    }
    int[][] lists = new int[partitions][];
    for (int p = 0; p < partitions; p++) {
      int n = in.readLength();
      lists[p] = new int[n];
      for (int place = 0; place < n; place++) {
        lists[p][place] = in.readVarIntIn(1, Member.MAX_NUMBER);
      }
    }
    return new ReplicaLists(lists);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ReplicaLists that && Arrays.deepEquals(lists, that.lists);
  }

  @Override
  public int hashCode() {
    return Arrays.deepHashCode(lists);
  }

  @Override
  public String toString() {
    return Arrays.deepToString(lists);
  }
}
