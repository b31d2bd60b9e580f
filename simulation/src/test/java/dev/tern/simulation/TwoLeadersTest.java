package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Slots;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Replicas that disagree about who leads the updates of a key: no number is given out twice.
class TwoLeadersTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;
  private static final int CLIENTS = 6;

  /// Clients of all nodes that count one key up, each again and again.
  private static final class Counting {
    final Script script;
    final String key;
    final Map<String, Integer> given = new TreeMap<>();
    int done;
    int unknown;
    int refused;
    boolean stopped;
    final boolean[] down = new boolean[4];

    Counting(PlantedBug planted, String key) {
      this.script = new Script(new Cluster(3, planted), 3);
      this.key = key;
      for (int client = 0; client < CLIENTS; client++) {
        next(1 + client % 3);
      }
    }

    private void next(int node) {
      // Nobody's event: it outlives the node.
      script.cluster.world.schedule(3 * MILLI, 0, () -> ask(node));
    }

    private void ask(int node) {
      if (stopped) {
        return;
      }
      if (down[node]) {
        next(node);
        return;
      }
      script.cluster.world.schedule(0, node, () -> add(node));
    }

    private void add(int node) {
      script
          .cluster
          .node(node)
          .keyspace(0, "data")
          .update(
              key.getBytes(US_ASCII),
              new Update.Add(1),
              Level.DEFAULT,
              outcome -> {
                switch (outcome) {
                  case UpdateOutcome.Done value -> {
                    done++;
                    given.merge(new String(value.value(), US_ASCII), 1, Integer::sum);
                  }
                  case Unanswered.Unknown why -> unknown++;
                  case Unanswered.Refused why -> refused++;
                  case UpdateOutcome.Rejected why -> throw new IllegalStateException("rejected");
                  case UpdateOutcome.Stored why -> throw new IllegalStateException("stored");
                }
                next(node);
              });
    }

    void end(int node) {
      down[node] = true;
      script.cluster.end(node);
    }

    void start(int node) {
      script.cluster.start(node);
      down[node] = false;
      for (int client = node - 1; client < CLIENTS; client += 3) {
        // The requests of its life before are not answered any more.
        next(node);
      }
    }

    long twice() {
      stopped = true;
      script.cluster.network.heal();
      script.cluster.runFor(10 * SECOND);
      String last = script.get(1, key, Script.ALL);
      assertTrue(Long.parseLong(last) >= given.size(), last + " after " + given.size());
      assertTrue(done > 200, done + " done");
      return given.values().stream().filter(times -> times > 1).count();
    }
  }

  /// The first replica of the key ends and starts again, while links are slow.
  private static long restarts(PlantedBug planted) {
    Counting counting = new Counting(planted, "k");
    int[] replicas = counting.script.replicas("data", "k");
    counting.script.cluster.network.slow(replicas[1], replicas[2], 20 * MILLI);
    counting.script.cluster.network.slow(replicas[0], replicas[2], 60 * MILLI);
    counting.script.cluster.network.slow(replicas[1], replicas[0], 35 * MILLI);
    for (int i = 0; i < 8; i++) {
      counting.script.cluster.runFor(2 * SECOND);
      counting.end(replicas[0]);
      counting.script.cluster.runFor(3 * SECOND);
      counting.start(replicas[0]);
      counting.script.cluster.runFor(4 * SECOND);
    }
    return counting.twice();
  }

  /// The first two replicas of the key do not hear each other; the third hears both.
  private static long falseSuspicions(PlantedBug planted) {
    Counting counting = new Counting(planted, "k");
    int[] replicas = counting.script.replicas("data", "k");
    for (int i = 0; i < 6; i++) {
      counting.script.cluster.runFor(SECOND);
      counting.script.cut(replicas[0], replicas[1], true);
      counting.script.cluster.runFor(5 * SECOND);
      counting.script.cut(replicas[0], replicas[1], false);
      counting.script.cluster.runFor(3 * SECOND);
    }
    return counting.twice();
  }

  @Test
  void aRestartOfTheFirstReplicaGivesOutNoNumberTwice() {
    assertEquals(0, restarts(PlantedBug.NONE));
  }

  @Test
  void aFalseSuspicionGivesOutNoNumberTwice() {
    assertEquals(0, falseSuspicions(PlantedBug.NONE));
  }

  @Test
  void withoutBallotsNumbersAreGivenOutTwice() {
    assertTrue(
        falseSuspicions(PlantedBug.BALLOTS_IGNORED) + restarts(PlantedBug.BALLOTS_IGNORED) > 0);
  }

  private static void setIfAbsent(
      Script script, int node, String key, String value, Map<String, UpdateOutcome> told) {
    Consumer<UpdateOutcome> put = outcome -> told.put(value, outcome);
    script.beginSetIfAbsent(node, key, value, /* get= */ false, Level.DEFAULT, put);
  }

  /// Keys of one partition of the cluster's sixteen.
  private static String key(int partition, int number) {
    int found = 0;
    for (int i = 0; ; i++) {
      int slot = Slots.of(("k" + i).getBytes(US_ASCII));
      if (slot / (Slots.COUNT / 16) == partition && found++ == number) {
        return "k" + i;
      }
    }
  }

  /// The floor of stripped deletes carries the ballot of another leader, above that of the first
  /// replica, which goes on under its own. Both then set an absent key.
  private static void floorOfALaterLeader(int partition) {
    Script script = new Script(new Cluster(3), 3);
    String key = key(partition, 0);
    int[] replicas = script.replicas("data", key);
    int first = replicas[0];
    int second = replicas[1];
    int third = replicas[2];
    Map<String, UpdateOutcome> told = new TreeMap<>();
    setIfAbsent(script, first, key(partition, 2), "warm", told);
    script.cluster.runFor(SECOND);
    script.cut(first, second, true);
    script.cut(first, third, true);
    script.cluster.within(
        15 * SECOND,
        () -> !script.cluster.node(second).live(first) && !script.cluster.node(third).live(first));
    setIfAbsent(script, second, key(partition, 1), "deleted", told);
    script.cluster.runFor(SECOND);
    script.delete(second, key(partition, 1), Level.DEFAULT);
    script.cut(first, second, false);
    script.cut(first, third, false);
    script.cluster.within(20 * SECOND, script.cluster::allSeen);
    script.cluster.within(90 * SECOND, () -> script.counted(Counter.STRIPPED_DELETES) >= 3);
    // The second replica takes the first one for dead.
    script.cut(first, second, true);
    script.cut(second, third, true);
    script.cluster.runFor(5 * SECOND);
    script.cut(second, third, false);
    script.cluster.within(
        15 * SECOND,
        () ->
            !script.cluster.node(second).live(first)
                && script.cluster.node(second).live(third)
                && script.cluster.node(third).live(second)
                && script.cluster.node(second).partitionsBehind() == 0);
    script.cluster.network.slow(third, first, 30 * MILLI);
    script.cluster.network.slow(third, second, 10 * MILLI);
    setIfAbsent(script, first, key, "A", told);
    script.cluster.runFor(5 * MILLI);
    setIfAbsent(script, second, key, "C", told);
    script.cluster.runFor(SECOND);
    script.cluster.network.heal();
    script.cluster.runFor(15 * SECOND);
    String last = script.get(third, key, Script.ALL);
    for (String value : new String[] {"A", "C"}) {
      if (told.get(value) instanceof UpdateOutcome.Done done && done.applied()) {
        assertEquals(value, last, "partition " + partition);
      }
    }
  }

  @Test
  void aRoundDoesNotStandOnALaterLeadersVersionUnderItsOwnBallot() {
    for (int partition = 0; partition < 6; partition++) {
      floorOfALaterLeader(partition);
    }
  }
}
