package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.core.wire.ScanCursor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.IntPredicate;
import org.junit.jupiter.api.Test;

/// Pages of a scan that reach over partitions whose lists are not alike.
class ScanWhileMovingTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long MILLI = Cluster.MILLI;
  private static final int PARTITIONS = 16;

  private final Cluster cluster = Cluster.ofOneShardEach(4);
  private final Script script = new Script(cluster, 4);

  private void propose(Command command) {
    boolean[] told = {false};
    cluster.world.schedule(
        0, 1, () -> cluster.node(1).propose(new Proposed(0, command), decision -> told[0] = true));
    cluster.within(10 * SECOND, () -> told[0]);
  }

  /// Weights, by number of the member; replicas stay where they are.
  private void weighOnly(int... weights) {
    propose(new Command.HoldMoves(true));
    // Some member has a weight at any time.
    for (boolean zero : new boolean[] {false, true}) {
      for (int i = 0; i < weights.length; i++) {
        if (weights[i] == 0 == zero) {
          propose(new Command.SetWeight(i + 1, weights[i]));
        }
      }
    }
  }

  private void weigh(int... weights) {
    weighOnly(weights);
    propose(new Command.HoldMoves(false));
  }

  private Topology topology(int node) {
    return Objects.requireNonNull(cluster.node(node).view().topology(1));
  }

  private boolean leads(int node, int p, int... members) {
    return Arrays.equals(topology(node).replicas(p), members);
  }

  /// Waits until a partition is so, and returns the first one.
  private int await(IntPredicate is) {
    int[] found = {-1};
    long until = cluster.world.nanos() + 120 * SECOND;
    while (found[0] < 0) {
      assertTrue(cluster.world.nanos() < until, "no partition is so");
      cluster.runFor(MILLI);
      for (int p = PARTITIONS - 2; p >= 0; p--) {
        found[0] = is.test(p) ? p : found[0];
      }
    }
    return found[0];
  }

  private void awaitAll(IntPredicate is) {
    cluster.within(
        120 * SECOND,
        () -> {
          boolean all = true;
          for (int p = 0; p < PARTITIONS; p++) {
            all &= is.test(p);
          }
          return all;
        });
  }

  /// Asks for one key: with that a page is over at the end of a step.
  private ScanOutcome scan(int node, int partition) {
    List<ScanOutcome> outcomes = new ArrayList<>();
    cluster.world.schedule(
        0,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, "data")
                .scan(cursor(partition), 1, Scope.CLUSTER, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private long cursor(int partition) {
    return ScanCursor.of(topology(1).firstSlot(partition), 0);
  }

  private String keyOf(int partition) {
    int i = 0;
    while (topology(1).partitionOf(Slots.of(("k" + i).getBytes(US_ASCII))) != partition) {
      i++;
    }
    return "k" + i;
  }

  /// The others have left, and the one that stays has just started: its word is enough.
  @Test
  void theOnlyReplicaThatJustStartedLeadsOn() {
    weigh(100, 0, 0, 0);
    int first = await(each -> leads(1, each, 1));
    cluster.end(1);
    cluster.withoutData = 1;
    cluster.start(1);
    cluster.within(10 * SECOND, () -> leads(1, first, 1));
    assertTrue(cluster.node(1).partitionsBehind() > 0, "no partition is behind");
    for (int p = 0; p < PARTITIONS; p++) {
      if (leads(1, p, 1) && scan(1, p) instanceof ScanOutcome.Page page) {
        assertTrue(page.next() == 0 || page.next() > cursor(p), page.toString());
      }
    }
    assertTrue(cluster.node(1).partitionsBehind() > 0, "no partition is behind any more");
  }

  /// Moves one partition; the leader of the topology log takes the steps behind the first one.
  private void move(int p, int... list) {
    List<Integer> to = Arrays.stream(list).boxed().toList();
    Step begin = new Step(p, topology(1).epoch(p), Kind.BEGIN, to);
    propose(new Command.Moves(1, List.of(begin)));
    cluster.within(
        60 * SECOND,
        () -> {
          boolean all = true;
          for (int node = 1; node <= 3; node++) {
            all &= leads(node, p, list) && topology(node).replicaSet(p).isStable();
          }
          return all;
        });
  }

  /// Where one replica is all of a list its word is enough, and in the next partition it is not.
  @Test
  void aPageEndsWhereMoreReplicasAreAsked() {
    weigh(100, 0, 0, 0);
    awaitAll(each -> leads(1, each, 1) && topology(1).replicaSet(each).isStable());
    script.put(1, keyOf(0), "v", Level.DEFAULT);
    weighOnly(100, 100, 0, 0);
    move(1, 1, 2);
    assertTrue(leads(1, 0, 1), "another partition has moved");
    ScanOutcome.Page page = assertInstanceOf(ScanOutcome.Page.class, scan(1, 0));
    assertEquals(cursor(1), page.next());
  }

  /// A node that does not hear of moves asks a replica of before, which knows more.
  @Test
  void aPageEndsWhereReplicasHaveMovedUnnoticed() {
    weigh(0, 100, 0, 0);
    awaitAll(each -> leads(4, each, 2) && topology(2).replicaSet(each).isStable());
    script.put(1, keyOf(0), "v", Level.DEFAULT);
    cluster.withoutTopology = 4;
    weighOnly(0, 0, 100, 0);
    move(1, 3);
    assertTrue(leads(4, 0, 2) && leads(4, 1, 2), "node 4 knows of the move");
    ScanOutcome.Page page = assertInstanceOf(ScanOutcome.Page.class, scan(4, 0));
    assertEquals(cursor(1), page.next());
  }
}
