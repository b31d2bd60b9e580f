package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Keys are counted once each, whatever members believe of each other.
class CountTest {
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;
  private static final int KEYS = 100;

  private static Cluster written() {
    Cluster cluster = new Cluster(3);
    for (int i = 0; i < KEYS; i++) {
      byte[] key = ("k" + i).getBytes(US_ASCII);
      Update put = new Update.Put(key, 0, Update.Condition.NONE, false);
      Level all = new Level(0, 3, 0);
      List<UpdateOutcome> outcomes = new ArrayList<>();
      cluster.world.schedule(
          0, 1, () -> cluster.node(1).keyspace(0, "data").update(key, put, all, outcomes::add));
      cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
      assertInstanceOf(UpdateOutcome.Done.class, outcomes.getFirst());
    }
    return cluster;
  }

  private static CountOutcome count(Cluster cluster, int node) {
    List<CountOutcome> outcomes = new ArrayList<>();
    cluster.world.schedule(
        0, node, () -> cluster.node(node).keyspace(0, "data").count(Scope.CLUSTER, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  /// Nodes 1 and 2 do not reach each other, and node 3 reaches both: each believes otherwise of who
  /// leads what.
  @Test
  void noKeyIsCountedTwiceOrLeftOutWhileMembersDisagreeAboutWhoLives() {
    Cluster cluster = written();
    int told = 0;
    int disagreed = 0;
    for (int round = 0; round < 6; round++) {
      boolean cut = round % 2 == 0;
      cluster.network.cut(1, 2, cut);
      cluster.network.cut(2, 1, cut);
      for (int i = 0; i < 60; i++) {
        disagreed += cluster.node(1).live(2) == cluster.node(3).live(2) ? 0 : 1;
        for (int node = 1; node <= 3; node++) {
          if (count(cluster, node) instanceof CountOutcome.Count count) {
            assertEquals(KEYS, count.keys(), "round %d, node %d".formatted(round, node));
            told++;
          }
        }
        cluster.runFor(50 * MILLI);
      }
    }
    assertTrue(disagreed > 20, "members disagreed " + disagreed + " times");
    assertTrue(told > 200, "only " + told + " counts were told");
  }

  /// A sum that leaves keys out is no answer.
  @Test
  void nothingIsCountedWhileAPartitionHasNoLiveReplica() {
    Cluster cluster = new Cluster(5, 3, number -> "z" + number);
    for (int node : new int[] {3, 4, 5}) {
      cluster.end(node);
    }
    cluster.within(30 * SECOND, () -> !cluster.node(1).live(3) && !cluster.node(1).live(5));
    cluster.runFor(10 * SECOND);
    for (int i = 0; i < 5; i++) {
      assertInstanceOf(Unanswered.class, count(cluster, 1));
      cluster.runFor(SECOND);
    }
    for (int node : new int[] {3, 4, 5}) {
      cluster.start(node);
    }
    cluster.within(60 * SECOND, () -> count(cluster, 1) instanceof CountOutcome.Count);
  }
}
