package dev.tern.cli;

import dev.tern.bench.RespLoad;
import dev.tern.client.Bucket;
import dev.tern.client.Codec;
import dev.tern.client.TernClient;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// The training run of the JVM's AOT cache (JEP 483, 514, 515): three nodes in this process, as
/// `tern server` starts them, a short load through both doors, and the commands that look at them.
/// The script `tern` runs it once after a build, with `-XX:AOTCacheOutput`; later starts of nodes
/// find their classes loaded, linked and profiled.
@Command(
    name = "train",
    hidden = true,
    description = "Runs what the AOT cache of later starts is made from.")
final class TrainCommand implements Callable<Integer> {
  private static final int NODES = 3;

  /// Of a node: Redis, Riak, admin, internode.
  private static final int PORTS = 4;

  private static final int CLIENT_OPERATIONS = 1_000;
  private static final long START_NANOS = TimeUnit.SECONDS.toNanos(60);
  private static final long LOOK_NANOS = 20_000_000;

  /// One-second rounds of 20 connections that send 4 requests together, without a warm-up.
  private static final RespLoad.Options LOAD = new RespLoad.Options(20, 4, 100, 1000, 1, 1, 0, 0);

  @Option(names = "--dir", required = true, description = "for the nodes' data, empty before")
  private Path dir = Path.of("");

  @Override
  public Integer call() throws Exception {
    Files.createDirectories(dir);
    List<Integer> ports = Ports.free(NODES * PORTS);
    List<String> admins = new ArrayList<>();
    for (int node = 1; node <= NODES; node++) {
      run(server(node, ports));
      admins.add("127.0.0.1:" + port(ports, node, 2));
    }
    awaitAll(admins);
    PrintStream nowhere =
        new PrintStream(OutputStream.nullOutputStream(), false, StandardCharsets.UTF_8);
    for (int node = 1; node <= NODES; node++) {
      RespLoad.Server door = new RespLoad.Server("127.0.0.1:" + port(ports, node, 0), null);
      RespLoad.compare(List.of(door), "mixed", LOAD, nowhere);
    }
    useClient("127.0.0.1:" + port(ports, 1, 1));
    String admin = admins.getFirst();
    AdminPage.text(admin, "/metrics");
    run("cluster", "status", "--admin", admin);
    run("keyspace", "list", "--admin", admin);
    return 0;
  }

  private static void run(String... command) {
    int code = Main.line(command).execute(command);
    if (code != 0) {
      throw new IllegalStateException(
          "`tern %s` ended with %d".formatted(String.join(" ", command), code));
    }
  }

  private String[] server(int node, List<Integer> ports) {
    StringBuilder seeds = new StringBuilder();
    for (int i = 1; i <= NODES; i++) {
      seeds.append(i == 1 ? "" : ",");
      seeds.append(
          "%d@127.0.0.1:%d/%d/%d/zone/100/%d"
              .formatted(
                  i, port(ports, i, 3), port(ports, i, 0), port(ports, i, 2), port(ports, i, 1)));
    }
    return new String[] {
      "server",
      "--data=" + dir.resolve("node-" + node),
      "--number=" + node,
      "--seeds=" + seeds,
      "--memory=64",
      "--shards=1",
      "--redis-port=" + port(ports, node, 0),
      "--riak-port=" + port(ports, node, 1),
      "--admin-port=" + port(ports, node, 2),
      "--internode-port=" + port(ports, node, 3)
    };
  }

  private static void awaitAll(List<String> admins) throws IOException {
    long deadline = System.nanoTime() + START_NANOS;
    for (String admin : admins) {
      while (AdminPage.get(admin, "/health").path("live").asInt() < NODES) {
        if (System.nanoTime() > deadline) {
          throw new IOException("the nodes of the training do not find each other");
        }
        LockSupport.parkNanos(LOOK_NANOS);
      }
    }
  }

  private static void useClient(String door) throws Exception {
    try (TernClient client = TernClient.connect(door)) {
      Bucket<String> bucket = client.bucket("default", "training", Codec.text());
      for (int i = 0; i < CLIENT_OPERATIONS; i++) {
        bucket.put("key-" + i, "value").get();
        bucket.get("key-" + i).get();
      }
    }
  }

  private static int port(List<Integer> ports, int node, int door) {
    return ports.get((node - 1) * PORTS + door);
  }
}
