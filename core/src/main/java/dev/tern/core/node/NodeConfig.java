package dev.tern.core.node;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.log.MoveLimits;
import dev.tern.lsm.LsmOptions;

/// What a node must know at its start.
///
/// @param self this node's member number
/// @param founding what it was told of the cluster's beginning; [Founding#NOTHING] if its directory
///   knows the cluster
/// @param storage how each shard's store is sized
/// @param planted a mistake for tests to find; [PlantedBug#NONE] in production
/// @param limits of each shard
/// @param moves what this node does while it leads the topology log
/// @param diskReserveBytes that writes of clients and moves leave free on the disk, see
///   `DiskReserve`
public record NodeConfig(
    int self,
    Founding founding,
    LsmOptions storage,
    PlantedBug planted,
    Limits limits,
    MoveLimits moves,
    long diskReserveBytes) {
  /// With moves as usual, and no reserve of the disk.
  public NodeConfig(
      int self, Founding founding, LsmOptions storage, PlantedBug planted, Limits limits) {
    this(self, founding, storage, planted, limits, MoveLimits.USUAL, 0);
  }

  /// With the usual limits.
  public NodeConfig(int self, Founding founding, LsmOptions storage, PlantedBug planted) {
    this(self, founding, storage, planted, Limits.DEFAULT);
  }
}
