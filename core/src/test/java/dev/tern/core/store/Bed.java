package dev.tern.core.store;

import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.io.IOException;

/// A machine for one store.
public final class Bed {
  public final World world;
  public final SimulatedDisk disk;
  public final SimulatedClock clock;
  private final int memtableBytes;

  /// A machine from a seed.
  ///
  /// @param memtableBytes of the store
  public Bed(long seed, int memtableBytes) {
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

  /// Opens the engine on what the disk has.
  public Lsm open() throws IOException {
    LsmOptions.Tuning tuning = new LsmOptions.Tuning(memtableBytes, 8192, 256, 2048, LsmBug.NONE);
    SimulatedLoop loop = new SimulatedLoop(world, 1, disk);
    LsmOptions options = LsmOptions.DEFAULT.withTuning(tuning);
    return Lsm.open(disk, loop, clock, world.random, "data/store", options);
  }

  /// The power goes, and comes back.
  public void powerCut() {
    world.end(1);
    disk.heal();
    disk.powerCut();
  }
}
