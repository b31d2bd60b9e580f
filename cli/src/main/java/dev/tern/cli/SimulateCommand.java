package dev.tern.cli;

import dev.tern.simulation.AvailabilityRun;
import dev.tern.simulation.RaftSimulation;
import dev.tern.simulation.Simulation;
import dev.tern.simulation.TopologySimulation;
import java.util.concurrent.Callable;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Whole clusters in one thread, from seeds.
@Command(
    name = "simulate",
    description = "Runs simulated clusters from seeds and checks what they promise.",
    mixinStandardHelpOptions = true)
final class SimulateCommand implements Callable<Integer> {
  @Option(names = "--seed", description = "one seed, replayed exactly")
  private @Nullable Long seed;

  @Option(names = "--trace", description = "with --seed: what the nodes report, line by line")
  private boolean trace;

  @Option(names = "--minutes", description = "random seeds for so long")
  private double minutes = 1;

  @Option(
      names = "--plant",
      description =
          "a mistake to find: a name of PlantedBug or LsmBug, with --raft of RaftBug, with"
              + " --topology of TopologyBug")
  private String plant = "NONE";

  @Option(names = "--raft", description = "Raft groups alone instead of whole clusters")
  private boolean raft;

  @Option(names = "--topology", description = "topology logs alone instead of whole clusters")
  private boolean topology;

  @Option(names = "--moving", description = "only seeds in which replicas are moved")
  private boolean moving;

  @Option(
      names = "--availability",
      description = "simulated hours of three nodes, one in trouble now and then: what succeeds")
  private double availability;

  @Option(names = "--seeds", description = "the seeds from 1 to this, instead of random ones")
  private long seeds;

  @Override
  public Integer call() {
    // What nodes assert is part of what a seed checks. The classes of nodes are initialized below.
    SimulateCommand.class.getClassLoader().setDefaultAssertionStatus(true);
    if (availability > 0) {
      AvailabilityRun.Result result = AvailabilityRun.run(seed == null ? 1 : seed, availability);
      System.out.printf(
          "%.0f hours, %d faults, %d requests, %d within their deadline: %.4f %%%n",
          result.hours(), result.faults(), result.requests(), result.succeeded(), result.percent());
      return result.percent() >= 99.99 ? 0 : 1;
    }
    long begun = System.nanoTime();
    long events = 0;
    long simulatedMillis = 0;
    int runs = 0;
    while (runs == 0 || more(runs, begun)) {
      long random = seeds > 0 ? runs + 1 : ThreadLocalRandom.current().nextLong() >>> 3;
      long drawn = moving ? Simulation.movingSeed(random) : random;
      long current = seed != null ? seed : drawn;
      Simulation.Result result = run(current);
      runs++;
      events += result.events();
      simulatedMillis += result.simulatedMillis();
      if (result.failure() != null) {
        System.out.printf("seed %d plant %s FAILED: %s%n", current, plant, result.failure());
        System.out.printf(
            "found after %.1f s and %d seeds%n", (System.nanoTime() - begun) / 1e9, runs);
        return plant.equals("NONE") ? 1 : 0;
      }
    }
    // The whole process: what the compiler and the collector take is part of the price.
    long cpu = ProcessHandle.current().info().totalCpuDuration().orElseThrow().toNanos();
    double seconds = cpu / 1e9;
    System.out.printf(
        "%d seeds clean, assertions %s, %d events, %.0f cluster-seconds; a second of CPU, JIT and GC included: %.0f events, %.0f cluster-seconds%n",
        runs,
        Simulation.class.desiredAssertionStatus() ? "on" : "off",
        events,
        simulatedMillis / 1e3,
        events / seconds,
        simulatedMillis / 1e3 / seconds);
    return plant.equals("NONE") ? 0 : 1;
  }

  private Simulation.Result run(long current) {
    if (topology) {
      return TopologySimulation.run(current, plant);
    }
    return raft ? RaftSimulation.run(current, plant) : Simulation.run(current, plant, lines());
  }

  private Consumer<String> lines() {
    return trace && seed != null ? System.out::println : line -> {};
  }

  private boolean more(int runs, long begun) {
    boolean time = System.nanoTime() - begun < (long) (minutes * 60e9);
    return seed == null && (seeds > 0 ? runs < seeds : time);
  }
}
