package dev.tern.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// A cluster on this machine, one process a node.
@Command(
    name = "playground",
    description = "Runs a local cluster until it is interrupted; data stays in its directory.",
    mixinStandardHelpOptions = true)
final class PlaygroundCommand implements Callable<Integer> {
  private static final int START_SECONDS = 60;

  @Option(names = "--nodes", description = "how many (default ${DEFAULT-VALUE})")
  private int nodes = 3;

  @Option(names = "--dir", description = "where the data lies (default ${DEFAULT-VALUE})")
  private Path dir = Path.of("playground");

  @Option(names = "--port-offset", description = "added to every port")
  private int portOffset;

  @Option(names = "--durability", description = "none, os or sync (default ${DEFAULT-VALUE})")
  private String durability = "sync";

  @Option(names = "--shards", description = "event loops a node; 0: by the cores there are")
  private int shards;

  private final List<Process> children = new ArrayList<>();

  @Override
  public Integer call() throws Exception {
    if (nodes < 1 || nodes > 64 || portOffset < 0) {
      throw new IllegalArgumentException("nodes lie between 1 and 64, the offset is not negative");
    }
    for (int i = 1; i <= nodes; i++) {
      for (int port : new int[] {6379, 7070, 7071}) {
        checkFree(port + shift(i));
      }
    }
    Runtime.getRuntime().addShutdownHook(new Thread(this::stop, "tern-shutdown"));
    CountDownLatch ready = new CountDownLatch(nodes);
    CountDownLatch over = new CountDownLatch(nodes);
    for (int i = 1; i <= nodes; i++) {
      start(i, ready, over);
    }
    if (!ready.await(START_SECONDS, TimeUnit.SECONDS)
        || children.stream().anyMatch(child -> !child.isAlive())) {
      throw new IOException("not all nodes started; see the lines above");
    }
    int first = 6379 + shift(1);
    System.out.println("ready: " + nodes + " nodes, data in " + dir.toAbsolutePath().normalize());
    System.out.printf("  redis-cli -p %d            any node serves every key%n", first);
    System.out.printf("  redis-cli -c -p %d         or as a cluster%n", first);
    System.out.printf("  curl 127.0.0.1:%d/health   /metrics /cluster%n", 7070 + shift(1));
    System.out.printf("  ./tern cluster status --admin 127.0.0.1:%d%n", 7070 + shift(1));
    System.out.println("Ctrl-C stops it.");
    over.await();
    throw new IOException("all nodes have ended");
  }

  private int shift(int node) {
    return 100 * (node - 1) + portOffset;
  }

  private static void checkFree(int port) throws IOException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress("127.0.0.1", port));
    } catch (IOException e) {
      throw new IOException(
          "port " + port + " is in use: try --port-offset, or stop what uses it", e);
    }
  }

  private void start(int node, CountDownLatch ready, CountDownLatch over) throws IOException {
    Path data = dir.resolve("node-" + node);
    Files.createDirectories(data);
    StringBuilder members = new StringBuilder();
    for (int i = 1; i <= nodes; i++) {
      members.append(i == 1 ? "" : ",");
      members.append(
          "%d@127.0.0.1:%d/%d/%d".formatted(i, 7071 + shift(i), 6379 + shift(i), 7070 + shift(i)));
    }
    int cores = Runtime.getRuntime().availableProcessors();
    int loops = shards > 0 ? shards : Math.max(1, cores / Math.max(2, nodes));
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(List.of(System.getProperty("tern.server.flags", "-Xmx1g").split(" ")));
    command.addAll(
        List.of(
            "-cp",
            System.getProperty("java.class.path"),
            Main.class.getName(),
            "server",
            "--end-with-parent",
            "--data",
            data.toString(),
            "--number",
            Integer.toString(node),
            "--members",
            members.toString(),
            "--shards",
            Integer.toString(loops),
            "--durability",
            durability,
            "--redis-port",
            Integer.toString(6379 + shift(node)),
            "--admin-port",
            Integer.toString(7070 + shift(node)),
            "--internode-port",
            Integer.toString(7071 + shift(node))));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    children.add(child);
    Thread.ofPlatform()
        .daemon()
        .name("tern-node-" + node)
        .start(() -> follow(node, child, ready, over));
  }

  /// Passes a node's lines on, and says when it is ready and when it has ended.
  private static void follow(int node, Process child, CountDownLatch ready, CountDownLatch over) {
    boolean counted = false;
    try (BufferedReader lines = child.inputReader()) {
      String line;
      while ((line = lines.readLine()) != null) {
        System.out.println("node " + node + ": " + line);
        if (line.startsWith("ready ") && !counted) {
          counted = true;
          ready.countDown();
        }
      }
    } catch (IOException e) {
      System.out.println("node " + node + ": its output ended: " + e.getMessage());
    }
    System.out.println("node " + node + " has ended");
    if (!counted) {
      ready.countDown();
    }
    over.countDown();
  }

  private void stop() {
    for (Process child : children) {
      child.destroy();
    }
    for (Process child : children) {
      try {
        if (!child.waitFor(15, TimeUnit.SECONDS)) {
          child.destroyForcibly();
        }
      } catch (InterruptedException e) {
        child.destroyForcibly();
      }
    }
  }
}
