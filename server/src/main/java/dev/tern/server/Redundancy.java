package dev.tern.server;

import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import java.util.Arrays;
import java.util.function.IntPredicate;

/// How many replicas of the partitions live, all placements together.
///
/// @param partitions of all placements
/// @param fewer partitions with fewer live replicas than their keyspaces ask for
/// @param minority of these, partitions without a live majority of their replicas
/// @param none of these, partitions without any live replica
record Redundancy(int partitions, int fewer, int minority, int none) {
  static Redundancy of(TopologyState state, IntPredicate live) {
    int partitions = 0;
    int fewer = 0;
    int minority = 0;
    int none = 0;
    for (ReplicaGroups groups : state.groups()) {
      int n = groups.policy().n();
      for (int p = 0; p < state.partitions(); p++) {
        int[] holders = holders(groups, p);
        long alive = Arrays.stream(holders).filter(live).count();
        partitions++;
        fewer += alive < n ? 1 : 0;
        minority += 2 * alive <= holders.length ? 1 : 0;
        none += alive == 0 ? 1 : 0;
      }
    }
    return new Redundancy(partitions, fewer, minority, none);
  }

  /// The replicas that have all of a partition: those of before until the newcomers have it too.
  private static int[] holders(ReplicaGroups groups, int partition) {
    boolean fenced = groups.replicaSet(partition).phase() == Phase.FENCED;
    return (fenced ? groups.targets() : groups.lists()).list(partition);
  }
}
