package dev.tern.simulation;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.FileLives;
import dev.tern.raft.Membership;
import dev.tern.raft.Raft;
import dev.tern.raft.RaftBug;
import dev.tern.raft.RaftConfig;
import dev.tern.raft.RaftMessage;
import dev.tern.raft.RaftMessageCodec;
import dev.tern.raft.group.RaftGroup;
import dev.tern.raft.log.SharedLog;
import dev.tern.raft.log.SnapshotFiles;
import dev.tern.world.DriftingClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Raft groups on a handful of nodes from one seed: chaos, heal, and the last look. All groups of a
/// node share its log.
final class RaftRun {
  static final long MILLI = 1_000_000;
  static final long SECOND = 1000 * MILLI;
  private static final long TICK_NANOS = 10 * MILLI;
  private static final int SPARES = 2;

  final World world;
  final int founders;
  final int nodeCount;
  final long chaosNanos;
  final SimulatedDisk[] disks;
  private final RaftGroup.Options options;
  private final long segmentBytes;
  private final RaftConfig shape;
  private final DriftingClock[] clocks;

  /// By node; null while it is down.
  private final @Nullable SharedLog[] logs;

  private final List<RaftSubject> groups = new ArrayList<>();
  private final boolean[][] cut;

  /// When the last frame from one node to another arrives: a connection keeps the order, where the
  /// network is not what goes wrong.
  private final long[][] lastArrival;

  private final RaftFaults faults;
  private final ByteWriter wire = new ByteWriter();
  double loss;
  double duplication;
  boolean reordering;
  long delayNanos = 2 * MILLI;
  private boolean calm;

  RaftRun(long seed, RaftBug bug) {
    world = new World(seed, this::threw);
    founders = 3 + (world.chance(0.3) ? 0 : (int) world.between(0, 3));
    nodeCount = founders + SPARES;
    chaosNanos = world.between(1, 5) * SECOND;
    disks = new SimulatedDisk[nodeCount + 1];
    clocks = new DriftingClock[nodeCount + 1];
    logs = new SharedLog[nodeCount + 1];
    cut = new boolean[nodeCount + 1][nodeCount + 1];
    lastArrival = new long[nodeCount + 1][nodeCount + 1];
    segmentBytes = world.between(2_000, 20_000);
    options = new RaftGroup.Options(TICK_NANOS, world.between(1_000, 10_000), world.between(0, 20));
    shape =
        new RaftConfig(
            1,
            10,
            (int) world.between(1, 4),
            world.chance(0.5) ? 7 : 0,
            world.chance(0.5) ? 1 : 2_000,
            (int) world.between(200, 20_000),
            20_000,
            (int) world.between(1, 2_000),
            (int) world.between(40, 300),
            100,
            bug);
    for (int node = 1; node <= nodeCount; node++) {
      disks[node] = new SimulatedDisk(world, node);
      clocks[node] = new DriftingClock(world, 0.9 + world.random.nextDouble() * 0.2);
    }
    int count = world.chance(0.7) ? 1 : 2;
    for (int group = 1; group <= count; group++) {
      groups.add(new RaftSubject(this, group));
    }
    faults = new RaftFaults(this);
  }

  /// Runs it all; the violation found, null for none.
  @Nullable String run() {
    try {
      world.inspect(node -> groups.forEach(group -> group.inspect(node)));
      for (int node = 1; node <= nodeCount; node++) {
        start(node);
      }
      faults.begin();
      groups.forEach(RaftSubject::begin);
      world.runUntil(chaosNanos);
      heal();
      for (RaftSubject group : groups) {
        group.lastLook();
      }
      return null;
    } catch (History.Violation violation) {
      return violation.getMessage() + " | " + this;
    }
  }

  private void threw(int node, Throwable what) {
    if (what instanceof World.Crash crash) {
      crash(crash.node, true);
    } else {
      throw new History.Violation(
          "node %d broke: %s at %s"
              .formatted(node, cause(what), List.of(cause(what).getStackTrace()).subList(0, 3)));
    }
  }

  private static Throwable cause(Throwable what) {
    return what.getCause() == null ? what : what.getCause();
  }

  private void heal() {
    calm = true;
    loss = 0;
    duplication = 0;
    reordering = false;
    delayNanos = 2 * MILLI;
    for (int node = 1; node <= nodeCount; node++) {
      java.util.Arrays.fill(cut[node], false);
      disks[node].heal();
      if (logs[node] == null) {
        start(node);
      }
    }
  }

  boolean calm() {
    return calm;
  }

  // ---- nodes

  boolean up(int node) {
    return logs[node] != null;
  }

  private Membership founding(int node) {
    List<Integer> voters = new ArrayList<>();
    for (int founder = 1; founder <= founders; founder++) {
      voters.add(founder);
    }
    return node <= founders ? Membership.of(voters, List.of()) : Membership.NOBODY;
  }

