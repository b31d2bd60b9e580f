package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.node.Node;
import dev.tern.core.repair.MoveState;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Moves replicas from node to node while the clients and the faults of a run are at work, in runs
/// whose clusters have more nodes than a key has replicas. It takes the steps by the rules that a
/// mover keeps to (design/rules.md, R1): a step follows when the one before was adopted by all
/// replicas that are up, and by enough of each list. In the end no node holds anything of a
/// partition that it left.
final class Moves {
  private static final long BEAT_NANOS = 50_000_000;

  /// After the heal all moves come to their end within this.
  private static final long DONE_WITHIN = 60 * ClusterRun.SECOND;

  /// A move is cancelled with this chance where it might go on.
  private static final double CANCELLED = 0.05;

  /// Keys that are written at a node that is taken away.
  private static final int ALONE = 4;

  private static final int AWAY_MILLIS = 4_000;

  /// Of the writes of this class, a number that no other client has.
  private static final int CLIENT = 100;

  private final ClusterRun run;
  private final Randomness random;
  private final boolean on;
  private boolean begins;

  /// The node that hears nothing of the topology, 0 for none: it goes by lists of before.
  private int uninformed;

  /// Whether a node is about to be taken away.
  private boolean away;

  /// Counts names of keys that one node has alone.
  private int alone;

  private final PlainClient client;

  private int begun;

  private record Place(int set, int partition) {}

  /// @param on whether replicas are moved in the run
  Moves(ClusterRun run, boolean on) {
    this.run = run;
    this.random = run.world.random.child("moves");
    this.on = on;
    this.client = new PlainClient(run, CLIENT);
  }

  boolean isOn() {
    return on;
  }

  /// Begins to move replicas.
  void begin() {
    if (on) {
      begins = true;
      run.world.schedule(BEAT_NANOS, 0, this::beat);
      episode();
    }
  }

  /// A node hears nothing of the topology for a while, again and again.
  private void episode() {
    uninformed = 0;
    if (!run.inChaos()) {
      return;
    }
    if (random.nextDouble() < 0.3) {
      uninformed = 1 + random.nextInt(run.nodeCount);
    }
    if (random.nextDouble() < 0.4) {
      takeAway();
    }
    run.world.schedule(upTo(2_000), 0, this::episode);
  }

  /// Whether a node hears frames of a kind.
  boolean informs(int node, FrameKind kind) {
    boolean hears = node != uninformed || !run.inChaos();
    return hears || kind != FrameKind.TOPOLOGY && kind != FrameKind.RAFT;
  }

  /// A node hears nobody for a while, takes writes that one replica suffices for, and ends. Its
  /// replicas are given to others before it is back: what it alone has it must hand on. Some of
  /// that is deleted meanwhile, and must not come back.
  private void takeAway() {
    int number = 1 + random.nextInt(run.nodeCount);
    boolean may = !away && run.mayStopNodes();
    for (int each = 1; each <= run.nodeCount; each++) {
      may &= run.node(each) != null;
    }
    if (!may) {
      return;
    }
    away = true;
    run.note("node %d is taken away".formatted(number));
    apart(number, true);
    for (int i = 0; i < ALONE; i++) {
      run.world.schedule(upTo(500), number, () -> writeAlone(number));
    }
    run.world.schedule(
        ClusterRun.SECOND / 2 + upTo(500),
        0,
        () -> {
          away = false;
          apart(number, false);
          if (run.node(number) != null && run.inChaos()) {
            boolean power = run.mayLosePower() && random.nextDouble() < 0.5;
            run.crash(number, power, 3 * ClusterRun.SECOND + upTo(AWAY_MILLIS));
          }
        });
  }

