package dev.tern.simulation;

import dev.tern.core.context.PlantedBug;
import dev.tern.lsm.LsmBug;
import dev.tern.world.World;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Runs a cluster from a seed.
public final class Simulation {
  private Simulation() {}

  /// What came of a seed.
  ///
  /// @param events that happened
  /// @param simulatedMillis that passed
  /// @param hash of all events: two runs of a seed have the same
  /// @param failure the first broken promise, null for none
  public record Result(long events, long simulatedMillis, long hash, @Nullable String failure) {
    /// What came of a run in a world that ended so.
    static Result of(World world, @Nullable String failure) {
      return new Result(world.events(), world.millis(), world.hash(), failure);
    }
  }

  /// The seed in which replicas are moved that a number stands for: by a script for an even one, by
  /// the leader of the topology log for an odd one, as weights change.
  public static long movingSeed(long number) {
    long half = number >> 1;
    return (number & 1) == 0 ? half << 2 | ClusterRun.MOVING : half << 3 | ClusterRun.WEIGHING;
  }

  /// What the run of a seed concentrates on, as the messages of failures say it: its theme, whether
  /// replicas are moved, levels and faults.
  static String describe(long seed) {
    return new ClusterRun(seed, PlantedBug.NONE, LsmBug.NONE).toString();
  }

  /// Runs one seed to its end or its first broken promise.
  ///
  /// @param plant a name of [PlantedBug] or [LsmBug], `NONE` for none
  /// @throws IllegalArgumentException if there is no such mistake
  public static Result run(long seed, String plant) {
    return run(seed, plant, line -> {});
  }

  /// Runs one seed, and tells what its nodes report meanwhile.
  ///
  /// @param plant a name of [PlantedBug] or [LsmBug], `NONE` for none
  /// @param trace takes a line of each event of a node: simulated time, node, event
  /// @throws IllegalArgumentException if there is no such mistake
  public static Result run(long seed, String plant, Consumer<String> trace) {
    PlantedBug bug = PlantedBug.NONE;
    LsmBug lsmBug = LsmBug.NONE;
    boolean found = false;
    for (PlantedBug each : PlantedBug.values()) {
      if (each.name().equals(plant)) {
        bug = each;
        found = true;
      }
    }
    for (LsmBug each : LsmBug.values()) {
      if (each.name().equals(plant)) {
        lsmBug = each;
        found = true;
      }
    }
    if (!found) {
      throw new IllegalArgumentException("no planted bug has the name " + plant);
    }
    ClusterRun run = new ClusterRun(seed, bug, lsmBug);
    run.trace(trace);
    return Result.of(run.world, run.run());
  }
}
