package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.node.Node;
import dev.tern.core.node.NodeConfig;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.log.MoveLimits;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.ByteReader;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.env.NodeEvent;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.SimulatedNetwork;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.IntFunction;

/// Whole nodes, mostly of two shards each, for scripted tests; nothing goes wrong by itself.
final class Cluster {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1_000 * MILLI;
  private static final int USUAL_N = KeyspaceSettings.usual("data").n();

  final World world =
      new World(
          11,
          (node, what) -> {
            throw new IllegalStateException("node " + node, what);
          });
  final SimulatedNetwork network;

  /// Sees each frame that is sent.
  Consumer<byte[]> observer = frame -> {};

  /// The node that gets nothing of what shards say to each other; 0 for none.
  int withoutData;

  /// The node that hears nothing of the topology; 0 for none.
  int withoutTopology;

  /// Says which frames are lost.
  interface Drops {
    boolean drops(int from, int to, FrameKind kind);
  }

  /// The frames that are lost besides.
  Drops drops = (from, to, kind) -> false;

  private final class Frames implements SimulatedNetwork.Observer {
    @Override
    public void sent(int from, int to, byte[] frame) {
      observer.accept(frame);
    }

    @Override
    public boolean passes(int from, int to, byte[] frame) {
      FrameKind kind = FrameKind.of(new ByteReader(frame));
      boolean ofTopology = kind == FrameKind.TOPOLOGY || kind == FrameKind.RAFT;
      return (to != withoutData || kind != FrameKind.DATA)
          && (to != withoutTopology || !ofTopology)
          && !drops.drops(from, to, kind);
    }
  }

  private static final LsmOptions STORAGE =
      LsmOptions.DEFAULT
          .withTuning(new LsmOptions.Tuning(1 << 18, 1 << 16, 512, 1 << 14, LsmBug.NONE))
          .withLogKeptAtClose();
  private final int size;
  private final SimulatedDisk[] disks;
  private final SimulatedClock[] clocks;
  private final Node[] nodes;

  private final IntFunction<String> zones;
  private final int n;
  private final PlantedBug planted;
  private final int shards;

  /// Of nodes that are started from now on.
  Limits limits;

  /// Bytes of the disk that nodes keep free that are started from now on.
  long diskReserve;

  /// Starts them all, in a zone each.
  Cluster(int size) {
    this(size, Limits.DEFAULT);
  }

  /// The same with other limits.
  Cluster(int size, Limits limits) {
    this(size, USUAL_N, number -> "z" + number, limits, PlantedBug.NONE, 2);
  }

  /// Starts them all.
  Cluster(int size, int n, IntFunction<String> zones) {
    this(size, n, zones, Limits.DEFAULT, PlantedBug.NONE, 2);
  }

  /// The same as with a number alone, with a mistake.
  Cluster(int size, PlantedBug planted) {
    this(size, USUAL_N, n -> "z" + n, Limits.DEFAULT, planted, 2);
  }

  /// Starts nodes of one shard each.
  static Cluster ofOneShardEach(int size) {
    return new Cluster(size, USUAL_N, n -> "z" + n, Limits.DEFAULT, PlantedBug.NONE, 1);
  }

  /// By node number: what the node has reported, over all its lives.
  final List<List<NodeEvent>> events = new ArrayList<>();

  private Cluster(
      int size, int n, IntFunction<String> zones, Limits limits, PlantedBug planted, int shards) {
    for (int i = 0; i <= size; i++) {
      events.add(new ArrayList<>());
    }
    this.limits = limits;
    this.planted = planted;
    this.shards = shards;
    this.size = size;
    this.n = n;
    this.zones = zones;
    this.network = new SimulatedNetwork(world, size, new Frames());
    this.disks = new SimulatedDisk[size + 1];
    this.clocks = new SimulatedClock[size + 1];
    this.nodes = new Node[size + 1];
    for (int number = 1; number <= size; number++) {
      disks[number] = new SimulatedDisk(world, number);
      clocks[number] = new SimulatedClock(world);
      start(number);
    }
    within(SECOND, this::allSeen);
    for (int waits = 0; waits < 100 && !founded(); waits++) {
      runFor(50 * MILLI);
    }
  }

  /// Whether all know what the cluster is called, which contexts name.
  private boolean founded() {
    for (int number = 1; number <= size; number++) {
      if (!nodes[number].view().state().cluster().known()) {
        return false;
      }
    }
    return true;
  }

  Node node(int number) {
    return nodes[number];
  }

  void start(int number) {
    List<MemberEntry> founders = new ArrayList<>();
    for (int i = 1; i <= size; i++) {
      Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
      founders.add(
          MemberEntry.of(new Member(i, "%040x".formatted(i), zones.apply(i), "node-" + i, ports)));
    }
    List<EventLoop> loops = new ArrayList<>();
    for (int i = 0; i < shards; i++) {
      loops.add(new SimulatedLoop(world, number, disks[number]));
    }
    Environment environment =
        new Environment(
            clocks[number],
            loops,
            network.of(number, loops.size()),
            disks[number],
            world.random.child("node-" + number + "-" + world.nanos()),
            events.get(number)::add);
    KeyspaceSettings usual = KeyspaceSettings.usual("data");
    KeyspaceSettings siblings =
        KeyspaceSettings.usual("siblings")
            .with(KeyspaceProperty.N, n)
            .with(KeyspaceProperty.R, Math.min(n, 2))
            .with(KeyspaceProperty.W, Math.min(n, 2))
            .with(KeyspaceProperty.RESOLUTION, Resolution.SIBLINGS);
    Founding founding = new Founding(16, founders, List.of(usual, siblings));
    try {
      NodeConfig config =
          new NodeConfig(number, founding, STORAGE, planted, limits, MoveLimits.USUAL, diskReserve);
      nodes[number] = Node.create(environment, config);
      nodes[number].start();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Ends a node's process.
  void end(int number) {
    world.end(number);
    network.down(number);
  }

  /// The store of one of the two shards of a node that is down. To be closed.
  Lsm store(int number, int shard) throws IOException {
    SimulatedLoop loop = new SimulatedLoop(world, number, disks[number]);
    SimulatedClock clock = new SimulatedClock(world);
    return Lsm.open(disks[number], loop, clock, world.random, "shard-" + shard, STORAGE);
  }

  /// A node's clock, which may be set wrong.
  SimulatedClock clock(int number) {
    return clocks[number];
  }

  SimulatedDisk disk(int number) {
    return disks[number];
  }

  /// Whether all shards of all others, and its own of them, believe a node alive, and it vouches
  /// for what it has.
  boolean seen(int number) {
    for (int other = 1; other <= size; other++) {
      if (!nodes[other].live(number) || !nodes[number].live(other)) {
        return false;
      }
    }
    return nodes[number].partitionsBehind() == 0;
  }

  boolean allSeen() {
    for (int number = 1; number <= size; number++) {
      if (!seen(number)) {
        return false;
      }
    }
    return true;
  }

  void runFor(long nanos) {
    world.runUntil(world.nanos() + nanos);
  }

  void within(long nanos, BooleanSupplier condition) {
    long until = world.nanos() + nanos;
    while (!condition.getAsBoolean()) {
      assertTrue(world.nanos() < until, "not within " + nanos / MILLI + " ms");
      runFor(10 * MILLI);
    }
  }
}
