package dev.tern.simulation;

import dev.tern.core.topology.log.TopologyBug;

/// Runs topology logs from a seed.
public final class TopologySimulation {
  private TopologySimulation() {}

  /// Runs one seed to its end or its first broken promise.
  ///
  /// @param plant a name of [TopologyBug], `NONE` for none
  /// @throws IllegalArgumentException if there is no such mistake
  public static Simulation.Result run(long seed, String plant) {
    TopologyRun run = new TopologyRun(seed, TopologyBug.valueOf(plant));
    return Simulation.Result.of(run.world, run.run());
  }
}
