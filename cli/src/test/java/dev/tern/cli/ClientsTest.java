package dev.tern.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.bench.RespLoad;
import dev.tern.server.TernServer;
import io.lettuce.core.RedisClient;
import io.lettuce.core.SetArgs;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.cluster.RedisClusterClient;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.net.URI;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.JedisCluster;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.SetParams;

/// The clients people have, against three real nodes on real sockets and files.
class ClientsTest {
  private static final int NODES = 3;

  @TempDir static Path data;

  private static final List<TernServer> SERVERS = new ArrayList<>();

  @BeforeAll
  static void start() throws IOException {
    SERVERS.addAll(Servers.start(data, NODES));
    long deadline = System.nanoTime() + 20_000_000_000L;
    try (Jedis jedis = new Jedis("127.0.0.1", SERVERS.getFirst().port("redis"))) {
      while (!answers(jedis)) {
        assertTrue(System.nanoTime() < deadline, "the nodes do not find each other");
      }
    }
  }

  private static boolean answers(Jedis jedis) {
    try {
      return jedis.set("probe", "1").equals("OK") && jedis.clusterInfo().contains(":ok");
    } catch (JedisDataException e) {
      return false;
    }
  }

  @AfterAll
  static void stop() throws IOException {
    for (TernServer server : SERVERS) {
      server.close();
    }
  }

  private static Jedis jedis(int node) {
    return new Jedis("127.0.0.1", SERVERS.get(node).port("redis"), 15_000);
  }

  @Test
  void jedisOnAnyNodeSeesOneStore() {
    try (Jedis one = jedis(0);
        Jedis two = jedis(1);
        Jedis three = jedis(2)) {
      assertEquals("OK", one.set("j:a", "1"));
      assertEquals("1", two.get("j:a"));
      assertEquals(2, three.incr("j:a"));
      assertEquals("2", one.get("j:a"));
      assertEquals(7, two.incrBy("j:a", 5));
      assertEquals(9, three.append("j:b", "some text"));
      assertEquals("some text", one.setGet("j:b", "other"));
      assertNull(one.set("j:b", "x", new SetParams().nx()));
      assertEquals("OK", one.set("j:b", "x", new SetParams().xx().ex(100)));
      assertTrue(two.ttl("j:b") > 90);
      assertEquals(1, three.persist("j:b"));
      assertEquals(-1, two.ttl("j:b"));
      assertEquals("x", one.getDel("j:b"));
      assertEquals(-2, two.ttl("j:b"));
      assertEquals(1, one.del("j:a"));
      assertEquals(false, two.exists("j:a"));
      // A plain client: keys of several slots are served.
      assertEquals("OK", one.mset("j:x", "1", "j:y", "2"));
      assertEquals(Arrays.asList("1", "2"), three.mget("j:x", "j:y"));
      assertEquals(2, two.del("j:x", "j:y"));
      assertEquals("OK", one.mset("{j}x", "1", "{j}y", "2"));
      assertEquals(Arrays.asList("1", null, "2"), two.mget("{j}x", "{j}none", "{j}y"));
      assertEquals(10.5, three.incrByFloat("j:f", 10.5));
    }
  }

