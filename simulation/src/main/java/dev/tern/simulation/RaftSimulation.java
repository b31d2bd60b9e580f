package dev.tern.simulation;

import dev.tern.raft.RaftBug;

/// Runs Raft groups from a seed.
public final class RaftSimulation {
  private RaftSimulation() {}

  /// Runs one seed to its end or its first broken promise.
  ///
  /// @param plant a name of [RaftBug], `NONE` for none
  /// @throws IllegalArgumentException if there is no such mistake
  public static Simulation.Result run(long seed, String plant) {
    RaftRun run = new RaftRun(seed, RaftBug.valueOf(plant));
    return Simulation.Result.of(run.world, run.run());
  }
}