  private void start(int node) {
    if (up(node)) {
      return;
    }
    SimulatedLoop loop = new SimulatedLoop(world, node, disks[node]);
    RaftConfig config =
        new RaftConfig(
            node,
            shape.electionTicks(),
            shape.heartbeatTicks(),
            shape.leaseTicks(),
            shape.maxMessageBytes(),
            shape.maxInflightBytes(),
            shape.maxUncommittedBytes(),
            shape.maxApplyBytes(),
            shape.chunkBytes(),
            shape.maxPendingReads(),
            shape.bug());
    try {
      FileLives lives = FileLives.of(world.random, clocks[node], "raft-" + node);
      SharedLog log = SharedLog.open(disks[node], loop, "raft", segmentBytes, lives);
      SnapshotFiles snapshots = new SnapshotFiles(disks[node], "snapshots", lives);
      for (RaftSubject group : groups) {
        group.start(
            node,
            observer ->
                RaftGroup.open(
                    new RaftGroup.Context(log, snapshots, loop, clocks[node], options),
                    group.number,
                    config,
                    founding(node),
                    world.random.child("raft-" + node + "-" + group.number + "-" + world.nanos()),
                    observer.machine(),
                    observer));
      }
      logs[node] = log;
      world.schedule(TICK_NANOS, node, () -> tick(node));
    } catch (World.Crash crash) {
      crash(node, true);
    } catch (IOException e) {
      throw new History.Violation("node " + node + " cannot start: " + e);
    }
  }

  private void tick(int node) {
    groups.forEach(group -> group.tick(node));
    world.schedule(TICK_NANOS, node, () -> tick(node));
  }

  /// Ends a node in the middle of whatever it does, and starts it again later.
  void crash(int node, boolean powerCut) {
    crash(node, powerCut, world.chance(0.5) ? 10 * MILLI : SECOND);
  }

  void crash(int node, boolean powerCut, long maxNanos) {
    logs[node] = null;
    groups.forEach(group -> group.stop(node));
    world.end(node);
    disks[node].crashAfter(-1);
    if (powerCut) {
      disks[node].powerCut();
    }
    // Nobody's event: it must survive the node.
    world.schedule(world.between(MILLI, maxNanos), 0, () -> start(node));
  }

  /// A member took a new role.
  void became(int node, Raft.Role role) {
    faults.became(node, role);
  }

  // ---- network

  void cut(int from, int to, boolean isCut) {
    cut[from][to] = isCut;
  }

  /// Nothing reaches a node for a while.
  void deafen(int node) {
    for (int from = 1; from <= nodeCount; from++) {
      cut[from][node] = from != node;
    }
    world.schedule(
        world.between(50, 300) * MILLI,
        0,
        () -> {
          for (int from = 1; from <= nodeCount; from++) {
            cut[from][node] = false;
          }
        });
  }

  void send(int group, int from, int to, RaftMessage message) {
    if (to > nodeCount || cut[from][to] || world.chance(loss)) {
      return;
    }
    faults.sent(from, message);
    RaftMessageCodec.encode(message, wire.clear());
    byte[] bytes = wire.toByteArray();
    int copies = world.chance(duplication) ? 2 : 1;
    for (int i = 0; i < copies; i++) {
      long delay = world.between(100_000, world.chance(0.02) ? 10 * delayNanos : delayNanos);
      long arrival = world.nanos() + delay;
      if (!reordering) {
        arrival = Math.max(arrival, lastArrival[from][to]);
        lastArrival[from][to] = arrival;
      }
      world.schedule(arrival - world.nanos(), 0, () -> arrive(group, from, to, bytes));
    }
  }

  private void arrive(int group, int from, int to, byte[] bytes) {
    if (up(to) && !cut[from][to]) {
      RaftMessage message = RaftMessageCodec.decode(new ByteReader(bytes));
      world.schedule(0, to, () -> groups.get(group - 1).deliver(from, to, message));
    }
  }

  // ---- for faults

  /// A node that leads a group, else any.
  int leaderOrAny() {
    TreeSet<Integer> leaders = new TreeSet<>();
    for (RaftSubject group : groups) {
      for (int node = 1; node <= nodeCount; node++) {
        RaftGroup member = group.member(node);
        if (member != null && member.raft().role() == Raft.Role.LEADER) {
          leaders.add(node);
        }
      }
    }
    boolean some = leaders.isEmpty() || world.chance(0.4);
    int index = world.random.nextInt(some ? nodeCount : leaders.size());
    return some ? index + 1 : List.copyOf(leaders).get(index);
  }

  List<RaftSubject> groups() {
    return groups;
  }

  @Override
  public String toString() {
    return "founders %d groups %d lease %d, %s"
        .formatted(founders, groups.size(), shape.leaseTicks(), faults);
  }
}
