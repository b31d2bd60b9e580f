package dev.tern.simulation;

import dev.tern.core.Node;
import dev.tern.core.NodeConfig;
import dev.tern.core.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.Topology;
import dev.tern.env.Environment;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One cluster from one seed: chaos, heal, and the last look.
final class ClusterRun {
  static final long SECOND = 1_000_000_000L;
  private static final int PARTITIONS = 16;
  private static final int KEYS = 12;
  private static final int CLIENTS = 6;
  private static final int TIMEOUT_MILLIS = 1_000;

  final World world;
  final History history = new History();
  final int nodeCount;
  final long chaosNanos;
  private final SimulatedNetwork network;
  private final SimulatedClock[] clocks;
  private final SimulatedDisk[] disks;
  private final SimulatedLoop[] loops;
  private final @Nullable Node[] nodes;
  private final Topology topology;
  private final KeyspaceConfig keyspace;
  private final LsmOptions storage;
  private final PlantedBug planted;
  private final Faults faults;
  private final List<SimulatedClient> clients = new ArrayList<>();

  ClusterRun(long seed, PlantedBug planted, LsmBug lsmBug) {
    this.world = new World(seed);
    this.planted = planted;
    this.nodeCount = 3;
    this.chaosNanos = world.between(8, 20) * SECOND;
    this.network = new SimulatedNetwork(world, nodeCount);
    this.clocks = new SimulatedClock[nodeCount + 1];
    this.disks = new SimulatedDisk[nodeCount + 1];
    this.loops = new SimulatedLoop[nodeCount + 1];
    this.nodes = new Node[nodeCount + 1];
    List<Member> members = new ArrayList<>();
    for (int i = 1; i <= nodeCount; i++) {
      clocks[i] = new SimulatedClock(world);
      disks[i] = new SimulatedDisk(world, i);
      Member.Ports ports = new Member.Ports(1, 2, 3, 4, 5);
      members.add(new Member(i, "%040x".formatted(i), "z" + i, "node-" + i, ports));
    }
    this.topology = Topology.ofMembers(1, PARTITIONS, 3, members);
    this.faults = new Faults(this);
    Durability durability = faults.powerCuts() ? Durability.SYNC : Durability.OS;
    this.keyspace = new KeyspaceConfig(1, "data", 3, 2, 2, durability, TIMEOUT_MILLIS);
    this.storage = new LsmOptions(world.between(8, 64) << 10, 2_048, 512, lsmBug);
  }

  /// Runs it all; the violation found, null for none.
  @Nullable String run() {
    try {
      for (int i = 1; i <= nodeCount; i++) {
        startNode(i);
      }
      world.runUntil(SECOND);
      for (int i = 0; i < CLIENTS; i++) {
        SimulatedClient client = new SimulatedClient(this, i, KEYS);
        clients.add(client);
        client.next();
      }
      faults.begin();
      world.runUntil(SECOND + chaosNanos);
      heal();
      world.runUntil(world.nanos() + 5 * SECOND);
      new LastLook(this, clients).run();
      return null;
    } catch (History.Violation violation) {
      return violation.getMessage();
    } catch (RuntimeException | AssertionError e) {
      return "a node broke: " + e + " at " + List.of(e.getStackTrace()).subList(0, 3);
    }
  }

  private void heal() {
    for (SimulatedClient client : clients) {
      client.stop();
    }
    network.heal();
    for (int i = 1; i <= nodeCount; i++) {
      clocks[i].offsetMillis = 0;
      disks[i].crashAfter(-1);
      if (loops[i] != null) {
        loops[i].slownessNanos = 50_000;
      }
      if (nodes[i] == null) {
        startNode(i);
      }
    }
  }

  void startNode(int number) {
    if (nodes[number] != null) {
      return;
    }
    SimulatedLoop loop = new SimulatedLoop(world, number, () -> crash(number, true));
    loops[number] = loop;
    Environment environment =
        new Environment(
            clocks[number],
            List.of(loop),
            network.of(number),
            disks[number],
            world.random.child("node-" + number + "-" + world.nanos()));
    try {
      Node node =
          Node.create(
              environment, new NodeConfig(number, topology, List.of(keyspace), storage, planted));
      nodes[number] = node;
      node.start();
    } catch (World.Crash crash) {
      crash(number, true);
    } catch (IOException e) {
      throw new History.Violation("node " + number + " cannot start: " + e);
    }
  }

  /// Ends a node in the middle of whatever it does, and starts it again later.
  void crash(int number, boolean powerCut) {
    nodes[number] = null;
    world.end(number);
    network.down(number);
    disks[number].crashAfter(-1);
    if (powerCut) {
      disks[number].powerCut();
    }
    // Nobody's event: it must survive the node.
    world.schedule(world.between(SECOND / 5, 3 * SECOND), 0, () -> startNode(number));
  }

  @Nullable Node node(int number) {
    return nodes[number];
  }

  SimulatedNetwork network() {
    return network;
  }

  SimulatedClock clock(int number) {
    return clocks[number];
  }

  SimulatedDisk disk(int number) {
    return disks[number];
  }

  SimulatedLoop loop(int number) {
    return loops[number];
  }

  /// Whether an acknowledged increment may get lost: two nodes may have acted at once.
  boolean suspicionsMayBeFalse() {
    return faults.mayCauseSuspicion();
  }
}
