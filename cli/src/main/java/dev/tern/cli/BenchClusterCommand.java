package dev.tern.cli;

import dev.tern.bench.Failover;
import dev.tern.bench.RespLoad;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Three nodes under load, and the death of one.
@Command(
    name = "cluster",
    description =
        "Starts three nodes (N=3 R=2 W=2), loads one of them, then kills another under load.",
    mixinStandardHelpOptions = true)
final class BenchClusterCommand implements Callable<Integer> {
  private static final int OFFSET = 22_000;
  private static final int NODES = 3;
  private static final int WARM_UP_SECONDS = 8;

  @Option(names = "--durability", description = "none, os or sync (default ${DEFAULT-VALUE})")
  private String durability = "sync";

  @Option(
      names = "--connections",
      description = "connections of each round (default ${DEFAULT-VALUE})")
  private int connections = 50;

  @Option(names = "--seconds", description = "of each round (default ${DEFAULT-VALUE})")
  private int seconds = 5;

  @Option(names = "--rounds", description = "rounds, peers in turn (default ${DEFAULT-VALUE})")
  private int rounds = 3;

  @Option(
      names = "--workload",
      description = "set, get, incr or mixed (default ${DEFAULT-VALUE})",
      split = ",")
  private String[] workloads = {"set", "get", "mixed"};

  @Override
  public Integer call() throws Exception {
    Path dir = Files.createTempDirectory("tern-bench");
    PrintStream log = new PrintStream(dir.resolve("log").toFile());
    try (LocalNodes nodes = new LocalNodes(NODES, dir, OFFSET, durability, 0, log)) {
      Runtime.getRuntime().addShutdownHook(new Thread(nodes::close, "tern-shutdown"));
      nodes.start();
      System.out.println("three nodes, N=3 R=2 W=2, durability " + durability);
      List<String> servers =
          IntStream.rangeClosed(1, NODES).mapToObj(i -> "127.0.0.1:" + nodes.redisPort(i)).toList();
      RespLoad.Options options =
          new RespLoad.Options(connections, 1, 100, 100_000, seconds, rounds, 0, WARM_UP_SECONDS);
      for (String workload : workloads) {
        RespLoad.compare(List.of(nodes.server(1)), workload, options, System.out);
      }
      return Failover.run(servers, connections, () -> nodes.kill(NODES), System.out) ? 0 : 1;
    }
  }
}
