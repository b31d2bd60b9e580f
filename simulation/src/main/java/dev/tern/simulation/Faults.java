package dev.tern.simulation;

/// What goes wrong in a run: each seed picks which kinds, and when.
final class Faults {
  private static final long SECOND = ClusterRun.SECOND;

  private final ClusterRun run;
  private final World world;
  private final boolean powerCuts;
  private final boolean processCrashes;
  private final boolean partitions;
  private final boolean lossyNetwork;
  private final boolean clockSteps;
  private final boolean slowDisks;

  Faults(ClusterRun run) {
    this.run = run;
    this.world = run.world;
    this.powerCuts = world.chance(0.5);
    this.processCrashes = world.chance(0.4);
    this.partitions = world.chance(0.4);
    this.lossyNetwork = world.chance(0.5);
    this.clockSteps = world.chance(0.4);
    this.slowDisks = world.chance(0.3);
  }

  boolean powerCuts() {
    return powerCuts;
  }

  boolean mayCauseSuspicion() {
    return powerCuts || processCrashes || partitions || lossyNetwork;
  }

  void begin() {
    if (lossyNetwork) {
      run.network().loss = world.random.nextDouble() * 0.05;
      run.network().duplication = world.random.nextDouble() * 0.1;
      run.network().delayNanos = world.between(200_000, 5_000_000);
    }
    next();
  }

  private void next() {
    world.schedule(
        world.between(SECOND / 20, SECOND),
        0,
        () -> {
          if (world.nanos() < SECOND + run.chaosNanos) {
            happen();
            next();
          }
        });
  }

  private int anyNode() {
    return 1 + world.random.nextInt(run.nodeCount);
  }

  private void happen() {
    int node = anyNode();
    boolean up = run.node(node) != null;
    switch (world.random.nextInt(6)) {
      case 0 -> {
        if (powerCuts && up) {
          // In the middle of an I/O soon to come.
          run.disk(node).crashAfter(world.random.nextInt(40));
        }
      }
      case 1 -> {
        if (powerCuts && up) {
          run.crash(node, true);
        }
      }
      case 2 -> {
        if (processCrashes && up) {
          run.crash(node, false);
        }
      }
      case 3 -> {
        if (partitions) {
          cut(node, anyNode(), world.chance(0.5));
        }
      }
      case 4 -> {
        if (clockSteps) {
          run.clock(node).offsetMillis = world.between(-20_000, 20_000);
        }
      }
      default -> {
        if (slowDisks && up) {
          run.loop(node).slownessNanos = world.between(50_000, 50_000_000);
        }
      }
    }
  }

  private void cut(int from, int to, boolean bothWays) {
    if (from == to) {
      return;
    }
    run.network().cut(from, to, true);
    if (bothWays) {
      run.network().cut(to, from, true);
    }
    world.schedule(
        world.between(SECOND / 5, 3 * SECOND),
        0,
        () -> {
          run.network().cut(from, to, false);
          run.network().cut(to, from, false);
        });
  }
}
