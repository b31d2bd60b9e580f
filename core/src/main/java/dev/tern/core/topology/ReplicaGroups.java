package dev.tern.core.topology;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import java.util.Arrays;

/// The replica groups of one placement policy, one a partition: who is in it, under which replica
/// id, since which epoch. Immutable.
///
/// ```
///   varint number, policy, lists, for each partition: varint replica id * n, varint epoch
/// ```
///
/// Invariant: a replica id belongs to one admission of one member to one group, for ever.
public final class ReplicaGroups {
  /// The highest number: it is a u16 in every record key.
  static final int MAX_NUMBER = 0xffff;

  private final int number;
  private final PlacementPolicy policy;
  private final ReplicaLists lists;

  /// By partition and place, as in the lists.
  private final int[][] ids;

  /// By partition: the topology's epoch when the entry last changed; what data messages carry.
  private final long[] epochs;

  private ReplicaGroups(
      int number, PlacementPolicy policy, ReplicaLists lists, int[][] ids, long[] epochs) {
    this.number = number;
    this.policy = policy;
    this.lists = lists;
    this.ids = ids;
    this.epochs = epochs;
  }

  /// New groups whose replicas take the ids from `firstId` on.
  static ReplicaGroups placed(
      int number, PlacementPolicy policy, ReplicaLists lists, int firstId, long epoch) {
    int[][] ids = new int[lists.partitions()][];
    long[] epochs = new long[lists.partitions()];
    Arrays.fill(epochs, epoch);
    int next = firstId;
    for (int p = 0; p < ids.length; p++) {
      ids[p] = new int[lists.list(p).length];
      for (int place = 0; place < ids[p].length; place++) {
        ids[p][place] = next++;
      }
    }
    return new ReplicaGroups(number, policy, lists, ids, epochs);
  }

  public PlacementPolicy policy() {
    return policy;
  }

  public ReplicaLists lists() {
    return lists;
  }

  /// Names these groups for ever, the set number of record keys: from 1 to [#MAX_NUMBER], on all
  /// nodes the same, and no others ever have it.
  public int number() {
    return number;
  }

  /// The id of the replica at a place of a partition's list.
  public int replicaId(int partition, int place) {
    return ids[partition][place];
  }

  /// The epoch of a partition's entry.
  public long epoch(int partition) {
    return epochs[partition];
  }

  void encode(ByteWriter out) {
    TopologyCodec.encode(policy, out.writeVarInt(number));
    lists.encode(out);
    for (int p = 0; p < ids.length; p++) {
      for (int id : ids[p]) {
        out.writeVarInt(id);
      }
      out.writeVarLong(epochs[p]);
    }
  }

  static ReplicaGroups decode(ByteReader in) {
    int number = in.readVarIntIn(1, MAX_NUMBER);
    PlacementPolicy policy = TopologyCodec.policy(in);
    ReplicaLists lists = ReplicaLists.decode(in);
    int[][] ids = new int[lists.partitions()][];
    long[] epochs = new long[lists.partitions()];
    for (int p = 0; p < ids.length; p++) {
      ids[p] = new int[lists.list(p).length];
      for (int place = 0; place < ids[p].length; place++) {
        ids[p][place] = in.readVarIntIn(1, Integer.MAX_VALUE);
      }
      epochs[p] = in.readPositiveVarLong();
    }
    return new ReplicaGroups(number, policy, lists, ids, epochs);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ReplicaGroups that
        && number == that.number
        && policy.equals(that.policy)
        && lists.equals(that.lists)
        && Arrays.deepEquals(ids, that.ids)
        && Arrays.equals(epochs, that.epochs);
  }

  @Override
  public int hashCode() {
    return 31 * Arrays.deepHashCode(ids) + lists.hashCode();
  }

  @Override
  public String toString() {
    return number + " " + policy + " " + lists;
  }
}
