package dev.tern.core.replica;

import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.io.IOException;

/// A machine for one store.
final class Bed {
  final World world;
  final SimulatedDisk disk;
  final SimulatedClock clock;
  private final int memtableBytes;

  /// @param memtableBytes of the store
  Bed(long seed, int memtableBytes) {
    world =
        new World(
            seed,
            (node, what) -> {
              throw new AssertionError(what);
            });
    disk = new SimulatedDisk(world, 1);
    clock = new SimulatedClock(world);
    this.memtableBytes = memtableBytes;
  }

  Lsm open() throws IOException {
    LsmOptions.Tuning tuning = new LsmOptions.Tuning(memtableBytes, 8192, 256, 2048, LsmBug.NONE);
    SimulatedLoop loop = new SimulatedLoop(world, 1, disk);
    LsmOptions options = LsmOptions.DEFAULT.withTuning(tuning);
    return Lsm.open(disk, loop, clock, world.random, "data/store", options);
  }

  /// The power goes, and comes back.
  void powerCut() {
    world.end(1);
    disk.heal();
    disk.powerCut();
  }
}
