package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
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
import java.util.Objects;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The nodes of a cluster on this machine, each a process that ends with this one. Node i's ports
/// are the standard ones, plus 100·(i-1), plus an offset. A cluster begins with nodes 1 to N;
/// others join it, and some leave it.
final class LocalNodes implements AutoCloseable {
  private static final int START_SECONDS = 60;
  private static final long LOOK_NANOS = 20_000_000;
  private static final int MAX_PORT = 65_535;
  private static final List<Integer> PORTS = List.of(6379, 8087, 7070, 7071);
  private static final Pattern NODE = Pattern.compile("node-([1-9][0-9]{0,3})");

  /// What a node says that ends because it is no member any more.
  private static final String REMOVED = " was removed from cluster ";

  /// An exit code above this is that of a process which a signal ended.
  private static final int SIGNALLED = 128;

  private final int founders;
  private final Path dir;
  private final int portOffset;
  private final String durability;
  private final int shards;
  private final PrintStream out;

  /// By node: its process, the last one where it was started again.
  private final ConcurrentSkipListMap<Integer, Process> children = new ConcurrentSkipListMap<>();

  /// Nodes that have said that they serve, or have ended before.
  private final Set<Integer> told = ConcurrentHashMap.newKeySet();

  /// Held by one change of the nodes after the other.
  private final Object changing = new Object();

  private int running;
  private volatile @Nullable Thread slowing;
  private volatile boolean closing;
  private volatile IntConsumer ended = node -> {};

  /// @param nodes how many a new cluster begins with, or the directory's cluster has
  /// @param durability none, os or sync
  /// @param shards event loops of each; 0 for as many as its directory says, else as its part of
  ///   the cores
  /// @param out where their lines go
  LocalNodes(int nodes, Path dir, int portOffset, String durability, int shards, PrintStream out) {
    this.founders = nodes;
    this.dir = dir;
    this.portOffset = portOffset;
    this.durability = durability;
    this.shards = shards;
    this.out = out;
  }

  /// Has a listener told of each node that ends by itself or is killed, on a thread of its own.
  void onEnd(IntConsumer listener) {
    ended = listener;
  }

  /// The nodes of a directory's cluster, in order; none if there is none. A member that has left is
  /// none of them, though its directory stays.
  static List<Integer> held(Path dir) throws IOException {
    SortedSet<Integer> directories = directories(dir);
    TopologyState known = known(dir, directories);
    if (known != null) {
      return known.members().stream().map(MemberEntry::number).toList();
    }
    // A founding that was cut short: all that were to found it.
    return directories.isEmpty()
        ? List.of()
        : IntStream.rangeClosed(1, directories.last()).boxed().toList();
  }

  private static SortedSet<Integer> directories(Path dir) throws IOException {
    if (!Files.isDirectory(dir)) {
      return new TreeSet<>();
    }
    try (Stream<Path> entries = Files.list(dir)) {
      return entries
          .map(entry -> NODE.matcher(entry.getFileName().toString()))
          .filter(Matcher::matches)
          .map(name -> Integer.parseInt(name.group(1)))
          .collect(Collectors.toCollection(TreeSet::new));
    }
  }

  /// The latest topology that a node's directory knows; null if none does.
  private static @Nullable TopologyState known(Path dir, Set<Integer> directories)
      throws IOException {
    TopologyState latest = null;
    for (int node : directories) {
      Path data = dir.resolve("node-" + node);
      TopologyState known = KnownTopology.lastKnown(DirectoryFileSystem.forReading(data));
      if (known != null && (latest == null || known.epoch() > latest.epoch())) {
        latest = known;
      }
    }
    return latest;
  }

