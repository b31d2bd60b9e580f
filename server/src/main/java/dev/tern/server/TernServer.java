package dev.tern.server;

import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.tern.core.Node;
import dev.tern.core.NodeConfig;
import dev.tern.core.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.Topology;
import dev.tern.gateway.http.AdminDoor;
import dev.tern.gateway.resp.RedisDoor;
import dev.tern.lsm.LsmOptions;
import dev.tern.runtime.NettyEventLoop;
import dev.tern.runtime.RuntimeEnvironment;
import dev.tern.runtime.Transport;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Supplier;

/// A node with its doors. [#start] gives a running one or none.
public final class TernServer implements AutoCloseable {
  /// Name and id of the keyspace behind the Redis door.
  public static final String REDIS_KEYSPACE = "redis";

  private static final int REDIS_KEYSPACE_ID = 1;
  private static final int TIMEOUT_MILLIS = 5_000;

  private final ServerConfig config;
  private final RuntimeEnvironment environment;
  private final Node node;
  private final RedisDoor redis;
  private final Figures figures;
  private final AdminDoor admin;
  private final JsonMapper json = JsonMapper.builder().build();
  private int redisPort;
  private int adminPort;

  private TernServer(ServerConfig config, RuntimeEnvironment environment, Node node) {
    this.config = config;
    this.environment = environment;
    this.node = node;
    this.redis =
        new RedisDoor(
            node,
            environment.environment().clock(),
            environment.loops().stream().map(NettyEventLoop::netty).toList(),
            REDIS_KEYSPACE);
    this.figures = new Figures(node, redis.statistics());
    Map<String, Supplier<AdminDoor.Page>> routes = new LinkedHashMap<>();
    routes.put("/health", this::health);
    routes.put("/metrics", () -> new AdminDoor.Page(200, "text/plain", figures.scrape()));
    routes.put(
        "/cluster", () -> new AdminDoor.Page(200, "application/json", cluster().toPrettyString()));
    this.admin = new AdminDoor(routes);
  }

  /// Opens the stores, joins the other members and opens the doors.
  ///
  /// @param fatal told of an error after which the node must not go on
  /// @throws IOException with the one reason why it cannot start
  public static TernServer start(ServerConfig config, Consumer<Throwable> fatal)
      throws IOException {
    List<Member> members = config.memberList();
    Topology topology = Topology.ofMembers(1, config.partitions(), config.n(), members);
    KeyspaceConfig keyspace =
        new KeyspaceConfig(
            REDIS_KEYSPACE_ID,
            REDIS_KEYSPACE,
            config.n(),
            config.r(),
            config.w(),
            config.durability(),
            TIMEOUT_MILLIS);
    long memory = (long) config.memoryMegabytes() << 20;
    LsmOptions storage = LsmOptions.ofMemory(memory / config.shards());
    RuntimeEnvironment environment =
        new RuntimeEnvironment(
            Path.of(config.data()),
            config.shards(),
            config.number(),
            config.partitions() + " partitions of " + config.members(),
            config.bind(),
            config.internodePort(),
            Transport.named(config.transport()),
            fatal);
    Node node;
    try {
      node =
          Node.create(
              environment.environment(),
              new NodeConfig(
                  config.number(), topology, List.of(keyspace), storage, PlantedBug.NONE));
    } catch (IOException | RuntimeException e) {
      environment.close();
      throw e;
    }
    TernServer server = new TernServer(config, environment, node);
    try {
      node.start();
      server.openDoors();
      return server;
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  private void openDoors() throws IOException {
    adminPort = admin.listen(config.bind(), config.adminPort());
    redisPort =
        redis.listen(
            environment.group(),
            environment.transport().server(),
            config.bind(),
            config.redisPort());
  }

  /// `ready` and where the doors are.
  public String ready() {
    return "ready redis=%s:%d admin=%s:%d internode=%s:%d shards=%d durability=%s"
        .formatted(
            config.bind(),
            redisPort,
            config.bind(),
            adminPort,
            config.bind(),
            environment.internodePort(),
            config.shards(),
            config.durability().name().toLowerCase(java.util.Locale.ROOT));
  }

  public int redisPort() {
    return redisPort;
  }

  public int adminPort() {
    return adminPort;
  }

  private AdminDoor.Page health() {
    long live = node.topology().members().stream().filter(m -> node.live(m.number())).count();
    boolean quorum = live >= Math.min(config.w(), node.topology().members().size());
    ObjectNode body = json.createObjectNode();
    body.put("status", quorum ? "ok" : "no quorum");
    body.put("node", node.self().name());
    body.put("epoch", node.topology().epoch());
    body.put("members", node.topology().members().size());
    body.put("live", live);
    return new AdminDoor.Page(quorum ? 200 : 503, "application/json", body.toPrettyString() + "\n");
  }

  private ObjectNode cluster() {
    ObjectNode body = json.createObjectNode();
    Topology topology = node.topology();
    body.put("epoch", topology.epoch());
    body.put("partitions", topology.partitions());
    ArrayNode keyspaces = body.putArray("keyspaces");
    for (KeyspaceConfig keyspace : node.keyspaces()) {
      ObjectNode entry = keyspaces.addObject();
      entry.put("name", keyspace.name()).put("n", keyspace.n());
      entry.put("r", keyspace.r()).put("w", keyspace.w());
      entry.put("durability", keyspace.durability().name());
    }
    ArrayNode members = body.putArray("members");
    for (Member member : topology.members()) {
      int leads = 0;
      int holds = 0;
      for (int p = 0; p < topology.partitions(); p++) {
        int[] replicas = topology.replicas(p);
        leads += replicas[0] == member.number() ? 1 : 0;
        for (int replica : replicas) {
          holds += replica == member.number() ? 1 : 0;
        }
      }
      ObjectNode entry = members.addObject();
      entry.put("number", member.number()).put("name", member.name()).put("zone", member.zone());
      entry.put("host", member.host()).put("redis", member.ports().redis());
      entry.put("admin", member.ports().admin()).put("internode", member.ports().internode());
      entry.put("live", node.live(member.number())).put("self", member.equals(node.self()));
      entry.put("partitionsHeld", holds).put("partitionsLed", leads);
    }
    return body;
  }

  /// Closes the doors, ends the loops, then the stores: what was acknowledged is on the disk.
  @Override
  public void close() throws IOException {
    redis.close();
    admin.close();
    environment.close();
    figures.close();
    node.close();
  }
}
