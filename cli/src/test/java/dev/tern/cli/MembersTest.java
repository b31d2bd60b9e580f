package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.context.FillBounds;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.log.RefusedException;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.server.ServerConfig;
import dev.tern.server.TernServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.params.SetParams;

/// Nodes that found a cluster, join one, are refused, and change what the topology says, on real
/// sockets and files.
class MembersTest {
  private static final int WAIT_SECONDS = 30;

  @TempDir Path data;

  private final List<Integer> ports = new ArrayList<>();
  private final List<TernServer> servers = new ArrayList<>();

  @AfterEach
  void stop() throws IOException {
    for (TernServer server : servers) {
      server.close();
    }
  }

  private void ports(int nodes) throws IOException {
    ports.addAll(Ports.free(3 * nodes));
  }

  private String seed(int node, String zone) {
    int first = 3 * node;
    return "127.0.0.1:%d/%d/%d/%s/100/0"
        .formatted(ports.get(first), ports.get(first + 1), ports.get(first + 2), zone);
  }

  private String admin(int node) {
    return "127.0.0.1:" + ports.get(3 * node + 2);
  }

  /// Starts a node; the future fails when it must stop.
  private CompletableFuture<Void> start(int node, String directory, String seeds)
      throws IOException {
    CompletableFuture<Void> end = new CompletableFuture<>();
    servers.add(
        TernServer.start(
            new ServerConfig(
                data.resolve(directory).toString(),
                "127.0.0.1",
                "127.0.0.1",
                0,
                "",
                100,
                seeds,
                Servers.doors(ports.get(3 * node + 1), 0, ports.get(3 * node + 2)),
                ports.get(3 * node),
                1,
                64,
                3,
                2,
                2,
                Durability.OS,
                64,
                ServerConfig.USUAL_AWAY_MILLIS,
                0,
                FillBounds.USUAL,
                "auto"),
            end::completeExceptionally));
    return end;
  }