  /// Whether all can be started: looks at the directory and the ports, and changes nothing.
  ///
  /// @return the nodes, in order
  /// @throws IllegalArgumentException if the offset leaves no ports
  /// @throws IOException if a port is taken or the directory is another cluster's
  List<Integer> look() throws IOException {
    List<Integer> held = held(dir);
    if (!held.isEmpty() && held.size() != founders) {
      throw new IOException(
          "%s holds a cluster of %d: start it with --nodes %d, or take another --dir"
              .formatted(dir, held.size(), held.size()));
    }
    List<Integer> numbers =
        held.isEmpty() ? IntStream.rangeClosed(1, founders).boxed().toList() : held;
    int most = MAX_PORT - Collections.max(PORTS) - 100 * (numbers.getLast() - 1);
    if (portOffset > most) {
      throw new IllegalArgumentException("--port-offset is at most %d here".formatted(most));
    }
    int offset = keptOffset();
    if (offset != portOffset) {
      throw new IOException(
          "the nodes of %s keep their ports: start them with --port-offset %d, or take another --dir"
              .formatted(dir, offset));
    }
    for (int node : numbers) {
      checkFree(node);
    }
    return numbers;
  }

  /// Starts all and waits until they serve, know each other alive and have a quorum.
  ///
  /// @throws IllegalArgumentException if the offset leaves no ports
  /// @throws IOException if a port is taken, the directory is another cluster's or a node does not
  ///   start
  void start() throws IOException, InterruptedException {
    List<Integer> numbers = look();
    for (int node : numbers) {
      start(node, numbers);
    }
    for (int node : numbers) {
      awaitTold(node, "all are stopped; a busy machine may need longer");
    }
    awaitAll();
  }

  /// Starts a node that joins, and waits until it serves and all see each other.
  ///
  /// @return the newcomer's number
  /// @throws IOException if the node is not let in, a port is taken or no node answers
  int add() throws IOException, InterruptedException {
    synchronized (changing) {
      return addNext();
    }
  }

  private int addNext() throws IOException, InterruptedException {
    int node =
        AdminPage.get("127.0.0.1:" + adminPort(anyAlive(0)), "/cluster").path("nextMember").asInt();
    int most = MAX_PORT - Collections.max(PORTS) - 100 * (node - 1);
    if (portOffset > most) {
      throw new IOException("there are no ports left for a node %d".formatted(node));
    }
    checkFree(node);
    told.remove(node);
    start(node, List.copyOf(children.keySet()));
    try {
      awaitTold(node, "it goes on: look at its /health and at `tern cluster status`");
      awaitAll();
    } catch (IOException e) {
      if (!child(node).isAlive()) {
        children.remove(node);
      }
      throw e;
    }
    return node;
  }

  /// Lets a node go: its process ends when others have its replicas.
  ///
  /// @param anyway also where keys are left with fewer replicas
  /// @throws IOException if the cluster refuses, with its reason
  void remove(int node, boolean anyway) throws IOException {
    synchronized (changing) {
      Process child = child(node);
      ObjectNode body = AdminPage.body().put("number", node).put("anyway", anyway);
      AdminPage.post("127.0.0.1:" + adminPort(anyAlive(node)), "/cluster/leave", body);
      if (!child.isAlive()) {
        children.remove(node, child);
      }
    }
  }

  private int anyAlive(int but) throws IOException {
    for (var each : children.entrySet()) {
      if (each.getKey() != but && each.getValue().isAlive()) {
        return each.getKey();
      }
    }
    throw new IOException("no other node runs");
  }

  private Process child(int node) throws IOException {
    Process child = children.get(node);
    if (child == null) {
      throw new IOException(
          "there is no node %d; the nodes are %s".formatted(node, children.keySet()));
    }
    return child;
  }

  private Process process(int node) {
    return Objects.requireNonNull(children.get(node), () -> "there is no node " + node);
  }

  /// The nodes that belong to the cluster, running or not.
  Set<Integer> nodes() {
    return children.keySet();
  }

  /// The offset that the cluster's topology says; that of this object where nobody knows one.
  private int keptOffset() throws IOException {
    TopologyState known = known(dir, directories(dir));
    if (known == null) {
      return portOffset;
    }
    MemberEntry first = known.members().getFirst();
    return first.member().ports().internode() - 7071 - 100 * (first.number() - 1);
  }

