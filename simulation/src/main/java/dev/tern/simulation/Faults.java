package dev.tern.simulation;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;

/// What goes wrong in a run: each seed picks which kinds, and when.
final class Faults {
  private static final long SECOND = ClusterRun.SECOND;

  /// What can make a node take another for dead.
  private static final Set<Fault> SILENCING =
      EnumSet.of(
          Fault.POWER_CUT,
          Fault.PROCESS_CRASH,
          Fault.PARTITION,
          Fault.LOSSY_NETWORK,
          Fault.SLOW_LINK,
          Fault.PAUSE,
          Fault.DISK_ERRORS);

  private final ClusterRun run;
  private final World world;
  private final EnumSet<Fault> kinds = EnumSet.noneOf(Fault.class);
  private final long meanNanos;

  /// The one node whose clock may be wrong by minutes, and the one whose disk may rot.
  private final int unlucky;

  Faults(ClusterRun run, boolean mayRot) {
    this.run = run;
    this.world = run.world;
    for (Fault fault : Fault.values()) {
      if (world.chance(0.3)) {
        kinds.add(fault);
      }
    }
    if (!mayRot || world.chance(0.5)) {
      kinds.remove(Fault.BIT_ROT);
    }
    if (!mayRot || has(Fault.BIT_ROT) || world.chance(0.5)) {
      kinds.remove(Fault.LOST_DISK);
    }
    if (!mayRot || has(Fault.BIT_ROT) || has(Fault.LOST_DISK)) {
      kinds.remove(Fault.LOST_RECORDS);
    }
    this.meanNanos = world.between(SECOND / 10, SECOND);
    this.unlucky = 1 + world.random.nextInt(run.nodeCount);
  }

  boolean has(Fault fault) {
    return kinds.contains(fault);
  }

  /// Whether a node may lose what only its memory holds.
  boolean mayStopNodes() {
    return has(Fault.POWER_CUT) || has(Fault.PROCESS_CRASH) || has(Fault.DISK_ERRORS);
  }

  boolean mayCauseSuspicion() {
    return kinds.stream().anyMatch(SILENCING::contains);
  }

  /// Before any node starts.
  void prepare() {
    if (has(Fault.WRONG_CLOCK)) {
      run.setClock(unlucky, minutes());
    }
  }

  private long minutes() {
    return world.between(-600_000, 600_000);
  }

  void begin() {
    if (has(Fault.LOSSY_NETWORK)) {
      run.network().loss = world.random.nextDouble() * 0.05;
      run.network().duplication = world.random.nextDouble() * 0.1;
      run.network().delayNanos = world.between(200_000, 5_000_000);
    }
    if (!kinds.isEmpty()) {
      next(new ArrayList<>(kinds));
    }
  }

  private void next(List<Fault> some) {
    world.schedule(
        world.between(0, 2 * meanNanos),
        0,
        () -> {
          if (world.nanos() < SECOND + run.chaosNanos) {
            happen(some.get(world.random.nextInt(some.size())));
            next(some);
          }
        });
  }

  private int anyNode() {
    return 1 + world.random.nextInt(run.nodeCount);
  }

  private void happen(Fault fault) {
    int node = anyNode();
    boolean up = run.node(node) != null;
    switch (fault) {
      case POWER_CUT -> {
        if (up && world.chance(0.5)) {
          // In the middle of an I/O soon to come.
          run.disk(node).crashAfter(world.random.nextInt(40));
        } else if (up) {
          run.crash(node, true);
        }
      }
      case PROCESS_CRASH -> {
        if (up) {
          run.crash(node, false);
        }
      }
      case PARTITION -> cut(node, anyNode(), world.chance(0.5));
      case LOSSY_NETWORK -> {}
      case BROKEN_CONNECTION -> run.network().breakConnection(node, another(node));
      case SLOW_LINK -> slow(node, another(node));
      case PAUSE -> world.pause(node, world.between(SECOND / 100, 3 * SECOND));
      case CLOCK_STEP -> {
        if (node != unlucky || !has(Fault.WRONG_CLOCK)) {
          run.setClock(node, world.between(-20_000, 20_000));
        }
      }
      case WRONG_CLOCK -> run.setClock(unlucky, minutes());
      case SLOW_DISK -> run.disk(node).slownessNanos = world.between(50_000, 50_000_000);
      case FULL_DISK -> {
        run.disk(node).full = true;
        later(() -> run.disk(node).full = false);
      }
      case DISK_ERRORS -> fail(run.disk(node));
      case BIT_ROT -> run.disk(unlucky).rot();
      case LOST_DISK -> {
        if (!run.diskLost && run.node(unlucky) != null && run.allAreIn()) {
          run.lost(Long.MIN_VALUE);
          run.crash(unlucky, true);
          run.disk(unlucky).wipe();
        }
      }
      case LOST_RECORDS -> {
        if (!run.recordsLost && run.node(unlucky) != null && run.allAreIn()) {
          run.loseRecords(unlucky);
        }
      }
    }
  }

  private int another(int node) {
    return 1 + (node + world.random.nextInt(run.nodeCount - 1)) % run.nodeCount;
  }

  private void later(Runnable end) {
    world.schedule(world.between(SECOND / 5, 4 * SECOND), 0, end);
  }

  private void fail(SimulatedDisk disk) {
    double chance = world.chance(0.5) ? 0.02 : 0.3;
    switch (world.random.nextInt(3)) {
      case 0 -> disk.readErrors = chance;
      case 1 -> disk.writeErrors = chance;
      default -> disk.forceErrors = chance;
    }
    later(
        () -> {
          disk.readErrors = 0;
          disk.writeErrors = 0;
          disk.forceErrors = 0;
        });
  }

  private void slow(int from, int to) {
    run.network().slow(from, to, world.between(1_000_000, 2 * SECOND));
    later(() -> run.network().slow(from, to, 0));
  }

  private void cut(int from, int to, boolean bothWays) {
    if (from == to) {
      return;
    }
    run.network().cut(from, to, true);
    if (bothWays) {
      run.network().cut(to, from, true);
    }
    later(
        () -> {
          run.network().cut(from, to, false);
          run.network().cut(to, from, false);
        });
  }

  @Override
  public String toString() {
    return kinds + " each " + meanNanos / 1_000_000 + " ms";
  }
}
