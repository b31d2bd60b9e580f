package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.tern.bench.RespLoad;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.KnownTopology;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.server.ServerConfig;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The nodes of a cluster on this machine, each a process that ends with this one. Node i's ports
/// are the standard ones, plus 100 for each node before it, plus an offset.
final class LocalNodes implements AutoCloseable {
  private static final int START_SECONDS = 60;
  private static final long LOOK_NANOS = 20_000_000;
  private static final int MAX_PORT = 65_535;
  private static final List<Integer> PORTS = List.of(6379, 8087, 7070, 7071);
  private static final Pattern NODE = Pattern.compile("node-([1-9][0-9]{0,3})");

  /// An exit code above this is that of a process which a signal ended.
  private static final int SIGNALLED = 128;

  private final int nodes;
  private final Path dir;
  private final int portOffset;
  private final String durability;
  private final int shards;
  private final PrintStream out;
  private final List<Process> children = new CopyOnWriteArrayList<>();
  private final CountDownLatch ready;
  private int running;
  private volatile @Nullable Thread slowing;
  private volatile boolean closing;
  private volatile IntConsumer ended = node -> {};

  /// @param durability none, os or sync
  /// @param shards event loops of each; 0 for as many as its directory says, else as its part of
  ///   the cores
  /// @param out where their lines go
  LocalNodes(int nodes, Path dir, int portOffset, String durability, int shards, PrintStream out) {
    this.nodes = nodes;
    this.dir = dir;
    this.portOffset = portOffset;
    this.durability = durability;
    this.shards = shards;
    this.out = out;
    this.ready = new CountDownLatch(nodes);
  }

  /// Has a listener told of each node that ends by itself or is killed, on a thread of its own.
  void onEnd(IntConsumer listener) {
    ended = listener;
  }

