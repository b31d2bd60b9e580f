package dev.tern.core.replica;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.store.Bed;
import dev.tern.core.store.DiskReserve;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.version.ClusterTime;
import dev.tern.env.Events;
import dev.tern.env.Randomness;
import dev.tern.world.SimulatedLoop;
import java.io.IOException;

/// Member 1's replicas on a [Bed].
final class Replicas {
  private Replicas() {}

  /// Opens the store on what the disk has, for a view that names member 1.
  static Store open(Bed bed, ClusterView view) throws IOException {
    Store store = Store.open(bed.open(), view.partitions(), 0, 1, Randomness.of(3), Events.NONE);
    store.adopt(view, 1);
    return store;
  }

  /// What works on a store that was opened.
  static Replica over(Bed bed, Store store, PlantedBug planted) {
    SimulatedLoop loop = new SimulatedLoop(bed.world, 1, bed.disk);
    ClusterTime time = new ClusterTime(bed.clock, 1, new int[] {1}, /* ownClock= */ false);
    return new Replica(store, loop, time, 1, Limits.DEFAULT, planted, DiskReserve.NONE);
  }
}
