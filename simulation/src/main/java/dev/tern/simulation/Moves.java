package dev.tern.simulation;

import dev.tern.core.node.Node;
import dev.tern.core.repair.MoveState;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  /// A node that is taken away is down for so long at least, and up to so much longer.
  private static final int AWAY_MILLIS = 3_000;

  private static final int MORE_MILLIS = 4_000;

  private final ClusterRun run;
  private final Randomness random;
  private final boolean on;

  /// Whether a move may change several places of a list: then the replicas of before and those of
  /// after have few in common.
  private final boolean wide;

  private boolean begins;

  /// The node that hears nothing of the topology, 0 for none: it goes by lists of before.
  private int uninformed;

  private final Takeaway takeaway;

  private final Crossing crossing;

  private int begun;

  private record Place(int set, int partition) {}

  /// @param on whether replicas are moved in the run
  Moves(ClusterRun run, boolean on) {
    this.run = run;
    this.random = run.world.random.child("moves");
    this.on = on;
    this.wide = random.nextDouble() < 0.6;
    this.takeaway = new Takeaway(run, random);
    this.crossing = new Crossing(run, random);
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
    if (random.nextDouble() < (run.asksLess() ? 0.3 : 0.7)) {
      uninformed = 1 + random.nextInt(run.nodeCount);
    }
    if (random.nextDouble() < 0.4) {
      takeaway.take(AWAY_MILLIS, MORE_MILLIS, number -> {});
    }
    run.world.schedule(upTo(2_000), 0, this::episode);
  }

  /// Whether frames of a kind pass between two nodes.
  boolean passes(int from, int to, FrameKind kind, byte[] frame) {
    boolean ofTopology = kind == FrameKind.TOPOLOGY || kind == FrameKind.RAFT;
    boolean hears = to != uninformed || !run.inChaos();
    return takeaway.passes(from, to, kind)
        && (hears || !ofTopology)
        && (!crossing.looks() || crossing.passes(from, to, ofTopology, Wire.message(frame)));
  }

  private long upTo(int millis) {
    return random.nextInt(millis) * 1_000_000L;
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
      if (node != null && node.left().count() > 0) {
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
      if (node != null && (!pending.isEmpty() || node.left().count() > 0)) {
        pending.add("node %d: %s, left %d".formatted(number, node.moving(), node.left().count()));
      }
    }
    return pending;
  }

  private void beat() {
    run.world.schedule(BEAT_NANOS, 0, this::beat);
    crossing.beat();
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
      if (!begins || random.nextDouble() >= 0.04) {
        return null;
      }
      List<Integer> list = list(groups, p);
      crossing.begins(groups, p, list);
      return new Step(p, epoch, Kind.BEGIN, list);
    }
    if (!isAdopted(set, epoch, told, crossing.excused(groups.number(), p))
        || crossing.holds(groups, p, areNewOnes(set, told))) {
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

  /// One or some of the list give their places to nodes that have none, or the list changes its
  /// order.
  private List<Integer> list(ReplicaGroups groups, int p) {
    List<Integer> list =
        new ArrayList<>(Arrays.stream(groups.replicaSet(p).members()).boxed().toList());
    List<Integer> others = new ArrayList<>();
    for (int number = 1; number <= run.nodeCount; number++) {
      if (!list.contains(number) && mayCome(number, groups, p)) {
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
      list.set(place, taken(others));
    }
    for (int other = 0; wide && other < list.size(); other++) {
      if (other != place && !others.isEmpty() && random.nextDouble() < 0.6) {
        list.set(other, taken(others));
      }
    }
    if (begun++ % 3 == 2) {
      Collections.swap(list, 0, random.nextInt(list.size()));
    }
    return list;
  }

  /// Takes one of some.
  private int taken(List<Integer> some) {
    int at = random.nextInt(some.size());
    int one = some.get(at);
    some.subList(at, at + 1).clear();
    return one;
  }

  /// Whether a node may be given a replica, as the mover of a real cluster asks: one that is up,
  /// and has nothing left of the partition from an earlier admission.
  private boolean mayCome(int number, ReplicaGroups groups, int p) {
    Node node = run.node(number);
    return node != null && node.left().mayReceive(groups, p);
  }

  /// @param excused a node that may be without it
  private boolean isAdopted(ReplicaSet set, long epoch, Map<Integer, MoveState> told, int excused) {
    int n = run.shape.n();
    int needed = Math.max(n - run.keyspace.w() + 1, n - run.keyspace.r() + 1);
    long adopted = 0;
    for (int place = 0; place < set.size(); place++) {
      MoveState state = told.get(set.member(place));
      boolean has = state != null && state.entryEpoch() == epoch;
      int member = set.member(place);
      if (!has && member != excused && run.node(member) != null) {
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
      boolean stays = set.shrinks() && has(set.newList(), member);
      boolean waits = set.isPending(member) || stays;
      filled &= !waits || state != null && state.filled();
    }
    return filled;
  }

  private static boolean has(int[] list, int member) {
    return Arrays.stream(list).anyMatch(each -> each == member);
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
