package dev.tern.cli;

import dev.tern.bench.ClientLoad;
import dev.tern.client.Bucket;
import dev.tern.client.Codec;
import dev.tern.client.Level;
import dev.tern.client.TernClient;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// Three nodes under the load of the Java client; and Cassandra under the same, in the same run.
@Command(
    name = "quorum",
    description = {
      "Starts three nodes (N=3 R=2 W=2) and loads them through the Java client: writes, reads, both,"
          + " with one node slow and with one dead.",
      "With --peer SCRIPT (cassandra.sh) the peer's three nodes run and are measured before."
    },
    mixinStandardHelpOptions = true)
final class BenchQuorumCommand implements Callable<Integer> {
  private static final int OFFSET = 23_000;
  private static final int NODES = 3;
  private static final int READS_OF_MIX = 90;
  private static final int SLOW_MILLIS = 50;

  private static final String[] COSTS = {
    "tern_messages_sent_total", "tern_allocated_bytes_total", "process_cpu_time_ns_total"
  };

  @Option(names = "--durability", description = "none, os or sync (default ${DEFAULT-VALUE})")
  private String durability = "os";

  @Option(names = "--in-flight", description = "requests at a time (default ${DEFAULT-VALUE})")
  private int inFlight = 100;

  @Option(names = "--seconds", description = "of each run (default ${DEFAULT-VALUE})")
  private int seconds = 10;

  @Option(
      names = "--warm-up",
      description =
          "seconds before writes are measured, half of it before reads (default ${DEFAULT-VALUE}):"
              + " the JIT of four processes shares the cores")
  private int warmUp = 100;

  @Option(names = "--keys", description = "different keys (default ${DEFAULT-VALUE})")
  private int keys = 100_000;

  @Option(names = "--value-bytes", description = "of each value (default ${DEFAULT-VALUE})")
  private int valueBytes = 100;

  @Option(names = "--resolution", description = "lww or siblings (default ${DEFAULT-VALUE})")
  private String resolution = "lww";

  @Option(
      names = "--phases",
      split = ",",
      description = "of put, get, mix, slow and dead (default: all)")
  private String[] phases = {"put", "get", "mix", "slow", "dead"};

  @Option(names = "--peer", description = "script that starts, benches and stops Cassandra")
  private @Nullable Path peer;

  @Option(names = "--peer-ops", description = "requests of each of the peer's runs")
  private int peerOps = 60_000;

  @Override
  public Integer call() throws Exception {
    if (peer != null) {
      peer(peer);
    }
    Path dir = Files.createTempDirectory("tern-bench");
    PrintStream log = new PrintStream(dir.resolve("log").toFile());
    try (LocalNodes nodes = new LocalNodes(NODES, dir, OFFSET, durability, 0, log)) {
      Runtime.getRuntime().addShutdownHook(new Thread(nodes::close, "tern-shutdown"));
      nodes.start();
      AdminPage.post(
          "127.0.0.1:" + nodes.adminPort(1),
          "/keyspace/create",
          AdminPage.body()
              .put("name", "bench")
              .put("n", NODES)
              .put("resolution", resolution)
              .put("durability", durability));
      System.out.printf(
          "Tern, three nodes, N=3 R=2 W=2, %s, %s, %d in flight, %d bytes%n",
          durability, resolution, inFlight, valueBytes);
      load(nodes);
    }
    return 0;
  }

  private void load(LocalNodes nodes) throws IOException, InterruptedException {
    String[] seeds = new String[NODES];
    for (int i = 0; i < NODES; i++) {
      seeds[i] = "127.0.0.1:" + nodes.riakPort(i + 1);
    }
    try (TernClient client = TernClient.connect(seeds)) {
      Bucket<byte[]> bucket = client.bucket("bench", "b", Codec.bytes()).at(Level.QUORUM);
      ClientLoad load =
          new ClientLoad(bucket, new ClientLoad.Options(inFlight, keys, valueBytes, seconds));
      List<String> wanted = List.of(phases);
      if (wanted.contains("put")) {
        load.run("put-warm", 0, warmUp, System.out);
        measured(nodes, load, "put", 0);
      }
      if (wanted.contains("get")) {
        load.run("get-warm", 100, warmUp / 2, System.out);
        measured(nodes, load, "get", 100);
      }
      if (wanted.contains("mix")) {
        measured(nodes, load, "mix-90:10", READS_OF_MIX);
      }
      if (wanted.contains("slow")) {
        nodes.slow(NODES, SLOW_MILLIS);
        load.run("slow-put", 0, System.out);
        load.run("slow-get", 100, System.out);
        nodes.slow(NODES, 0);
      }
      if (wanted.contains("dead")) {
        nodes.kill(NODES);
        load.run("dead-put", 0, System.out);
        load.run("dead-get", 100, System.out);
      }
      System.out.printf(
          "client: %d requests, %d tried again, %d failed, %d not at a replica%n",
          client.metrics().requests(),
          client.metrics().retries(),
          client.metrics().failures(),
          client.metrics().elsewhere());
    }
  }

  /// A run and what a request of it cost all nodes together.
  private static void measured(LocalNodes nodes, ClientLoad load, String name, int reads)
      throws IOException, InterruptedException {
    double[] before = costs(nodes);
    ClientLoad.Result result = load.run(name, reads, System.out);
    double[] after = costs(nodes);
    double requests = result.requests();
    System.out.printf(
        "%-12s a request, at all nodes: %.2f messages, %,.0f bytes allocated, %.1f us of a core%n",
        "",
        (after[0] - before[0]) / requests,
        (after[1] - before[1]) / requests,
        (after[2] - before[2]) / requests / 1000);
  }

  private static double[] costs(LocalNodes nodes) throws IOException, InterruptedException {
    double[] sums = new double[COSTS.length];
    for (int node = 1; node <= NODES; node++) {
      for (int i = 0; i < COSTS.length; i++) {
        sums[i] += nodes.metric(node, COSTS[i]);
      }
    }
    return sums;
  }

  private void peer(Path script) throws IOException, InterruptedException {
    try {
      run(script, "start", Integer.toString(NODES));
      System.out.println("Cassandra, three nodes, QUORUM, through its driver");
      run(script, "bench", Integer.toString(peerOps));
    } finally {
      run(script, "stop");
    }
  }

  private static void run(Path script, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("bash", script.toString()));
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    try (BufferedReader lines = process.inputReader()) {
      String line;
      while ((line = lines.readLine()) != null) {
        System.out.println(line);
      }
    }
    if (!process.waitFor(10, TimeUnit.MINUTES) || process.exitValue() != 0) {
      throw new IOException(script + " " + String.join(" ", arguments) + " failed");
    }
  }
}
