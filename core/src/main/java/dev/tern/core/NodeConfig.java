package dev.tern.core;

import dev.tern.core.repair.AntiEntropy;
import dev.tern.core.topology.Founding;
import dev.tern.lsm.LsmOptions;

/// What a node must know at its start.
///
/// @param self this node's member number
/// @param founding what it was told of the cluster's beginning; [Founding#NOTHING] if its directory
///   knows the cluster
/// @param storage how each shard's store is sized
/// @param treeRoundNanos in which all its hash trees are compared with others at the earliest
/// @param planted a mistake for tests to find; [PlantedBug#NONE] in production
public record NodeConfig(
    int self, Founding founding, LsmOptions storage, long treeRoundNanos, PlantedBug planted) {
  /// With the usual round, see [AntiEntropy#TREE_ROUND_NANOS].
  public NodeConfig(int self, Founding founding, LsmOptions storage, PlantedBug planted) {
    this(self, founding, storage, AntiEntropy.TREE_ROUND_NANOS, planted);
  }
}
