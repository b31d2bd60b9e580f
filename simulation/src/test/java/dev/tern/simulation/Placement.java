package dev.tern.simulation;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;

/// Moves the replicas of a scripted cluster by the weights of its members, and tells how far the
/// moves have come.
final class Placement {
  private static final long SECOND = Cluster.SECOND;

  private final Cluster cluster;
  private final int size;

  /// Members that are down; member 3 is not.
  private final List<Integer> down = new ArrayList<>();

  Placement(Cluster cluster, int size) {
    this.cluster = cluster;
    this.size = size;
  }

  /// Has a command decided.
  void propose(Command command) {
    boolean[] told = {false};
    int by = down.contains(1) ? 3 : 1;
    Proposed proposed = new Proposed(0, command);
    cluster.world.schedule(
        0, by, () -> cluster.node(by).propose(proposed, decision -> told[0] = true));
    cluster.within(10 * SECOND, () -> told[0]);
  }

  /// Gives the members these weights, by number, in one plan.
  void weigh(int... weights) {
    hold(weights);
    propose(new Command.HoldMoves(false));
  }

  /// Lets the first three of four members have all replicas, and waits until they do.
  void settleOnTheFirstThree() {
    weigh(100, 100, 100, 0);
    cluster.within(
        120 * SECOND, () -> all(set -> set.isStable() && set.size() == 3 && !set.has(4)));
  }

  /// The same as [#weigh], but moves do not begin yet.
  void hold(int... weights) {
    propose(new Command.HoldMoves(true));
    for (int i = 0; i < weights.length; i++) {
      propose(new Command.SetWeight(i + 1, weights[i]));
    }
  }

  /// Ends a node for the rest of the test.
  void end(int node) {
    cluster.end(node);
    down.add(node);
  }

  /// Whether the replicas of each partition are so, as each live node knows them.
  boolean all(Predicate<ReplicaSet> is) {
    for (int node = 1; node <= size; node++) {
      TopologyState state = down.contains(node) ? null : cluster.node(node).view().state();
      for (ReplicaGroups groups : state == null ? List.<ReplicaGroups>of() : state.groups()) {
        for (int p = 0; p < state.partitions(); p++) {
          if (!is.test(groups.replicaSet(p))) {
            return false;
          }
        }
      }
    }
    return true;
  }

  /// Whether each partition has so many replicas, and none moves.
  boolean isSettled(int n) {
    return all(set -> set.isStable() && set.size() == n);
  }

  /// Waits until each partition moves and has come so far.
  void reach(Phase phase) {
    cluster.within(30 * SECOND, () -> all(set -> set.phase() == phase));
  }

  /// How far the first partition has come, as a node knows it.
  Phase phase(int node) {
    return cluster.node(node).view().state().groups().getFirst().replicaSet(0).phase();
  }
}