  @Test
  void pipelinedRequestsOfOneKeyKeepTheirOrder() {
    try (Jedis jedis = jedis(1)) {
      var pipeline = jedis.pipelined();
      List<redis.clients.jedis.Response<String>> reads = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        pipeline.set("p:" + i % 3, "v" + i);
        reads.add(pipeline.get("p:" + i % 3));
      }
      pipeline.sync();
      for (int i = 0; i < 200; i++) {
        assertEquals("v" + i, reads.get(i).get());
      }
    }
  }

  /// Commands on several keys wait for each other: those that had to wait when the last byte was
  /// taken must not leave the connection deaf.
  @Test
  void pipelinesOfCommandsThatWaitForEachOtherFollowOneAnother() {
    try (Jedis jedis = jedis(1)) {
      for (int round = 0; round < 20; round++) {
        var pipeline = jedis.pipelined();
        List<redis.clients.jedis.Response<String>> replies = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
          replies.add(pipeline.mset("{m}a", "v" + i, "{m}b", "v" + i));
        }
        pipeline.sync();
        replies.forEach(reply -> assertEquals("OK", reply.get()));
        assertEquals(List.of("v15", "v15"), jedis.mget("{m}a", "{m}b"));
      }
    }
  }

  @Test
  void keysAndValuesAreAnyBytesUpToSixteenMebibytes() {
    try (Jedis jedis = jedis(0);
        Jedis other = jedis(2)) {
      byte[] key = new byte[256];
      for (int i = 0; i < 256; i++) {
        key[i] = (byte) i;
      }
      byte[] value = new byte[16 << 20];
      new Random(1).nextBytes(value);
      assertEquals("OK", jedis.set(key, value));
      assertArrayEquals(value, other.get(key));
      byte[] tooLarge = new byte[(16 << 20) + 1];
      assertThrows(JedisDataException.class, () -> jedis.set(key, tooLarge));
      assertEquals("PONG", jedis.ping());
    }
  }

  @Test
  @SuppressWarnings("deprecation")
  void jedisClusterFollowsTheTopology() {
    HostAndPort seed = new HostAndPort("127.0.0.1", SERVERS.getFirst().port("redis"));
    try (JedisCluster cluster = new JedisCluster(Set.of(seed))) {
      assertEquals(NODES, cluster.getClusterNodes().size());
      for (int i = 0; i < 300; i++) {
        cluster.set("jc:" + i, "v" + i);
      }
      for (int i = 0; i < 300; i++) {
        assertEquals("v" + i, cluster.get("jc:" + i));
      }
    }
    long total = 0;
    Set<String> seen = new java.util.TreeSet<>();
    for (int node = 0; node < NODES; node++) {
      try (Jedis jedis = jedis(node)) {
        total += jedis.dbSize();
        String cursor = "0";
        do {
          var page = jedis.scan(cursor);
          seen.addAll(page.getResult());
          cursor = page.getCursor();
        } while (!cursor.equals("0"));
      }
    }
    long expected = seen.size();
    assertTrue(expected >= 300 && seen.contains("jc:299"), "the scans saw " + expected);
    assertTrue(total >= 300, "the counts add up to " + total);
  }

  @Test
  void lettuceStandaloneAndCluster() {
    int port = SERVERS.get(1).port("redis");
    try (RedisClient client = RedisClient.create("redis://127.0.0.1:" + port);
        StatefulRedisConnection<String, String> connection = client.connect()) {
      var redis = connection.sync();
      assertEquals("OK", redis.set("l:a", "1", SetArgs.Builder.px(60_000)));
      assertTrue(redis.pttl("l:a") > 50_000);
      assertEquals(2, redis.incr("l:a"));
    }
    try (RedisClusterClient client = RedisClusterClient.create("redis://127.0.0.1:" + port);
        StatefulRedisClusterConnection<String, String> connection = client.connect()) {
      var redis = connection.sync();
      for (int i = 0; i < 100; i++) {
        redis.set("lc:" + i, "v" + i);
      }
      assertEquals("v42", redis.get("lc:42"));
      assertTrue(redis.dbsize() >= 100);
    }
  }

  @Test
  void hostileBytesCloseTheirConnectionAndNoOther() throws IOException {
    try (Jedis bystander = jedis(0)) {
      bystander.ping();
      int port = SERVERS.getFirst().port("redis");
      for (String bad :
          List.of(
              "*1\r\n$-9\r\n",
              "*9999999999\r\n",
              "*1\r\n!x\r\n",
              "*2\r\n$3\r\nGET\r\n$536870913\r\n",
              "*2\r\n$3\r\nGET\r\n$99999999999999999999\r\n",
              "SET a \"b\r\nPING\r\n",
              "SET a 'b'c\r\n")) {
        try (Socket socket = new Socket("127.0.0.1", port)) {
          socket.getOutputStream().write(bad.getBytes(UTF_8));
          InputStream in = socket.getInputStream();
          String answer = new String(in.readAllBytes(), UTF_8);
          assertTrue(answer.startsWith("-ERR Protocol error"), answer);
        }
      }
      try (Socket page = new Socket("127.0.0.1", port)) {
        page.getOutputStream().write("POST / HTTP/1.1\r\nHost: x\r\n\r\nPING\r\n".getBytes(UTF_8));
        assertEquals(0, page.getInputStream().readAllBytes().length, "as Redis, without a word");
      }
      try (Socket half = new Socket("127.0.0.1", port)) {
        half.getOutputStream().write("*3\r\n$3\r\nSET\r\n$1".getBytes(UTF_8));
      }
      assertEquals("PONG", bystander.ping());
    }
  }

  @Test
  void inlineCommandsMayQuoteTheirWords() throws IOException {
    try (Socket socket = new Socket("127.0.0.1", SERVERS.getFirst().port("redis"))) {
      String commands = "SET inline \"a b\\x41\\n\"\r\nGET 'inline'\r\nQUIT\r\n";
      socket.getOutputStream().write(commands.getBytes(UTF_8));
      String answers = new String(socket.getInputStream().readAllBytes(), UTF_8);
      assertEquals("+OK\r\n$5\r\na bA\n\r\n+OK\r\n", answers);
    }
  }

  @Test
  void manyIdleConnectionsAreHeld() throws IOException {
    int port = SERVERS.get(2).port("redis");
    List<Socket> held = new ArrayList<>();
    try {
      for (int i = 0; i < 400; i++) {
        held.add(new Socket("127.0.0.1", port));
      }
      for (Socket socket : List.of(held.getFirst(), held.get(200), held.getLast())) {
        socket.getOutputStream().write("PING\r\n".getBytes(UTF_8));
        assertEquals("+PONG\r\n", new String(socket.getInputStream().readNBytes(7), UTF_8));
      }
    } finally {
      for (Socket socket : held) {
        socket.close();
      }
    }
  }

  @Test
  void levelsAreChosenPerConnectionAndPerCommand() {
    try (Jedis jedis = jedis(0)) {
      Object ok =
          jedis.sendCommand(() -> "TERN.WITH".getBytes(UTF_8), "R", "3", "W", "3", "SET", "w", "1");
      assertArrayEquals("OK".getBytes(UTF_8), (byte[]) ok);
      assertEquals(
          "ERR R=4 is more than the replicas of a key that are asked: 3",
          assertThrows(
                  JedisDataException.class,
                  () ->
                      jedis.sendCommand(
                          () -> "TERN.WITH".getBytes(UTF_8), "R", "4", "W", "1", "GET", "w"))
              .getMessage());
      assertEquals(
          "ERR a level is 1 to n, LOCAL_ONE, LOCAL_QUORUM or LINEARIZABLE; 0 means the default",
          assertThrows(
                  JedisDataException.class,
                  () -> jedis.sendCommand(() -> "TERN.LEVEL".getBytes(UTF_8), "R", "quorum"))
              .getMessage());
      assertThrows(
          JedisDataException.class,
          () -> jedis.sendCommand(() -> "TERN.LEVEL".getBytes(UTF_8), "R", "4"));
      // Zones without a datacenter are all in one.
      jedis.sendCommand(() -> "TERN.LEVEL".getBytes(UTF_8), "R", "local_quorum", "W", "LOCAL_ONE");
      assertEquals("OK", jedis.set("level", "local"));
      assertEquals("local", jedis.get("level"));
      jedis.sendCommand(() -> "TERN.LEVEL".getBytes(UTF_8), "R", "1", "W", "1");
      assertEquals("1", jedis.get("w"));
    }
  }

  @Test
  void theLoadGeneratorCountsWhatTheServerAnswers() throws IOException {
    RespLoad.Server server =
        new RespLoad.Server(
            "127.0.0.1:" + SERVERS.getFirst().port("redis"), ProcessHandle.current());
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    PrintStream out = new PrintStream(printed, true, UTF_8);
    for (String workload : List.of("mixed", "incr")) {
      int rate = workload.equals("incr") ? 500 : 0;
      RespLoad.Options options = new RespLoad.Options(5, 4, 100, 50, 1, 1, rate, 0);
      RespLoad.compare(List.of(server), workload, options, out);
    }
    String lines = printed.toString(UTF_8);
    assertEquals(2, lines.split("errors 0", -1).length - 1, lines);
    try (Jedis jedis = jedis(1)) {
      long counted = 0;
      for (int i = 0; i < 50; i++) {
        String value = jedis.get("cnt:key:%012d".formatted(i));
        counted += value == null ? 0 : Long.parseLong(value);
      }
      assertTrue(counted > 0 && counted <= 500, "increments at a rate of 500: " + counted);
      assertEquals(100, jedis.get("key:000000000007").length());
    }
  }

  private static String page(int node, String path) throws IOException {
    int port = SERVERS.get(node).port("admin");
    try (InputStream in = URI.create("http://127.0.0.1:" + port + path).toURL().openStream()) {
      return new String(in.readAllBytes(), UTF_8);
    }
  }

  private static double figure(String metrics, String name) {
    return metrics
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
        .sum();
  }

  @Test
  void theAdminDoorTellsHealthAndFigures() throws IOException {
    String before = page(1, "/metrics");
    try (Jedis jedis = jedis(1)) {
      jedis.set("figure", "1");
      jedis.get("figure");
      assertThrows(JedisDataException.class, () -> jedis.expire("figure", Long.MAX_VALUE));
    }
    String after = page(1, "/metrics");
    assertTrue(after.contains("# TYPE tern_redis_latency_seconds histogram"));
    for (String grown :
        List.of("tern_redis_commands", "tern_redis_latency_seconds_count", "tern_redis_errors")) {
      assertTrue(figure(after, grown) > figure(before, grown), grown);
    }
    for (String there :
        List.of(
            "tern_refused_unavailable",
            "tern_refused_overloaded",
            "tern_unknown",
            "tern_waiting{",
            "tern_lsm_memtable_bytes{",
            "tern_lsm_log_syncs{")) {
      assertTrue(after.contains(there), there);
    }
    String health = page(1, "/health");
    assertTrue(health.contains("\"ok\"") && health.contains("\"live\" : 3"), health);
  }
}