  /// Puts a key of which a node has a replica at that node alone, and perhaps deletes it elsewhere.
  private void writeAlone(int number) {
    Node node = run.node(number);
    if (node == null || !run.inChaos()) {
      return;
    }
    Topology topology = Objects.requireNonNull(node.view().topology(run.keyspace.id()));
    String key;
    do {
      key = "alone-" + alone++;
    } while (!topology
        .replicaSet(topology.partitionOf(Slots.of(key.getBytes(US_ASCII))))
        .has(number));
    String put = key;
    client.putAtOne(node.keyspace(0, "data"), put);
    if (random.nextDouble() < 0.5) {
      int other = 1 + random.nextInt(run.nodeCount);
      run.world.schedule(ClusterRun.SECOND / 4 + upTo(2_000), other, () -> delete(other, put));
    }
  }

  private void delete(int number, String key) {
    Node node = run.node(number);
    if (node != null && run.inChaos()) {
      client.delete(node.keyspace(0, "data"), key, () -> {});
    }
  }

  private long upTo(int millis) {
    return random.nextInt(millis) * 1_000_000L;
  }

  private void apart(int member, boolean is) {
    for (int other = 1; other <= run.nodeCount; other++) {
      if (other != member) {
        run.network().cut(member, other, is && run.inChaos());
        run.network().cut(other, member, is && run.inChaos());
      }
    }
  }

  /// Moves that are under way go on, others do not begin.
  void beginNoMore() {
    begins = false;
  }

  /// Waits until no partition has two lists, and no node has anything of one that it left.
  ///
  /// @throws History.Violation if that takes too long
  void end() {
    long until = run.world.nanos() + DONE_WITHIN;
    while (on && !isDone()) {
      run.restartStopped();
      if (run.world.nanos() >= until) {
        throw new History.Violation("moves do not end: " + pending());
      }
      run.world.runUntil(run.world.nanos() + ClusterRun.SECOND);
    }
  }

  private boolean isDone() {
    for (int number = 1; number <= run.nodeCount; number++) {
      Node node = run.node(number);
      if (node != null && node.left() > 0) {
        return false;
      }
    }
    return run.allGoByTheLatest() && pending().isEmpty();
  }

  private List<String> pending() {
    List<String> pending = new ArrayList<>();
    for (ReplicaGroups groups : run.latest().groups()) {
      for (int p = 0; p < run.latest().partitions(); p++) {
        if (!groups.replicaSet(p).isStable()) {
          pending.add(
              "%d/%d %s epoch %d"
                  .formatted(groups.number(), p, groups.replicaSet(p), groups.epoch(p)));
        }
      }
    }
    for (int number = 1; number <= run.nodeCount; number++) {
      Node node = run.node(number);
      if (node != null && (!pending.isEmpty() || node.left() > 0)) {
        pending.add("node %d: %s, left %d".formatted(number, node.moving(), node.left()));
      }
    }
    return pending;
  }

  private void beat() {
    run.world.schedule(BEAT_NANOS, 0, this::beat);
    int asked = 1 + random.nextInt(run.nodeCount);
    Node node = run.node(asked);
    if (node == null || !node.view().state().founded()) {
      return;
    }
    TopologyState state = node.view().state();
    if (!state.movesHeld()) {
      // The leader of the topology log begins no moves beside these.
      node.propose(new Proposed(0, new Command.HoldMoves(true)), decision -> {});
      return;
    }
    Map<Place, Map<Integer, MoveState>> told = told();
    for (ReplicaGroups groups : state.groups()) {
      List<Step> steps = new ArrayList<>();
      for (int p = 0; p < state.partitions(); p++) {
        Place place = new Place(groups.number(), p);
        Step step = step(groups, p, told.getOrDefault(place, Collections.emptyMap()));
        if (step != null) {
          run.note("step %s of %s".formatted(step, groups.replicaSet(p)));
          steps.add(step);
        }
      }
      if (!steps.isEmpty()) {
        node.propose(
            new Proposed(0, new Command.Moves(groups.number(), steps)),
            decision -> run.note("node %d is told %s".formatted(asked, decision)));
      }
    }
  }

  private Map<Place, Map<Integer, MoveState>> told() {
    Map<Place, Map<Integer, MoveState>> told = new LinkedHashMap<>();
    for (int number = 1; number <= run.nodeCount; number++) {
      Node node = run.node(number);
      for (MoveState each : node == null ? List.<MoveState>of() : node.moving()) {
        told.computeIfAbsent(
                new Place(each.set(), each.partition()), first -> new LinkedHashMap<>())
            .put(number, each);
      }
    }
    return told;
  }

