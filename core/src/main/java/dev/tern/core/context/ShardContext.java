package dev.tern.core.context;

import dev.tern.core.version.ClusterTime;
import dev.tern.env.EventLoop;
import dev.tern.env.Network;

/// What all parts of one shard share: who it is, its surroundings and its bounds. Immutable; the
/// statistics and the surroundings behind it are not.
///
/// @param shard its number on this node
/// @param self the member number of this node
/// @param loop the shard's; its parts are called on it alone
/// @param clock monotonic, and the cluster's time
/// @param network to the other nodes
/// @param planted a mistake that tests switch on
/// @param limits of what it takes on
/// @param statistics that it counts in
/// @param foreground how long the requests take that it coordinates
public record ShardContext(
    int shard,
    int self,
    EventLoop loop,
    ClusterTime clock,
    Network network,
    PlantedBug planted,
    Limits limits,
    Statistics statistics,
    Foreground foreground) {

  /// Of a shard that has done nothing yet.
  public static ShardContext of(
      int shard,
      int self,
      EventLoop loop,
      ClusterTime clock,
      Network network,
      PlantedBug planted,
      Limits limits) {
    return new ShardContext(
        shard, self, loop, clock, network, planted, limits, new Statistics(), new Foreground());
  }

  /// The monotonic time of the shard.
  public long nowNanos() {
    return clock.monotonicNanos();
  }

  /// Counts one event; on the shard's loop.
  public void count(Statistics.Counter counter) {
    statistics.add(counter);
  }
}
