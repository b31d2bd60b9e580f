package dev.tern.server;

import dev.tern.core.context.FillBounds;
import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.node.Node;
import dev.tern.core.node.NodeConfig;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.KnownTopology;
import dev.tern.core.topology.log.MoveLimits;
import dev.tern.env.Events;
import dev.tern.gateway.http.AdminDoor;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.net.ClientLimit;
import dev.tern.gateway.net.Door;
import dev.tern.gateway.resp.RedisProtocol;
import dev.tern.gateway.riak.RiakProtocol;
import dev.tern.gateway.session.ClientDoor;
import dev.tern.gateway.session.Protocol;
import dev.tern.lsm.LsmOptions;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.runtime.NettyEventLoop;
import dev.tern.runtime.RuntimeEnvironment;
import dev.tern.runtime.Transport;
import io.netty.util.internal.PlatformDependent;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A node with its doors. [#start] gives a running one or none.
public final class TernServer implements AutoCloseable {
  private static final int HEAP_SHARE = 8;

  /// A value of the largest size fits.
  private static final long MIN_COST_BYTES = 20 << 20;

  /// The keyspace behind the Redis door.
  public static final String REDIS_KEYSPACE = "redis";

  private static final long MEETING_NANOS = 1_000_000_000;

  /// Replicas know what the others have well within this, if these are there.
  private static final long CATCHING_UP_NANOS = 3_000_000_000L;

  /// For so long, at most, updates under way are waited for before another node leads.
  private static final long SETTLING_NANOS = 1_000_000_000;

  /// Others hear within that this node leaves.
  private static final long LEAVING_NANOS = 100_000_000;

  /// For so long, at most, requests are waited for that were read.
  private static final long ENDING_NANOS = 2_000_000_000;

  private static final long LOOK_NANOS = 2_000_000;
  private static final int LOOKS = 3;

  private final ServerConfig config;
  private final RuntimeEnvironment environment;
  private final Node node;

  /// The doors of clients, in the order in which [#ready] names them.
  private final List<ClientDoor> doors;

  private final Figures figures;
  private final MoveProgress progress = new MoveProgress();
  private final AdminDoor admin;
  private boolean started;

  /// What a door's connections may hold: the doors share what Netty may take outside of the heap.
  private static ClientBounds bounds(String door, Events events) {
    return ClientBounds.of(
        door, PlatformDependent.maxDirectMemory(), Runtime.getRuntime().maxMemory(), events);
  }

  private TernServer(ServerConfig config, RuntimeEnvironment environment, Node node) {
    this.config = config;
    this.environment = environment;
    this.node = node;
    ClientDoor.Loops loops =
        new ClientDoor.Loops(
            environment.group(),
            environment.transport().server(),
            environment.loops().stream().map(NettyEventLoop::netty).toList());
    ClientLimit clients = ClientLimit.ofProcess();
    RedisProtocol redis = new RedisProtocol(node, REDIS_KEYSPACE);
    List<Protocol> protocols = List.of(redis, new RiakProtocol(node, node.time(), REDIS_KEYSPACE));
    this.doors =
        protocols.stream()
            .map(
                each ->
                    new ClientDoor(
                        each, node, loops, bounds(each.title(), environment.events()), clients))
            .toList();
    this.figures = new Figures(node, redis.statistics(), doors);
    Map<String, AdminDoor.Route> routes = new LinkedHashMap<>();
    new Status(node, environment.events(), progress).addTo(routes);
    new Administration(node, environment.environment().randomness().child("keyspaces"))
        .addTo(routes);
    routes.put(
        "/metrics",
        AdminDoor.Route.page(request -> new AdminDoor.Page(200, "text/plain", figures.scrape())));
    this.admin = new AdminDoor(routes);
  }

  /// All shards' coordinators together may take an eighth of the heap for requests under way, but
  /// for a shard's least.
  private static Limits limits(int shards, FillBounds fill) {
    long share = Runtime.getRuntime().maxMemory() / HEAP_SHARE / shards;
    Limits usual = Limits.DEFAULT;
    return usual
        .withCostBytes(Math.clamp(share, MIN_COST_BYTES, usual.costBytes()))
        .withFill(fill.ofShards(shards));
  }

  /// Opens the stores, joins the other members and opens the doors.
  ///
  /// @param fatal told of an error after which the node must not go on
  /// @throws IOException with the one reason why it cannot start
  public static TernServer start(ServerConfig config, Consumer<Throwable> fatal)
      throws IOException {
    DirectoryFileSystem files = new DirectoryFileSystem(Path.of(config.data()));
    Founding founding = config.founding();
    int self = number(config, files, founding);
    long memory = (long) config.memoryMegabytes() << 20;
    LsmOptions storage = LsmOptions.ofMemory(memory / config.shards());
    RuntimeEnvironment environment =
        new RuntimeEnvironment(
            Path.of(config.data()),
            config.shards(),
            self,
            "tern",
            config.bind(),
            config.internodePort(),
            Transport.named(config.transport()),
            fatal);
    Node node;
    try {
      Founding told = founding == null ? Founding.NOTHING : founding;
      node =
          Node.create(
              environment.environment(),
              new NodeConfig(
                  self,
                  told,
                  storage,
                  PlantedBug.NONE,
                  limits(config.shards(), config.fill()),
                  MoveLimits.USUAL.withAwayMillis(config.awayMillis()),
                  (long) config.diskReserveMegabytes() << 20));
    } catch (FileSystemException | RuntimeException e) {
      environment.close();
      throw e;
    } catch (IOException e) {
      environment.close();
      throw new IOException(config.data() + ": " + e.getMessage(), e);
    }
    TernServer server = new TernServer(config, environment, node);
    try {
      node.start();
      RecoveryReport.log(node);
      ClockWatch.start(node, environment.loops().getFirst().netty());
      StoreWatch.start(node, environment.loops().getFirst().netty());
      server.progress.watch(node, environment.loops().getFirst());
      server.meetOthers();
      server.openDoors();
      server.started = true;
      return server;
    } catch (IOException | RuntimeException e) {
      server.close();
      throw e;
    }
  }

  /// This node's number: its directory knows it, or the founding, or the cluster that lets it in.
  private static int number(
      ServerConfig config, DirectoryFileSystem files, @Nullable Founding founding)
      throws IOException {
    TopologyState known = KnownTopology.lastKnown(files);
    if (known == null && founding != null) {
      // What is founded says where this node's doors are, for ever.
      Rehearsal.ports(config);
      return own(config, founding.founders(), "the founders");
    }
    if (known == null) {
      known = Joining.join(config, files);
    }
    return own(config, known.members(), "cluster " + known.cluster());
  }

  private static int own(ServerConfig config, List<MemberEntry> members, String of)
      throws IOException {
    for (MemberEntry member : members) {
      boolean here = config.isHere(member.member());
      if (config.number() > 0 ? member.number() == config.number() : here) {
        expectPorts(config, member.member(), members.size() == 1, of);
        return member.number();
      }
    }
    throw new IOException(
        "%s has no member %s; its members are %s"
            .formatted(
                of,
                config.number() > 0
                    ? "of number " + config.number()
                    : "at " + config.advertise() + ":" + config.internodePort(),
                members.stream()
                    .map(
                        m ->
                            m.number()
                                + "@"
                                + m.member().host()
                                + ":"
                                + m.member().ports().internode())
                    .toList()));
  }

  /// Others, and clients, go by what the topology says.
  private static void expectPorts(ServerConfig config, Member member, boolean alone, String of)
      throws IOException {
    if (!member.ports().equals(config.ports())) {
      throw new IOException(
          "%s says this node's ports are %s, its flags %s: start it with those of %s, or %s"
              .formatted(
                  of,
                  member.ports(),
                  config.ports(),
                  of,
                  alone
                      ? "let a second node join it there, then remove this one and let it join anew: a node alone keeps its ports"
                      : "remove the member and let it join anew"));
    }
  }

  /// Lets the node meet those who are there, so that its first answer is not that nobody is; those
  /// who are not do not hold it up for long.
  private void meetOthers() {
    long deadline = System.nanoTime() + MEETING_NANOS;
    while (System.nanoTime() < deadline
        && !node.view().members().stream().allMatch(member -> node.live(member.number()))) {
      LockSupport.parkNanos(MEETING_NANOS / 100);
    }
    while (System.nanoTime() < deadline + CATCHING_UP_NANOS - MEETING_NANOS
        && node.partitionsBehind() > 0
        && hasCompany()) {
      LockSupport.parkNanos(MEETING_NANOS / 100);
    }
  }

  private boolean hasCompany() {
    int self = node.self().number();
    return node.view().members().stream()
        .anyMatch(member -> member.number() != self && node.live(member.number()));
  }

  private void openDoors() throws IOException {
    admin.open(config.bind(), config.port(admin.name()));
    for (Door door : doors) {
      door.open(config.bind(), config.port(door.name()));
    }
  }

  /// `ready` and where the doors are.
  public String ready() {
    StringBuilder text = new StringBuilder("ready");
    for (Door door : doors) {
      text.append(" %s=%s:%d".formatted(door.name(), config.bind(), door.port()));
    }
    return text.append(
            " admin=%s:%d internode=%s:%d shards=%d durability=%s"
                .formatted(
                    config.bind(),
                    admin.port(),
                    config.bind(),
                    environment.internodePort(),
                    config.shards(),
                    Status.word(durability())))
        .toString();
  }

  private Durability durability() {
    KeyspaceConfig redis = node.view().keyspace(REDIS_KEYSPACE);
    return redis == null ? config.durability() : redis.durability();
  }

  /// The port of a door; 0 if it is not open.
  ///
  /// @param door one of [ServerConfig#DOORS]
  public int port(String door) {
    return Stream.concat(doors.stream(), Stream.of(admin))
        .filter(each -> each.name().equals(door))
        .mapToInt(Door::port)
        .findFirst()
        .orElse(0);
  }

  /// Leaves and ends: updates that this node leads come to their end, then another leads; requests
  /// that were read are answered; then connections, loops and stores are closed. What was
  /// acknowledged is on the disk. Takes some tenths of a second, where a peer or the disk hangs
  /// some seconds.
  @Override
  public void close() throws IOException {
    doors.forEach(ClientDoor::close);
    if (started) {
      node.settle();
      await(() -> node.updating() == 0, SETTLING_NANOS);
      node.leave();
      // Clients may ask while the others hear of it.
      LockSupport.parkNanos(LEAVING_NANOS);
      doors.forEach(ClientDoor::quiet);
      await(this::idle, ENDING_NANOS);
      doors.forEach(ClientDoor::end);
    }
    admin.close();
    environment.close();
    figures.close();
    node.close();
  }

  private boolean idle() {
    int waiting = 0;
    for (int shard = 0; shard < node.shards(); shard++) {
      waiting += node.waiting(shard);
    }
    return waiting == 0;
  }

  /// Waits until a condition holds for some looks in a row, or the time is over.
  private static void await(BooleanSupplier condition, long nanos) {
    long deadline = System.nanoTime() + nanos;
    int inARow = 0;
    while (inARow < LOOKS && System.nanoTime() < deadline) {
      inARow = condition.getAsBoolean() ? inARow + 1 : 0;
      LockSupport.parkNanos(LOOK_NANOS);
    }
  }
}