  private @Nullable Step step(ReplicaGroups groups, int p, Map<Integer, MoveState> told) {
    ReplicaSet set = groups.replicaSet(p);
    long epoch = groups.epoch(p);
    if (set.isStable()) {
      boolean moves = begins && random.nextDouble() < 0.04;
      return moves ? new Step(p, epoch, Kind.BEGIN, list(set)) : null;
    }
    if (!isAdopted(set, epoch, told)) {
      return null;
    }
    boolean cancels = random.nextDouble() < CANCELLED;
    return switch (set.phase()) {
      case STABLE -> null;
      case FILLING ->
          cancels || groups.returns(p)
              ? new Step(p, epoch, Kind.CANCEL, List.of())
              : areNewOnes(set, told) ? new Step(p, epoch, Kind.SWITCH, List.of()) : null;
      case SWITCHED -> new Step(p, epoch, cancels ? Kind.CANCEL : Kind.FENCE, List.of());
      case FENCED -> areDrained(set, told) ? new Step(p, epoch, Kind.FINISH, List.of()) : null;
    };
  }

  /// One of the list gives its place to a node that has none, or the list changes its order.
  private List<Integer> list(ReplicaSet set) {
    List<Integer> list = new ArrayList<>(Arrays.stream(set.members()).boxed().toList());
    List<Integer> others = new ArrayList<>();
    for (int number = 1; number <= run.nodeCount; number++) {
      if (!list.contains(number) && mayCome(number)) {
        others.add(number);
      }
    }
    int place = random.nextInt(list.size());
    // As a mover does, those that are away are replaced first.
    for (int other = 0; other < list.size() && random.nextDouble() < 0.8; other++) {
      place = run.node(list.get(other)) == null ? other : place;
    }
    if (random.nextDouble() < 0.1) {
      Collections.rotate(list.subList(place, list.size()), -1);
    } else if (!others.isEmpty()) {
      list.set(place, others.get(random.nextInt(others.size())));
    }
    if (begun++ % 3 == 2) {
      Collections.swap(list, 0, random.nextInt(list.size()));
    }
    return list;
  }

  /// Whether a node may be given a replica: one that is up, and that has nothing left of partitions
  /// that it was a replica of. What it has of an earlier admission it would lose before it has
  /// handed it on. A node that is away may have some.
  private boolean mayCome(int number) {
    Node node = run.node(number);
    return node != null && node.view().epoch() == run.latest().epoch() && node.left() == 0;
  }

  private boolean isAdopted(ReplicaSet set, long epoch, Map<Integer, MoveState> told) {
    int n = run.shape.n();
    int needed = Math.max(n - run.keyspace.w() + 1, n - run.keyspace.r() + 1);
    long adopted = 0;
    for (int place = 0; place < set.size(); place++) {
      MoveState state = told.get(set.member(place));
      boolean has = state != null && state.entryEpoch() == epoch;
      if (!has && run.node(set.member(place)) != null) {
        return false;
      }
      adopted |= has ? 1L << place : 0;
    }
    return Long.bitCount(adopted & set.oldPlaces()) >= needed
        && Long.bitCount(adopted & set.newPlaces()) >= needed;
  }

  private static boolean areNewOnes(ReplicaSet set, Map<Integer, MoveState> told) {
    boolean filled = true;
    for (int member : set.members()) {
      MoveState state = told.get(member);
      filled &= !set.isPending(member) || state != null && state.filled();
    }
    return filled;
  }

  private boolean areDrained(ReplicaSet set, Map<Integer, MoveState> told) {
    boolean drained = true;
    for (int member : set.oldList()) {
      MoveState state = told.get(member);
      boolean leaves = !set.leaders().has(member) && run.node(member) != null;
      drained &= !leaves || state != null && state.drained();
    }
    return drained;
  }

  @Override
  public String toString() {
    return on ? " moving" : "";
  }
}
