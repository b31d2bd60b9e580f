package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteWriter;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLives;
import dev.tern.env.FileReport;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.WriteBatch;
import dev.tern.raft.Membership;
import dev.tern.raft.SnapshotMark;
import dev.tern.raft.log.SnapshotFiles;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.runtime.SystemClock;
import dev.tern.runtime.Workers;
import dev.tern.server.ServerConfig;
import dev.tern.server.TernServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.SetParams;

/// `tern inspect` on the data directory of a node that was stopped.
class InspectTest {
  /// With a log in a store: a node that stops leaves none.
  private static Path stopped(Path data) throws IOException {
    List<TernServer> servers = Servers.start(data, 1);
    for (TernServer server : servers) {
      server.close();
    }
    Path node = data.resolve("node-0");
    try (Workers workers = new Workers(2);
        Lsm store =
            Lsm.open(
                new DirectoryFileSystem(node),
                workers,
                new SystemClock(),
                Randomness.of(1),
                "shard-0",
                LsmOptions.ofMemory(8 << 20).withLogKeptAtClose())) {
      ColumnFamily family = store.columnFamily("meta", CompactionStyle.LEVELED);
      store.write(new WriteBatch().put(family, new byte[] {0, 0, 9}, new byte[100]));
    }
    return node;
  }

  private static List<FileReport> problems(Path root) throws IOException {
    return new DataDirectory(root)
        .reports().stream().filter(report -> !report.problems().isEmpty()).toList();
  }

