package dev.tern.simulation;

import dev.tern.core.node.Node;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.wire.FrameKind;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Changes the weights of members while the clients and the faults of a run are at work, in runs
/// whose clusters have more nodes than a key has replicas. Whoever leads the topology log moves the
/// replicas then, as on a real cluster. A member of weight 0 holds nothing in the end.
///
/// Nodes are taken away, too, with writes that they alone have, and are replaced as an operator
/// does it: others get their replicas, and they get their share again when they are back.
///
/// In runs whose clients ask for no less than the keyspace's levels no node is taken away. So few
/// members have a weight for a while there that lists are shorter than the keyspace's N.
final class Weights {
  private static final long LEAST_NANOS = ClusterRun.SECOND;
  private static final long MOST_NANOS = 4 * ClusterRun.SECOND;
  private static final int USUAL = 100;

  /// A node that is taken away is down for so long at least, and up to so much longer: others have
  /// its replicas by then, or some of them.
  private static final int AWAY_MILLIS = 4_000;

  private static final int MORE_MILLIS = 6_000;

  /// After the heal the replicas stand where the plan wants them within this.
  private static final long DONE_WITHIN = 120 * ClusterRun.SECOND;

  private final ClusterRun run;
  private final Randomness random;
  private final boolean on;
  private final Takeaway takeaway;
  private final Crossing crossing;

  /// Whether lists become shorter than N, and longer again.
  private final boolean shortens;

  private boolean changes;

  /// @param on whether weights are changed in the run
  Weights(ClusterRun run, boolean on) {
    this.run = run;
    this.random = run.world.random.child("weights");
    this.on = on;
    this.takeaway = new Takeaway(run, random);
    this.crossing = new Crossing(run, random);
    this.shortens = on && !run.asksLess();
  }

  boolean isOn() {
    return on;
  }

  /// Whether one replica may be the only one of a key: nothing may be lost with it.
  boolean shortens() {
    return shortens;
  }

  /// Begins to change weights.
  void begin() {
    if (on) {
      changes = true;
      later();
    }
  }

  /// Weights stay as they are from now on.
  void changeNoMore() {
    changes = false;
  }

  /// Whether frames of a kind pass between two nodes.
  boolean passes(int from, int to, FrameKind kind, byte[] frame) {
    boolean ofTopology = kind == FrameKind.TOPOLOGY || kind == FrameKind.RAFT;
    return takeaway.passes(from, to, kind)
        && (!crossing.looks() || crossing.passes(from, to, ofTopology, Wire.message(frame)));
  }

  private void later() {
    run.world.schedule(run.world.between(LEAST_NANOS, MOST_NANOS), 0, this::change);
  }

  private void change() {
    if (!changes) {
      return;
    }
    later();
    if (!shortens && random.nextDouble() < 0.5) {
      takeaway.take(AWAY_MILLIS, MORE_MILLIS, this::replace);
      return;
    }
    Node node = run.node(1 + random.nextInt(run.nodeCount));
    if (node == null || !node.view().state().founded()) {
      return;
    }
    if (shortens && random.nextDouble() < 0.6) {
      resize(node);
      return;
    }
    int number = 1 + random.nextInt(run.nodeCount);
    int weight = random.nextInt(3) * USUAL;
    long without =
        node.view().state().members().stream().filter(each -> each.weight() == 0).count();
    if (weight == 0 && run.nodeCount - without <= run.shape.n()) {
      // The others would be too few.
      weight = USUAL;
    }
    run.note("weight of member %d becomes %d".formatted(number, weight));
    weigh(node, number, weight);
  }

  private static void weigh(Node node, int number, int weight) {
    node.propose(new Proposed(0, new Command.SetWeight(number, weight)), decision -> {});
  }

  /// Leaves so few members a weight that lists are shorter than N, or gives one to all again.
  private void resize(Node node) {
    boolean all = node.view().state().members().stream().allMatch(each -> each.weight() > 0);
    int kept = all ? 1 + random.nextInt(Math.max(1, run.shape.n() - 1)) : run.nodeCount;
    int first = random.nextInt(run.nodeCount);
    if (all && random.nextDouble() < 0.7) {
      Set<Integer> leaving = new LinkedHashSet<>();
      for (int i = kept; i < run.nodeCount; i++) {
        leaving.add(1 + (first + i) % run.nodeCount);
      }
      crossing.shrinks(leaving);
    }
    run.world.schedule(ClusterRun.SECOND / 10, 0, () -> resize(kept, first));
  }

  private void resize(int kept, int first) {
    Node node = someNode();
    if (node == null) {
      return;
    }
    run.note("%d members from number %d on have a weight".formatted(kept, first + 1));
    for (int i = 0; i < run.nodeCount && changes; i++) {
      weigh(node, 1 + (first + i) % run.nodeCount, i < kept ? USUAL : 0);
    }
  }

  private @Nullable Node someNode() {
    Node some = null;
    for (int number = 1; number <= run.nodeCount && some == null; number++) {
      some = run.node(number);
    }
    return some;
  }

  /// An operator replaces a node that has ended, if enough others are left.
  private void replace(int number) {
    int asked = 1 + random.nextInt(run.nodeCount);
    long nanos = run.world.between(0, 2 * ClusterRun.SECOND);
    run.world.schedule(
        nanos,
        asked,
        () -> {
          Node node = run.node(asked);
          if (node != null && run.node(number) == null) {
            run.note("member %d is replaced".formatted(number));
            node.propose(new Proposed(0, new Command.SetAway(number, true)), decision -> {});
          }
        });
  }

  /// Waits until the replicas stand where the plan wants them. Where lists have become shorter, all
  /// members get a weight first: the last reads ask for N replicas.
  ///
  /// @throws History.Violation if that takes too long
  void end() {
    long until = run.world.nanos() + DONE_WITHIN;
    while (on && !isDone()) {
      run.restartStopped();
      if (shortens) {
        run.latest().members().stream()
            .filter(each -> each.weight() == 0)
            .forEach(each -> weigh(run.aNode(), each.number(), USUAL));
      }
      if (run.world.nanos() >= until) {
        throw new History.Violation("replicas are not where the plan wants them: " + why());
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
    boolean away = run.latest().members().stream().anyMatch(MemberEntry::away);
    boolean whole =
        !shortens || run.latest().members().stream().allMatch(each -> each.weight() > 0);
    return whole && run.allGoByTheLatest() && !away && pending().isEmpty();
  }

  private List<String> why() {
    List<String> why = new ArrayList<>(pending());
    for (MemberEntry member : run.latest().members()) {
      int number = member.number();
      Node node = run.node(number);
      why.add(
          "node %d%s: %s"
              .formatted(
                  number,
                  member.away() ? ", away" : "",
                  node == null ? "down" : node.moving() + " left " + node.left()));
    }
    return why;
  }

  private List<String> pending() {
    List<String> pending = new ArrayList<>();
    TopologyState latest = run.latest();
    for (ReplicaGroups groups : latest.groups()) {
      int[][] wanted = latest.plan(groups).lists();
      for (int p = 0; p < latest.partitions(); p++) {
        boolean there = Arrays.equals(wanted[p], groups.lists().list(p));
        if (!there || !groups.replicaSet(p).isStable()) {
          pending.add(
              "%d/%d %s wanted %s"
                  .formatted(groups.number(), p, groups.replicaSet(p), Arrays.toString(wanted[p])));
        }
      }
    }
    return pending;
  }

  @Override
  public String toString() {
    return shortens ? " short lists" : on ? " weights" : "";
  }
}