  private static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (!condition.getAsBoolean()) {
      assertTrue(System.nanoTime() < deadline, what);
      Thread.onSpinWait();
    }
  }

  private boolean founded(int node) {
    return !cluster(node).path("cluster").asText("").isEmpty();
  }

  private JsonNode cluster(int node) {
    try {
      return AdminPage.get(admin(node), "/cluster");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static String refusal(CompletableFuture<Void> end)
      throws InterruptedException, TimeoutException {
    ExecutionException thrown =
        assertThrows(ExecutionException.class, () -> end.get(WAIT_SECONDS, TimeUnit.SECONDS));
    assertTrue(thrown.getCause() instanceof RefusedException, String.valueOf(thrown.getCause()));
    return String.valueOf(Objects.requireNonNull(thrown.getCause()).getMessage());
  }

  @Test
  void aNodeJoinsThroughASeedAndLeaves() throws Exception {
    ports(2);
    start(0, "a", seed(0, "here"));
    await("no cluster is founded", () -> founded(0));
    CompletableFuture<Void> end = start(1, "b", seed(0, "here"));
    await("the newcomer does not vote", () -> cluster(0).path("log").path("voters").size() == 2);
    await("they differ", () -> cluster(0).path("epoch").equals(cluster(1).path("epoch")));
    assertEquals(cluster(0).path("cluster"), cluster(1).path("cluster"));
    try (Jedis jedis = new Jedis("127.0.0.1", servers.getLast().port("redis"))) {
      assertEquals("OK", jedis.set("key", "through the newcomer"));
      assertEquals("OK", jedis.set("soon", "gone?", SetParams.setParams().ex(1_000)));
      assertTrue(jedis.info("keyspace").contains("db0:keys=2,expires=1,avg_ttl=0"));
      assertEquals(2, jedis.clusterNodes().lines().count());
    }
    keyspaces();
    ObjectNode gone = AdminPage.body().put("number", 2);
    assertEquals(
        "changed", AdminPage.post(admin(0), "/cluster/remove", gone).path("outcome").asText());
    assertTrue(refusal(end).contains("removed from cluster"));
    await("the log is frozen", () -> !cluster(0).path("log").path("frozen").asBoolean());
  }

  private JsonNode listed(int node) {
    try {
      return AdminPage.get(admin(node), "/keyspaces");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /// A keyspace is made through one node, changed and dropped through the other.
  private void keyspaces() throws IOException {
    ObjectNode body = AdminPage.body().put("name", "orders").put("n", 2).put("ttlMillis", 60_000);
    AdminPage.post(admin(0), "/keyspace/create", body);
    AdminPage.post(
        admin(1),
        "/keyspace/alter",
        AdminPage.body().put("name", "orders").put("durability", "os"));
    await("they are not counted", () -> listed(1).get(3).has("keys"));
    JsonNode keyspaces = listed(1);
    assertEquals(4, keyspaces.size(), "those of the doors and this one");
    assertEquals("os", keyspaces.get(3).path("durability").asText());
    assertEquals(60_000, keyspaces.get(3).path("ttlMillis").asInt());
    assertEquals(0, keyspaces.get(3).path("keys").asInt(-1), keyspaces.get(3).toString());
    JsonNode redis = keyspaces.get(0);
    assertEquals("redis", redis.path("name").asText());
    assertEquals(2, redis.path("keys").asInt());
    assertEquals(1, redis.path("expiringKeys").asInt());
    assertEquals(3 + 20 + 4 + 5, redis.path("bytes").asInt());
    IOException twice =
        assertThrows(IOException.class, () -> AdminPage.post(admin(1), "/keyspace/create", body));
    assertTrue(String.valueOf(twice.getMessage()).contains("already"));
    ObjectNode stale = AdminPage.body().put("name", "orders").put("epoch", 1);
    IOException old =
        assertThrows(IOException.class, () -> AdminPage.post(admin(1), "/keyspace/drop", stale));
    assertTrue(String.valueOf(old.getMessage()).contains("epoch"));
    AdminPage.post(admin(1), "/keyspace/drop", AdminPage.body().put("name", "orders"));
    assertEquals(3, AdminPage.get(admin(1), "/keyspaces").size());
  }

  /// Its directory is looked at before the cluster is asked.
  @Test
  void aNodeWithAStoreOfBeforeIsNotLetIn() throws Exception {
    ports(2);
    start(0, "a", seed(0, "here"));
    await("no cluster is founded", () -> founded(0));
    Path newcomer = data.resolve("b");
    for (String file :
        List.of("shard-3/CURRENT", "shard-0/MANIFEST-000001", "topology/log/0000000001.raftlog")) {
      Path left = newcomer.resolve(file);
      Files.createDirectories(left.getParent());
      Files.writeString(left, "of before");
      IOException refused = assertThrows(IOException.class, () -> start(1, "b", seed(0, "here")));
      String why = String.valueOf(refused.getMessage());
      assertTrue(why.contains("start with an empty directory"), why);
      assertTrue(why.contains(left.getParent().getFileName().toString()), why);
      assertEquals(1, cluster(0).path("members").size());
      Files.delete(left);
    }
    start(1, "b", seed(0, "here"));
    assertEquals(2, cluster(1).path("members").size());
  }

  /// It would be a member that never starts.
  @Test
  void aNodeThatCouldNotStartIsNotLetIn() throws Exception {
    ports(2);
    start(0, "a", seed(0, "here"));
    await("no cluster is founded", () -> founded(0));
    for (int port : ports.subList(3, 6)) {
      try (ServerSocket taken = new ServerSocket(port, 1, InetAddress.getByName("127.0.0.1"))) {
        notLetIn("b", "cannot listen on 127.0.0.1:" + taken.getLocalPort());
      }
    }
    for (String directory : List.of("topology", "gossip", "shard-0")) {
      Path file = Files.createDirectories(data.resolve("no-" + directory)).resolve(directory);
      Files.createFile(file);
      notLetIn("no-" + directory, directory);
    }
    AutoCloseable lock = new DirectoryFileSystem(data.resolve("b")).lock("shard-0/LOCK");
    try {
      notLetIn("b", "is in use by process");
    } finally {
      lock.close();
    }
    start(1, "b", seed(0, "here"));
    assertEquals(2, cluster(1).path("members").size());
  }

  /// The first answer is lost: the newcomer asks again, with the same token, and starts; another
  /// directory at the same address is another node.
  @Test
  void aNewcomerWhoseAnswerWasLostAsksAgain() throws Exception {
    ports(2);
    start(0, "a", seed(0, "here"));
    await("no cluster is founded", () -> founded(0));
    Path token = data.resolve("b/topology/newcomer.own");
    Files.createDirectories(token.getParent());
    Files.writeString(token, "00000000000000ab");
    ObjectNode body = AdminPage.body().put("host", "127.0.0.1").put("internode", ports.get(3));
    body.put("redis", ports.get(4)).put("admin", ports.get(5));
    body.put("minLevel", 5).put("maxLevel", 5).put("token", "00000000000000ab");
    AdminPage.post(admin(0), "/cluster/join", body);
    await("it is no voter", () -> cluster(0).path("log").path("voters").size() == 2);
    start(1, "b", seed(0, "here"));
    assertEquals(2, cluster(1).path("members").size());
    assertFalse(Files.exists(token));
  }

  /// The member takes its place again by itself. Its directory of before is refused from then on,
  /// for two directories would be one member.
  @Test
  void aMemberThatLostItsDirectoryComesBack() throws Exception {
    ports(2);
    start(0, "a", seed(0, "here"));
    await("no cluster is founded", () -> founded(0));
    start(1, "b", seed(0, "here"));
    await("the newcomer does not vote", () -> cluster(0).path("log").path("voters").size() == 2);
    try (Jedis jedis = new Jedis("127.0.0.1", servers.getLast().port("redis"))) {
      assertEquals("OK", jedis.set("key", "value"));
    }
    servers.removeLast().close();
    CompletableFuture<Void> end = start(1, "c", seed(0, "here"));
    assertEquals(2, cluster(1).path("members").size());
    assertEquals(3, cluster(1).path("nextMember").asInt(), "it is another member");
    await("the log is frozen", () -> !cluster(0).path("log").path("frozen").asBoolean());
    await("it catches up", () -> health(1).path("partitionsBehind").asInt(-1) == 0);
    try (Jedis jedis = new Jedis("127.0.0.1", servers.getLast().port("redis"))) {
      assertEquals("value", jedis.get("key"));
    }
    assertFalse(end.isDone(), "it has ended");
    servers.removeLast().close();
    assertTrue(
        refusal(start(1, "b", seed(0, "here"))).contains("has begun anew with another directory"));
  }

  private JsonNode health(int node) {
    try {
      return AdminPage.get(admin(node), "/health");
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /// The topology would name ports where nobody is.
  @Test
  void aMemberAtOtherPortsIsRefused() throws Exception {
    ports(2);
    start(0, "a", seed(0, "here"));
    await("no cluster is founded", () -> founded(0));
    start(1, "b", seed(0, "here"));
    servers.removeLast().close();
    int redis = ports.get(4);
    ports.set(4, Ports.free(1).getFirst());
    IOException refused = assertThrows(IOException.class, () -> start(1, "b", seed(0, "here")));
    String why = String.valueOf(refused.getMessage());
    assertTrue(why.contains("says this node's ports are") && why.contains("redis " + redis), why);
    ports.set(4, redis);
    start(1, "b", seed(0, "here"));
  }

  private void notLetIn(String directory, String why) {
    IOException refused =
        assertThrows(IOException.class, () -> start(1, directory, seed(0, "here")));
    assertTrue(String.valueOf(refused.getMessage()).contains(why), refused::toString);
    assertEquals(1, cluster(0).path("members").size(), why);
  }

  @Test
  void aFounderThatIsToldSomethingElseIsRefused() throws Exception {
    ports(3);
    String told = String.join(",", seed(0, "x"), seed(1, "y"), seed(2, "z"));
    String other = String.join(",", seed(0, "x"), seed(1, "y"), seed(2, "w"));
    start(0, "a", told);
    start(1, "b", told);
    await("no cluster is founded", () -> founded(0) && founded(1));
    assertTrue(refusal(start(2, "c", other)).contains("founders disagree"));
    JsonNode log = cluster(0).path("log");
    assertTrue(log.path("strangers").path("3").asText().contains("founders disagree"));
    assertFalse(log.path("frozen").asBoolean());
  }

  @Test
  void aNodeOfAnotherClusterIsRefused() throws Exception {
    ports(2);
    String told = seed(0, "x") + "," + seed(1, "y");
    start(0, "a", told);
    start(1, "b", told);
    await("no cluster is founded", () -> founded(0) && founded(1));
    servers.removeLast().close();
    // The same founding, once more: another cluster, for nobody of the first is there.
    servers.removeLast().close();
    start(0, "other-a", told);
    start(1, "other-b", told);
    await("no cluster is founded", () -> founded(0) && founded(1));
    servers.removeLast().close();
    assertTrue(refusal(start(1, "b", told)).contains("belongs to cluster"));
  }

  @Test
  void withoutItsQuorumTheTopologyIsFrozenAndKeysAreServed() throws Exception {
    ports(3);
    String told = String.join(",", seed(0, "x"), seed(1, "y"), seed(2, "z"));
    for (int node = 0; node < 3; node++) {
      start(node, "n" + node, told);
    }
    await("no cluster is founded", () -> founded(0) && founded(1) && founded(2));
    servers.removeLast().close();
    servers.removeLast().close();
    await("not frozen", () -> cluster(0).path("log").path("frozen").asBoolean());
    assertTrue(cluster(0).path("log").path("why").asText().contains("reads and writes go on"));
    try (Jedis jedis = new Jedis("127.0.0.1", servers.getFirst().port("redis"))) {
      jedis.sendCommand(
          () -> "TERN.WITH".getBytes(java.nio.charset.StandardCharsets.US_ASCII),
          "R",
          "1",
          "W",
          "1",
          "SET",
          "key",
          "alone");
    }
    ObjectNode body = AdminPage.body().put("name", "later");
    IOException frozen =
        assertThrows(IOException.class, () -> AdminPage.post(admin(0), "/keyspace/create", body));
    assertTrue(String.valueOf(frozen.getMessage()).contains("frozen"));
  }
}
