package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.ReplicaSet.Phase;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// A list that gets shorter: those that stay have to get what only those that leave have.
class ShrinkingListsTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long MILLI = Cluster.MILLI;

  private static byte[] bytes(String text) {
    return text.getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  /// Three replicas become one, which lags: two others have acknowledged what it lacks.
  @Test
  void theOneThatStaysHasEachAcknowledgedUpdate() {
    Cluster cluster = new Cluster(3);
    Script script = new Script(cluster, 3);
    Placement placement = new Placement(cluster, 3);
    placement.propose(new Command.HoldMoves(true));
    placement.propose(new Command.SetWeight(2, 0));
    placement.propose(new Command.SetWeight(3, 0));
    cluster.withoutData = 1;
    Map<String, Integer> acknowledged = new TreeMap<>();
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 40; i++) {
        String key = "c" + i;
        if (script.replicas("data", key)[0] != 1) {
          add(script, 2, key, Level.DEFAULT, acknowledged);
        }
      }
      cluster.runFor(100 * MILLI);
    }
    assertTrue(acknowledged.size() > 10, "too few updates were acknowledged");
    placement.propose(new Command.HoldMoves(false));
    cluster.runFor(3 * SECOND);
    assertTrue(placement.all(set -> set.phase() == Phase.FILLING), "one that stays lacks updates");
    cluster.withoutData = 0;
    cluster.within(
        60 * SECOND,
        () ->
            placement.all(set -> set.phase() == Phase.FENCED || set.isStable() && set.size() == 1));
    for (String key : acknowledged.keySet()) {
      add(script, 1, key, Level.LINEARIZABLE, acknowledged);
    }
    cluster.within(120 * SECOND, () -> placement.isSettled(1));
    cluster.runFor(5 * SECOND);
    acknowledged.forEach(
        (key, times) ->
            assertEquals(String.valueOf(times), script.get(2, key, Level.LINEARIZABLE), key));
  }

  private static void add(
      Script script, int node, String key, Level level, Map<String, Integer> acknowledged) {
    script.begin(
        node,
        key,
        new Update.Add(1),
        level,
        outcome -> {
          if (outcome instanceof UpdateOutcome.Done) {
            acknowledged.merge(key, 1, Integer::sum);
          }
        });
  }

  /// Three become two, of which one lags; the other is down when a third joins.
  @Test
  void anOrderlyLeaveTakesNoCopyAway() {
    Cluster cluster = new Cluster(4);
    Script script = new Script(cluster, 4);
    Placement placement = new Placement(cluster, 4);
    placement.settleOnTheFirstThree();
    cluster.runFor(5 * SECOND);
    cluster.withoutData = 1;
    Update put = new Update.Put(bytes("v"), Update.NO_EXPIRY, Update.Condition.NONE, false);
    List<String> acknowledged = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String key = "k" + i;
      script.begin(
          2,
          key,
          put,
          Level.DEFAULT,
          outcome -> {
            if (outcome instanceof UpdateOutcome.Done) {
              acknowledged.add(key);
            }
          });
    }
    cluster.within(10 * SECOND, () -> acknowledged.size() > 10);
    placement.weigh(100, 100, 0, 0);
    cluster.runFor(5 * SECOND);
    cluster.withoutData = 0;
    cluster.within(60 * SECOND, () -> placement.isSettled(2));
    placement.end(2);
    cluster.within(30 * SECOND, () -> !cluster.node(1).live(2) && !cluster.node(3).live(2));
    placement.weigh(100, 100, 0, 100);
    cluster.within(60 * SECOND, () -> placement.isSettled(3));
    cluster.runFor(5 * SECOND);
    for (String key : acknowledged) {
      assertEquals("v", script.get(1, key, Level.DEFAULT), key);
    }
  }
}