  /// @param otherwise what becomes of the node where it does not serve in time
  private void awaitTold(int node, String otherwise) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (!told.contains(node) && System.nanoTime() < deadline) {
      LockSupport.parkNanos(LOOK_NANOS);
    }
    if (!child(node).isAlive()) {
      throw new IOException(
          "node %d did not start; the terminal of the playground shows why".formatted(node));
    }
    if (!told.contains(node)) {
      throw new IOException(
          "node %d is not ready after %d s; %s".formatted(node, START_SECONDS, otherwise));
    }
  }

  private void awaitAll() throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    for (var each : children.entrySet()) {
      int node = each.getKey();
      while (each.getValue().isAlive() && !seesAll(node)) {
        if (System.nanoTime() > deadline) {
          throw new IOException("node " + node + " does not reach all others; see the lines above");
        }
        LockSupport.parkNanos(LOOK_NANOS);
      }
    }
  }

  private boolean seesAll(int node) {
    try {
      JsonNode health = AdminPage.get("127.0.0.1:" + adminPort(node), "/health");
      long alive = children.values().stream().filter(Process::isAlive).count();
      return health.path("live").asInt() >= alive && health.path("status").asText().equals("ok");
    } catch (IOException e) {
      return false;
    }
  }

  private int shift(int node) {
    return 100 * (node - 1) + portOffset;
  }

  private void checkFree(int node) throws IOException {
    for (int port : PORTS) {
      checkPort(port + shift(node));
    }
  }

  private static void checkPort(int port) throws IOException {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress("127.0.0.1", port));
    } catch (IOException e) {
      throw new IOException(
          "port " + port + " is in use: try --port-offset, or stop what uses it", e);
    }
  }

  /// Whom a node is told of: a founder of all founders, also where it has lost its directory;
  /// another one of all nodes but itself.
  private List<Integer> seeds(int node, List<Integer> nodes) throws IOException {
    TopologyState known = known(dir, directories(dir));
    if (known == null) {
      return nodes;
    }
    List<Integer> first = known.founding().founders().stream().map(MemberEntry::number).toList();
    return first.contains(node) ? first : nodes.stream().filter(each -> each != node).toList();
  }

  private void start(int node, List<Integer> nodes) throws IOException {
    Path data = dir.resolve("node-" + node);
    Files.createDirectories(data);
    List<Integer> seeds = seeds(node, nodes);
    String listed =
        seeds.stream()
            .map(
                i ->
                    "%d@127.0.0.1:%d/%d/%d"
                        .formatted(i, 7071 + shift(i), 6379 + shift(i), 7070 + shift(i)))
            .collect(Collectors.joining(","));
    int cores = Runtime.getRuntime().availableProcessors();
    int written = shards > 0 ? shards : ServerConfig.writtenShards(data);
    int loops = written > 0 ? written : Math.max(1, cores / Math.max(2, nodes.size()));
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
            "--seeds",
            listed,
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
    children.put(node, child);
    Thread.ofPlatform().daemon().name("tern-node-" + node).start(() -> follow(node, child));
  }

  /// Passes a node's lines on, and says when it is ready and when it has ended.
  private void follow(int node, Process child) {
    boolean removed = false;
    try (BufferedReader lines = child.inputReader()) {
      String line;
      while ((line = lines.readLine()) != null) {
        removed |= line.contains(REMOVED);
        boolean isReady = line.startsWith("ready ");
        out.println("node " + node + ": " + line + (isReady ? " pid=" + child.pid() : ""));
        if (isReady) {
          told.add(node);
        }
      }
    } catch (IOException e) {
      if (!closing) {
        out.println("node " + node + ": its output ended: " + e.getMessage());
      }
    }
    if (!closing && removed) {
      children.remove(node, child);
      out.println("node %d has left the cluster; its directory can go".formatted(node));
    } else if (!closing) {
      out.println("node %d has ended (%s)".formatted(node, cause(child)));
      ended.accept(node);
    }
    told.add(node);
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
    process(node).destroyForcibly();
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
      long pid = process(node).pid();
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
    process(node).waitFor();
    start(node, List.copyOf(children.keySet()));
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
    Process child = child(node);
    if (child.isAlive()) {
      throw new IOException("node %d runs (pid %d)".formatted(node, child.pid()));
    }
    start(node, List.copyOf(children.keySet()));
  }

  /// A node's Redis door and process, for a load.
  RespLoad.Server server(int node) {
    return new RespLoad.Server("127.0.0.1:" + redisPort(node), process(node).toHandle());
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
    for (Process child : children.values()) {
      child.destroy();
    }
    for (Process child : children.values()) {
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
