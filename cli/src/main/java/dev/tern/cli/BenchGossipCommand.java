package dev.tern.cli;

import dev.tern.core.gossip.GossipBounds;
import dev.tern.core.gossip.GossipBug;
import dev.tern.simulation.GossipChaos;
import dev.tern.simulation.GossipFigures;
import dev.tern.simulation.GossipFigures.Conditions;
import dev.tern.simulation.GossipFigures.Figures;
import dev.tern.simulation.GossipPlot;
import dev.tern.simulation.Simulation;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Gossip in simulated clusters of many sizes; or small ones in which all goes wrong.
@Command(
    name = "gossip",
    description = {
      "Measures gossip in simulated clusters: detection, convergence, false positives, bytes.",
      "With --chaos: random small clusters in which all goes wrong, and a check of what they promise."
    },
    mixinStandardHelpOptions = true)
final class BenchGossipCommand implements Callable<Integer> {
  /// Member-milliseconds of the steady time of each size: small clusters run longer.
  private static final long STEADY = 18_000_000;

  @Option(names = "--sizes", split = ",", description = "default: ${DEFAULT-VALUE}")
  private int[] sizes = {3, 10, 30, 100, 300, 1000};

  @Option(names = "--seed", description = "of the figures, or the first of --chaos")
  private long seed = 1;

  @Option(names = "--html", description = "writes the plots to this file")
  private @Nullable Path html;

  @Option(names = "--chaos", description = "so many seeds of chaos instead")
  private int chaos;

  @Option(
      names = "--plant",
      description = "with --chaos, a mistake to find: ${COMPLETION-CANDIDATES}")
  private GossipBug plant = GossipBug.NONE;

  @Override
  public Integer call() throws IOException {
    if (chaos > 0) {
      return runChaos();
    }
    List<Figures> lossy = measure("a tenth of the datagrams lost", 0.1, 0);
    List<Figures> slow = measure("a tenth of the members slow", 0, 10);
    if (html != null) {
      Files.writeString(html, GossipPlot.html(lossy, slow));
      System.out.println("plots in " + html);
    }
    return 0;
  }

  private List<Figures> measure(String title, double loss, int slowPercent) {
    System.out.printf(
        "%n%s; times in ms until the last member has seen it%n"
            + "members   death p50     max   bound    join   leave    cold"
            + "   false deaths (healthy) / member-hours  suspicions  bytes/s packets/s%n",
        title);
    List<Figures> all = new ArrayList<>();
    for (int size : sizes) {
      int deaths = Math.max(3, Math.min(60, 900 / size));
      Conditions conditions =
          new Conditions(loss, slowPercent, Math.max(10_000, STEADY / size), deaths);
      Figures f = GossipFigures.measure(seed, size, conditions);
      all.add(f);
      List<Long> detected = f.detectedMillis().stream().sorted().toList();
      System.out.printf(
          "%7d   %9d %7d %7d %7d %7d %7d   %12d (%7d) / %12.1f  %10d  %7.0f %9.1f%n",
          size,
          detected.get(detected.size() / 2),
          detected.getLast(),
          GossipBounds.detectionMillis(size),
          f.joinMillis(),
          f.leaveMillis(),
          f.coldStartMillis(),
          f.falseDeaths(),
          f.falseDeathsOfHealthy(),
          f.memberHours(),
          f.falseSuspicions(),
          f.bytesPerSecond(),
          f.packetsPerSecond());
    }
    return all;
  }

  private int runChaos() {
    int found = 0;
    for (long current = seed; current < seed + chaos; current++) {
      Simulation.Result result = GossipChaos.run(current, plant);
      if (result.failure() != null) {
        found++;
        System.out.printf("seed %d plant %s FAILED: %s%n", current, plant, result.failure());
      }
    }
    System.out.printf("%d of %d seeds failed%n", found, chaos);
    return (found == 0) == (plant == GossipBug.NONE) ? 0 : 1;
  }
}
