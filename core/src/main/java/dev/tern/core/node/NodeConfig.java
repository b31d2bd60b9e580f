package dev.tern.core.node;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.topology.Founding;
import dev.tern.lsm.LsmOptions;

/// What a node must know at its start.
///
/// @param self this node's member number
/// @param founding what it was told of the cluster's beginning; [Founding#NOTHING] if its directory
///   knows the cluster
/// @param storage how each shard's store is sized
/// @param planted a mistake for tests to find; [PlantedBug#NONE] in production
/// @param limits of each shard
public record NodeConfig(
    int self, Founding founding, LsmOptions storage, PlantedBug planted, Limits limits) {
  /// With the usual limits.
  public NodeConfig(int self, Founding founding, LsmOptions storage, PlantedBug planted) {
    this(self, founding, storage, planted, Limits.DEFAULT);
  }
}
