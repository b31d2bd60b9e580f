package dev.tern.core.replica;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.version.ClusterTime;
import dev.tern.env.EventLoop;
import dev.tern.lsm.Lsm;

/// What the parts of a shard's replicas stand on.
///
/// @param loop of the shard
/// @param clock the cluster's time
/// @param bounds of records
/// @param pageBytes of records on a page of repair, about
/// @param planted a mistake for tests to find
record ReplicaContext(
    Store store,
    EventLoop loop,
    ClusterTime clock,
    RecordBounds bounds,
    int pageBytes,
    PlantedBug planted) {
  /// The engine below the store.
  Lsm lsm() {
    return store.lsm();
  }

  /// The time that stamps are minted by; while it is not known they count on from the last one.
  long physicalMillis() {
    return clock.stampMillis();
  }
}
