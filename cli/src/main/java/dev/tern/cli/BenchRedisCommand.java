package dev.tern.cli;

import dev.tern.bench.RespLoad;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// One node under RESP load, next to redis-server.
@Command(
    name = "redis",
    description =
        "Loads servers over RESP and prints medians and ratios. Without --target it starts one Tern"
            + " node and, where it is installed, redis-server with the same durability.",
    mixinStandardHelpOptions = true)
final class BenchRedisCommand implements Callable<Integer> {
  private static final int OFFSET = 21_000;
  private static final int PEER_PORT = 28_379;

  @Option(names = "--target", description = "HOST:PORT of a server that runs")
  private String target = "";

  @Option(names = "--peer", description = "HOST:PORT of its peer")
  private String peer = "";

  @Option(names = "--durability", description = "none, os or sync (default ${DEFAULT-VALUE})")
  private String durability = "os";

  @Option(
      names = "--connections",
      description = "connections of each round (default ${DEFAULT-VALUE})")
  private int connections = 50;

  @Option(names = "--pipeline", split = ",", description = "requests sent together (default 1,16)")
  private int[] pipelines = {1, 16};

  @Option(names = "--value-bytes", description = "of each value (default ${DEFAULT-VALUE})")
  private int valueBytes = 100;

  @Option(names = "--keys", description = "different keys (default ${DEFAULT-VALUE})")
  private int keys = 100_000;

  @Option(names = "--seconds", description = "of each round (default ${DEFAULT-VALUE})")
  private int seconds = 3;

  @Option(names = "--rounds", description = "rounds, peers in turn (default ${DEFAULT-VALUE})")
  private int rounds = 5;

  @Option(
      names = "--warm-up",
      description = "seconds per server before the rounds (default ${DEFAULT-VALUE})")
  private int warmUp = 8;

  @Option(names = "--rate", description = "operations a second in open loop; 0: closed loop")
  private int rate;

  @Option(
      names = "--workload",
      description = "set, get, incr or mixed (default ${DEFAULT-VALUE})",
      split = ",")
  private String[] workloads = {"set", "get"};

  @Override
  public Integer call() throws Exception {
    if (!target.isBlank()) {
      List<RespLoad.Server> servers = new ArrayList<>();
      servers.add(new RespLoad.Server(target, null));
      if (!peer.isBlank()) {
        servers.add(new RespLoad.Server(peer, null));
      }
      load(servers);
      return 0;
    }
    Path dir = Files.createTempDirectory("tern-bench");
    try (LocalNodes node =
        new LocalNodes(
            1, dir, OFFSET, durability, 0, new PrintStream(dir.resolve("log").toFile()))) {
      Runtime.getRuntime().addShutdownHook(new Thread(node::close, "tern-shutdown"));
      node.start();
      Process redis = redis(dir);
      try {
        System.out.println(
            "one node, durability "
                + durability
                + (redis == null ? "; redis-server is not installed" : ", and redis-server"));
        List<RespLoad.Server> servers = new ArrayList<>();
        servers.add(node.server(1));
        if (redis != null) {
          servers.add(new RespLoad.Server("127.0.0.1:" + PEER_PORT, redis.toHandle()));
        }
        load(servers);
      } finally {
        if (redis != null) {
          redis.destroy();
        }
      }
    }
    return 0;
  }

  private void load(List<RespLoad.Server> servers) throws IOException {
    for (int pipeline : pipelines) {
      RespLoad.Options options =
          new RespLoad.Options(
              connections, pipeline, valueBytes, keys, seconds, rounds, rate, warmUp);
      for (String workload : workloads) {
        RespLoad.compare(servers, workload, options, System.out);
      }
    }
  }

  private @org.jspecify.annotations.Nullable Process redis(Path dir) throws IOException {
    boolean installed =
        Arrays.stream(System.getenv().getOrDefault("PATH", "").split(File.pathSeparator, -1))
            .anyMatch(part -> Files.isExecutable(Path.of(part, "redis-server")));
    if (!installed) {
      return null;
    }
    String fsync = durability.equals("sync") ? "always" : "everysec";
    return new ProcessBuilder(
            "redis-server",
            "--port",
            Integer.toString(PEER_PORT),
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            fsync,
            "--dir",
            dir.toString())
        .redirectErrorStream(true)
        .redirectOutput(dir.resolve("redis.log").toFile())
        .start();
  }
}
