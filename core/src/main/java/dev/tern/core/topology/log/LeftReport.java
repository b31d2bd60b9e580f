package dev.tern.core.topology.log;

import dev.tern.core.topology.ReplicaGroups;
import java.util.BitSet;

/// What a member says of the partitions that it has left: it is no replica of them by the topology
/// that it goes by, and holds something of them that it has not handed on yet.
///
/// Invariant: where the report is as late as the entry of a partition, the member has nothing of an
/// earlier admission to that partition unless the report names it, and comes by nothing until the
/// entry changes. So the word of a late report stays true.
///
/// @param epoch of the topology that the member goes by with all its shards
/// @param partitions by number, whatever their groups; copied
/// @param unreadable of these, those of which it cannot read what remains: nobody will have it;
///   copied
public record LeftReport(long epoch, BitSet partitions, BitSet unreadable) {
  public LeftReport {
    partitions = (BitSet) partitions.clone();
    unreadable = (BitSet) unreadable.clone();
    unreadable.and(partitions);
  }

  /// Of a member that has nothing left.
  ///
  /// @param epoch of the topology that the member goes by
  public static LeftReport nothing(long epoch) {
    return new LeftReport(epoch, new BitSet(), new BitSet());
  }

  @Override
  public BitSet partitions() {
    return (BitSet) partitions.clone();
  }

  @Override
  public BitSet unreadable() {
    return (BitSet) unreadable.clone();
  }

  /// Whether the member, which is no replica of a partition, may become one: it holds nothing of an
  /// earlier admission, which the new one would empty.
  public boolean mayReceive(ReplicaGroups groups, int partition) {
    return epoch >= groups.epoch(partition) && !partitions.get(partition);
  }

  /// How many partitions it has something of.
  public int count() {
    return partitions.cardinality();
  }

  /// Whether nothing remains that it could hand on.
  public boolean isHandedOn() {
    BitSet readable = partitions();
    readable.andNot(unreadable);
    return readable.isEmpty();
  }
}