  private static Map<String, byte[]> contents(Path root) throws IOException {
    TreeMap<String, byte[]> contents = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.filter(Files::isRegularFile).toList()) {
        contents.put(path.toString(), Files.readAllBytes(path));
      }
    }
    return contents;
  }

  private static String out(int exit, Path path, String... options) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      String[] arguments = Arrays.copyOf(options, options.length + 1);
      arguments[options.length] = path.toString();
      assertEquals(exit, new CommandLine(new InspectCommand()).execute(arguments));
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void everyFileOfANodeIsNamedAndNothingIsWritten(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    Map<String, byte[]> before = contents(node);
    TreeSet<FileKind> kinds = new TreeSet<>();
    TreeSet<String> lives = new TreeSet<>();
    int headers = 0;
    for (FileReport report : new DataDirectory(node).reports()) {
      assertEquals(List.of(), report.problems(), report.path());
      assertFalse(report.facts().isEmpty(), report.path());
      FileHeader header = report.header();
      if (header != null) {
        kinds.add(header.kind());
        lives.add(header.life().toString());
        headers++;
      }
    }
    assertTrue(
        kinds.containsAll(
            List.of(
                FileKind.LOG,
                FileKind.MANIFEST,
                FileKind.RAFT_SEGMENT,
                FileKind.KNOWN_TOPOLOGY,
                FileKind.GENERATION)),
        kinds.toString());
    assertEquals(headers, lives.size(), "two files of one life");
    assertTrue(out(0, node).contains(" 0 with problems"));
    String json = out(0, node, "--json");
    assertTrue(json.startsWith("[{\"path\":") && json.contains("\"problems\":[]"), json);
    Map<String, byte[]> after = contents(node);
    assertEquals(before.keySet(), after.keySet());
    before.forEach((path, bytes) -> assertTrue(Arrays.equals(bytes, after.get(path)), path));
  }

  /// With a record of each kind of value, of a key of one's own and of all.
  @Test
  void recordsAreShownByKeyspaceAndKey(@TempDir Path data) throws IOException {
    List<TernServer> servers = Servers.start(data, 1);
    try (Jedis jedis = new Jedis("127.0.0.1", servers.getFirst().port("redis"), 15_000)) {
      jedis.set("plain", "a value");
      jedis.set("counted", "41");
      jedis.incr("counted");
      jedis.set("expiring", "soon", SetParams.setParams().ex(10_000));
      jedis.set(new byte[] {'b', 0, (byte) 0xff}, new byte[] {1, '"'});
      jedis.set("gone", "x");
      jedis.del("gone");
    }
    servers.getFirst().close();
    Path node = data.resolve("node-0");
    Map<String, byte[]> before = contents(node);
    String all = out(0, node, "--keyspace=redis");
    assertTrue(all.contains("last commit: 20"), all);
    assertTrue(all.contains("key \"plain\", slot "), all);
    assertTrue(all.contains("BYTES, dot ") && all.contains("7 bytes \"a value\""), all);
    assertTrue(all.contains(", expires 20") && all.contains("4 bytes \"soon\""), all);
    assertTrue(all.contains("key \"b\\x00\\xff\"") && all.contains("\"\\x01\\x22\""), all);
    assertTrue(all.contains(" count 1") && all.contains("2 bytes \"42\""), all);
    assertTrue(all.contains("0 problems"), all);
    String one = out(0, node, "--keyspace=redis", "--key=b\\x00\\xff");
    assertTrue(one.contains("1 records, 0 problems") && !one.contains("plain"), one);
    assertTrue(out(0, node, "--keyspace=redis", "--key=gone").contains("delete, dot "));
    assertTrue(out(0, node, "--keyspace=redis", "--key=never").contains("0 records, 0 problems"));
    JsonNode json = new ObjectMapper().readTree(out(0, node, "--keyspace=redis", "--json"));
    JsonNode keys = json.path(0).path("records");
    assertEquals(5, keys.size(), json.toString());
    TreeMap<String, String> values = new TreeMap<>();
    keys.forEach(
        key ->
            values.put(
                key.path("key").asText(),
                key.path("versions").path(0).path("value").asText("nothing")));
    assertEquals(
        "{b\\x00\\xff=\\x01\\x22, counted=42, expiring=soon, gone=nothing, plain=a value}",
        values.toString());
    Map<String, byte[]> after = contents(node);
    assertEquals(before.keySet(), after.keySet());
    before.forEach((path, bytes) -> assertTrue(Arrays.equals(bytes, after.get(path)), path));
    assertEquals(1, new CommandLine(new InspectCommand()).execute("--keyspace=none", "" + node));
  }

  private static Path file(Path node, String end) throws IOException {
    for (String name : contents(node).keySet()) {
      if (name.endsWith(end)) {
        return Path.of(name);
      }
    }
    throw new IOException("there is no file *" + end);
  }

  /// A flag that says nothing about what is looked at is refused, not passed over.
  @Test
  void flagsThatDoNotGoTogetherAreRefused(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    Path log = file(node, ".log");
    assertTrue(out(0, log, "--entries").contains(" batch"));
    assertEquals("", out(1, log, "--entries", "--json"));
    assertEquals("", out(1, node, "--entries"));
    assertEquals("", out(1, node, "--entries", "--keyspace=redis"));
    assertEquals("", out(1, node, "--key=k"));
    assertEquals("", out(1, file(node, "known"), "--entries"));
  }

  @Test
  void aFileUnderTheNameOfAnotherKindIsAProblem(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    Path log = file(node, ".log");
    Path moved = Path.of(log.toString().replace(".log", ".table"));
    Files.move(log, moved);
    String said = out(1, moved);
    assertTrue(said.contains("write-ahead log, format 3"), said);
    assertTrue(said.contains("PROBLEM: its name is that of a file of another kind: table"), said);
  }

  /// A store whose manifest is gone is told of; no look at it throws.
  @Test
  void recordsOfADamagedStoreAreAProblem(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    for (String name : contents(node).keySet()) {
      if (name.contains("shard-0") && name.contains("MANIFEST")) {
        byte[] bytes = Files.readAllBytes(Path.of(name));
        bytes[40] ^= 1;
        Files.write(Path.of(name), bytes);
      }
    }
    assertTrue(out(1, node, "--keyspace=redis").contains("PROBLEM: the store cannot be opened"));
  }

  /// Each file is damaged in its middle, cut in half, and taken away.
  @Test
  void whatIsWrongIsSaid(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    assertEquals(List.of(), problems(node));
    for (String name : contents(node).keySet()) {
      Path path = Path.of(name);
      if (name.endsWith("LOCK")) {
        continue;
      }
      byte[] right = Files.readAllBytes(path);
      byte[] damaged = right.clone();
      damaged[4] ^= 1;
      Files.write(path, damaged);
      assertFalse(problems(node).isEmpty(), "damaged " + name);
      assertTrue(out(1, path).contains("PROBLEM"), "damaged " + name);
      if (!name.endsWith(".raftlog")) {
        Files.write(path, Arrays.copyOf(right, 20));
        assertFalse(problems(node).isEmpty(), "cut " + name);
      }
      Files.delete(path);
      boolean mayBeMissing = name.contains("gossip") || name.endsWith(".raftlog");
      assertTrue(mayBeMissing || !problems(node).isEmpty(), "taken away " + name);
      Files.write(path, right);
      assertEquals(List.of(), problems(node));
    }
  }

  @Test
  void aLinkIsFollowedAndNothingIsAProblem(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    Path link = Files.createSymbolicLink(data.resolve("link"), node);
    assertEquals(
        new DataDirectory(node).reports().size(), new DataDirectory(link).reports().size());
    assertEquals(List.of(), problems(link));
    Path empty = Files.createDirectory(data.resolve("empty"));
    assertTrue(out(1, empty).contains("there is no file here"));
  }

  @Test
  void aStoreThatIsNotThereIsAProblem(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    Path shard = node.resolve("shard-0");
    Path away = data.resolve("away");
    Files.move(shard, away);
    assertTrue(out(1, node).contains("there is no store"));
    Files.move(away, shard);
    Files.delete(shard.resolve("CURRENT"));
    assertTrue(out(1, node).contains("CURRENT is missing"));
  }

  /// Each part is whole by itself, and they do not belong together.
  @Test
  void partsThatDoNotBelongTogetherAreProblems(@TempDir Path data) throws IOException {
    ServerConfig config = Servers.alone(data.resolve("node"));
    start(config);
    Path node = data.resolve("node");
    assertEquals(List.of(), problems(node));
    for (String part : List.of("shard-0", "shard-1", "topology")) {
      Path away = data.resolve("away");
      Files.move(node.resolve(part), away);
      assertTrue(out(1, node).contains("restore the whole directory"), part);
      Files.move(away, node.resolve(part));
    }
    ServerConfig other = Servers.alone(data.resolve("other"));
    start(other);
    Path known = node.resolve("topology/known");
    Files.copy(data.resolve("other/topology/known"), known, StandardCopyOption.REPLACE_EXISTING);
    assertTrue(out(1, node).contains("belongs to node 1 of cluster"));
  }

  private static void start(ServerConfig config) throws IOException {
    try (TernServer server = TernServer.start(config, Servers.BROKEN)) {
      String door = "127.0.0.1:" + server.port("admin");
      while (AdminPage.get(door, "/cluster").path("cluster").asText("").isEmpty()) {
        Thread.onSpinWait();
      }
    }
  }

  /// A snapshot holds a topology, which is of a format of its own.
  @Test
  void aSnapshotOfAnotherFormatIsAProblem(@TempDir Path data) throws IOException {
    ByteWriter state = new ByteWriter();
    TopologyCodec.encode(TopologyState.NOTHING, state);
    byte[] later = state.toByteArray();
    later[0]++;
    SnapshotFiles snapshots =
        new SnapshotFiles(
            new DirectoryFileSystem(data), "topology/snapshots", FileLives.of(Randomness.of(1)));
    Membership voters = Membership.of(List.of(1), List.of());
    snapshots.save(1, new SnapshotMark(7, 1, voters), state.toByteArray());
    String good = out(0, data.resolve("topology/snapshots/g1-7-1.snapshot"));
    assertTrue(good.contains("index") && good.contains("epoch"), good);
    snapshots.save(1, new SnapshotMark(8, 1, voters), later);
    String bad = out(1, data.resolve("topology/snapshots/g1-8-1.snapshot"));
    assertTrue(bad.contains("a topology of format 4; this version of Tern reads 3"), bad);
  }
}