  /// How many nodes a directory holds the data of: the highest number of a `node-`; 0 if none.
  static int held(Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      return 0;
    }
    try (Stream<Path> entries = Files.list(dir)) {
      return entries
          .map(entry -> NODE.matcher(entry.getFileName().toString()))
          .filter(Matcher::matches)
          .mapToInt(name -> Integer.parseInt(name.group(1)))
          .max()
          .orElse(0);
    }
  }

  /// Starts all and waits until they serve, know each other alive and have a quorum.
  ///
  /// @throws IllegalArgumentException if the offset leaves no ports
  /// @throws IOException if a port is taken, the directory is another cluster's or a node does not
  ///   start
  void start() throws IOException, InterruptedException {
    int most = MAX_PORT - Collections.max(PORTS) - 100 * (nodes - 1);
    if (portOffset > most) {
      throw new IllegalArgumentException("--port-offset is at most %d here".formatted(most));
    }
    int held = held(dir);
    if (held != 0 && held != nodes) {
      throw new IOException(
          "%s holds a cluster of %d: start it with --nodes %d, or take another --dir"
              .formatted(dir, held, held));
    }
    int offset = keptOffset();
    if (offset != portOffset) {
      throw new IOException(
          "the nodes of %s keep their ports: start them with --port-offset %d, or take another --dir"
              .formatted(dir, offset));
    }
    for (int i = 1; i <= nodes; i++) {
      for (int port : PORTS) {
        checkFree(port + shift(i));
      }
    }
    for (int i = 1; i <= nodes; i++) {
      start(i);
    }
    if (!ready.await(START_SECONDS, TimeUnit.SECONDS)
        || children.stream().anyMatch(child -> !child.isAlive())) {
      throw new IOException("not all nodes started; see the lines above");
    }
    awaitAll();
  }

  /// The offset that the first node's directory says; that of this object where it says none.
  private int keptOffset() throws IOException {
    Path first = dir.resolve("node-1");
    if (Files.isDirectory(first)) {
      TopologyState known = KnownTopology.lastKnown(DirectoryFileSystem.forReading(first));
      for (MemberEntry each : known == null ? List.<MemberEntry>of() : known.members()) {
        if (each.number() == 1) {
          return each.member().ports().internode() - 7071;
        }
      }
    }
    return portOffset;
  }

  private void awaitAll() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    for (int i = 1; i <= nodes; i++) {
      while (!seesAll(i)) {
        if (System.nanoTime() > deadline || !children.get(i - 1).isAlive()) {
          throw new IOException("node " + i + " does not reach all others; see the lines above");
        }
        LockSupport.parkNanos(LOOK_NANOS);
      }
    }
  }

  private boolean seesAll(int node) {
    try {
      JsonNode health = AdminPage.get("127.0.0.1:" + adminPort(node), "/health");
      return health.path("live").asInt() == nodes && health.path("status").asText().equals("ok");
    } catch (IOException e) {
      return false;
    }
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

  private void start(int node) throws IOException {
    Path data = dir.resolve("node-" + node);
    Files.createDirectories(data);
    StringBuilder seeds = new StringBuilder();
    for (int i = 1; i <= nodes; i++) {
      seeds.append(i == 1 ? "" : ",");
      seeds.append(
          "%d@127.0.0.1:%d/%d/%d".formatted(i, 7071 + shift(i), 6379 + shift(i), 7070 + shift(i)));
    }
    int cores = Runtime.getRuntime().availableProcessors();
    int written = shards > 0 ? shards : ServerConfig.writtenShards(data);
    int loops = written > 0 ? written : Math.max(1, cores / Math.max(2, nodes));
    List<String> command = new ArrayList<>();
    command.add(ProcessHandle.current().info().command().orElse("java"));
    command.addAll(System.getProperty("tern.server.flags", "-Xmx1g").lines().toList());
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
            "--seeds",
            seeds.toString(),
            "--shards",
            Integer.toString(loops),
            "--durability",
            durability,
            "--redis-port",
            Integer.toString(redisPort(node)),
            "--riak-port",
            Integer.toString(riakPort(node)),
            "--admin-port",
            Integer.toString(adminPort(node)),
            "--internode-port",
            Integer.toString(7071 + shift(node))));
    Process child = new ProcessBuilder(command).redirectErrorStream(true).start();
    synchronized (this) {
      running++;
    }
    if (children.size() < node) {
      children.add(child);
    } else {
      children.set(node - 1, child);
    }
    Thread.ofPlatform().daemon().name("tern-node-" + node).start(() -> follow(node, child));
  }

  /// Passes a node's lines on, and says when it is ready and when it has ended.
  private void follow(int node, Process child) {
    boolean counted = false;
    try (BufferedReader lines = child.inputReader()) {
      String line;
      while ((line = lines.readLine()) != null) {
        boolean isReady = line.startsWith("ready ");
        out.println("node " + node + ": " + line + (isReady ? " pid=" + child.pid() : ""));
        if (isReady && !counted) {
          counted = true;
          ready.countDown();
        }
      }
    } catch (IOException e) {
      if (!closing) {
        out.println("node " + node + ": its output ended: " + e.getMessage());
      }
    }
    if (!closing) {
      out.println("node %d has ended (%s)".formatted(node, cause(child)));
      ended.accept(node);
    }
    if (!counted) {
      ready.countDown();
    }
    synchronized (this) {
      running--;
      notifyAll();
    }
  }

  private static String cause(Process child) {
    try {
      int code = child.waitFor();
      return code > SIGNALLED ? "signal " + (code - SIGNALLED) : "exit code " + code;
    } catch (InterruptedException e) {
      return "no exit code yet";
    }
  }

  /// The sum of a node's figures whose names begin so.
  double metric(int node, String name) throws IOException {
    return AdminPage.text("127.0.0.1:" + adminPort(node), "/metrics")
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  /// Ends a node as `kill -9` does.
  void kill(int node) {
    children.get(node - 1).destroyForcibly();
  }

  /// Makes a node slow from now on: again and again it is stopped for some milliseconds and then
  /// runs for as long, so that every other request waits up to that time.
  ///
  /// @param millis 0 for no longer
  void slow(int node, int millis) throws IOException, InterruptedException {
    Thread before = slowing;
    slowing = null;
    if (before != null) {
      before.join();
    }
    if (millis > 0) {
      long pid = children.get(node - 1).pid();
      slowing = Thread.ofPlatform().daemon().name("tern-slow").start(() -> pulse(pid, millis));
    }
  }

  private void pulse(long pid, int millis) {
    while (slowing == Thread.currentThread()) {
      signal(pid, "-STOP");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
      signal(pid, "-CONT");
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
    }
  }

  private static void signal(long pid, String which) {
    try {
      new ProcessBuilder("kill", which, Long.toString(pid)).start().waitFor();
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException("kill " + which + " failed", e);
    }
  }

  /// Starts a node that was killed, and waits until it serves and sees all, and all see it.
  void restart(int node) throws IOException, InterruptedException {
    children.get(node - 1).waitFor();
    start(node);
    awaitAll();
  }

  /// Waits until all have ended.
  synchronized void awaitEnd() throws InterruptedException {
    while (running > 0) {
      wait();
    }
  }

  /// Whether [#close] has been called.
  boolean isClosing() {
    return closing;
  }

  /// Starts a node that has ended, and does not wait for it.
  ///
  /// @throws IOException if there is no such node, it runs, or it cannot be started
  void startAgain(int node) throws IOException {
    if (node < 1 || node > nodes) {
      throw new IOException("there is no node %d of %d".formatted(node, nodes));
    }
    if (children.get(node - 1).isAlive()) {
      throw new IOException("node %d runs (pid %d)".formatted(node, children.get(node - 1).pid()));
    }
    start(node);
  }

  /// A node's Redis door and process, for a load.
  RespLoad.Server server(int node) {
    return new RespLoad.Server("127.0.0.1:" + redisPort(node), children.get(node - 1).toHandle());
  }

  int redisPort(int node) {
    return 6379 + shift(node);
  }

  int riakPort(int node) {
    return 8087 + shift(node);
  }

  int adminPort(int node) {
    return 7070 + shift(node);
  }

  /// Asks all to end and waits for it.
  @Override
  public void close() {
    closing = true;
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
