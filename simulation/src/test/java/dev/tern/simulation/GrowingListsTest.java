package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// Lists of replicas become longer and shorter: nothing is lost, and what was acknowledged is read
/// meanwhile.
class GrowingListsTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long MILLI = Cluster.MILLI;

  private Cluster cluster = new Cluster(3);
  private Script script = new Script(cluster, 3);
  private int done;
  private final List<String> missing = new ArrayList<>();

  private void propose(Command command) {
    boolean[] told = {false};
    cluster.world.schedule(
        0, 1, () -> cluster.node(1).propose(new Proposed(0, command), decision -> told[0] = true));
    cluster.within(10 * SECOND, () -> told[0]);
  }

  /// Weights, by number of the member.
  private void weigh(int... weights) {
    propose(new Command.HoldMoves(true));
    for (int i = 0; i < weights.length; i++) {
      propose(new Command.SetWeight(i + 1, weights[i]));
    }
    propose(new Command.HoldMoves(false));
  }

  private boolean all(Predicate<ReplicaSet> is) {
    for (int node = 1; node <= 3; node++) {
      TopologyState state = cluster.node(node).view().state();
      for (ReplicaGroups groups : state.groups()) {
        for (int p = 0; p < state.partitions(); p++) {
          if (!is.test(groups.replicaSet(p))) {
            return false;
          }
        }
      }
    }
    return true;
  }

  private boolean settled(int size) {
    return all(set -> set.isStable() && set.size() == size);
  }

  private void comesTo(int size, int... weights) {
    weigh(weights);
    cluster.within(120 * SECOND, () -> settled(size));
  }

  private int present(int node, int count, Level level) {
    int present = 0;
    for (int i = 0; i < count; i++) {
      present += "v".equals(script.get(node, "k" + i, level)) ? 1 : 0;
    }
    return present;
  }

  /// What a node alone has written comes to those that join it, and they have it when the first one
  /// gives its replicas away.
  @Test
  void whatWasWrittenAloneGoesToTheOthers() {
    comesTo(1, 100, 0, 0);
    for (int i = 0; i < 20; i++) {
      script.put(1, "k" + i, "v", Level.DEFAULT);
    }
    cluster.runFor(20 * SECOND);
    for (int i = 20; i < 40; i++) {
      script.put(1, "k" + i, "v", Level.DEFAULT);
    }
    comesTo(3, 100, 100, 100);
    cluster.runFor(5 * SECOND);
    assertEquals(40, present(2, 40, Script.ONE));
    assertEquals(40, present(3, 40, Script.ONE));
    comesTo(2, 0, 100, 100);
    cluster.runFor(5 * SECOND);
    assertEquals(40, present(2, 40, Level.DEFAULT));
  }

  @Test
  void aKeyspaceOfOneReplicaMovesWithWhatItHas() {
    cluster = new Cluster(3, 1, number -> "z" + number);
    script = new Script(cluster, 3);
    for (int i = 0; i < 40; i++) {
      script.put(1, "k" + i, "v", Level.DEFAULT);
    }
    weigh(100, 100, 0);
    cluster.within(120 * SECOND, () -> all(set -> set.isStable() && !set.has(3)));
    cluster.runFor(10 * SECOND);
    assertEquals(40, present(1, 40, Level.DEFAULT));
  }

  private boolean any(Phase phase) {
    return !all(set -> set.phase() != phase);
  }

  /// A replica starts anew while the others leave, and hears nothing of them: it is alone then, and
  /// waits for nobody.
  @Test
  void theOnlyReplicaIsNotBehind() {
    for (int i = 0; i < 20; i++) {
      script.put(1, "k" + i, "v", Level.DEFAULT);
    }
    weigh(100, 0, 0);
    cluster.within(60 * SECOND, () -> any(Phase.FENCED));
    cluster.end(1);
    cluster.withoutData = 1;
    cluster.start(1);
    cluster.within(120 * SECOND, () -> settled(1));
    cluster.withoutData = 0;
    cluster.runFor(5 * SECOND);
    assertEquals(0, cluster.node(1).partitionsBehind());
    assertEquals(20, present(2, 20, Level.DEFAULT));
  }

  /// A list becomes so short that reads ask one replica, which has missed what the others
  /// acknowledged.
  @Test
  void theOneThatIsLeftHasWhatTheOthersAcknowledged() {
    cluster.withoutData = 1;
    for (int i = 0; i < 20; i++) {
      script.put(2, "k" + i, "v", Level.DEFAULT);
    }
    weigh(100, 0, 0);
    for (int i = 0; i < 20; i++) {
      look(1, "k" + i, 4_000, Level.DEFAULT);
      look(2, "k" + i, 4_000, Level.DEFAULT);
    }
    cluster.runFor(6 * SECOND);
    assertEquals(List.of(), missing);
    cluster.withoutData = 0;
    cluster.within(120 * SECOND, () -> settled(1));
    assertEquals(20, present(2, 20, Level.DEFAULT));
  }

  private void write(int number, Level level) {
    String key = "k" + number;
    byte[] value = "v".getBytes(US_ASCII);
    Update put = new Update.Put(value, Update.NO_EXPIRY, Update.Condition.NONE, false);
    script.begin(
        1,
        key,
        put,
        level,
        outcome -> {
          if (outcome instanceof UpdateOutcome.Done) {
            done++;
            for (int millis : new int[] {1, 20, 60, 100, 200, 400, 800}) {
              look(2, key, millis, level);
              look(3, key, millis, level);
            }
          }
        });
  }

  private void look(int node, String key, int millis, Level level) {
    cluster.world.schedule(
        millis * MILLI,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, "data")
                .read(
                    key.getBytes(US_ASCII),
                    level,
                    outcome -> {
                      if (outcome instanceof ReadOutcome.Missing) {
                        missing.add("%s at %d after %d ms".formatted(key, node, millis));
                      }
                    }));
  }

  /// Two or one become three over links that lose frames, while a client writes and others read.
  private void grow(int r, int w, int from, Level level) {
    KeyspaceSettings settings = KeyspaceSettings.usual("data");
    propose(
        new Command.AlterKeyspace(
            settings.with(KeyspaceProperty.R, r).with(KeyspaceProperty.W, w)));
    comesTo(from, 100, from == 1 ? 0 : 100, 0);
    weigh(100, 100, 100);
    cluster.network.loss = 0.2;
    for (int i = 0; i < 6_000 && !(i > 200 && settled(3)); i++) {
      cluster.network.loss = i < 3_000 ? 0.2 : 0;
      write(i, level);
      cluster.runFor(2 * MILLI);
    }
    cluster.runFor(3 * SECOND);
    assertTrue(done > 200, done + " were acknowledged");
    assertEquals(List.of(), missing);
  }

  @Test
  void whatIsAcknowledgedWhileTwoBecomeThreeIsRead() {
    grow(1, 3, 2, Level.DEFAULT);
  }

  @Test
  void whatIsAcknowledgedWhileOneBecomesThreeIsRead() {
    grow(2, 2, 1, Level.DEFAULT);
  }

  @Test
  void linearizablePutsAreReadWhileOneBecomesThree() {
    grow(2, 2, 1, Level.LINEARIZABLE);
  }

  /// A newcomer that takes the one old replica for dead has nothing, and must not say that it is
  /// filled.
  @Test
  void aNewcomerIsNotFilledByNobody() {
    comesTo(1, 100, 0, 0);
    byte[] value = new byte[8_000];
    Update put = new Update.Put(value, Update.NO_EXPIRY, Update.Condition.NONE, false);
    int[] written = {0};
    for (int i = 0; i < 400; i++) {
      script.begin(
          1,
          "k" + i,
          put,
          Level.DEFAULT,
          outcome -> written[0] += outcome instanceof UpdateOutcome.Done ? 1 : 0);
      cluster.runFor(2 * MILLI);
    }
    cluster.within(30 * SECOND, () -> written[0] == 400);
    weigh(100, 100, 100);
    cluster.within(20 * SECOND, () -> all(set -> set.phase() == Phase.FILLING));
    script.cut(1, 2, true);
    script.cut(1, 3, true);
    cluster.runFor(4 * SECOND);
    for (int node = 2; node <= 3; node++) {
      assertTrue(cluster.node(node).moving().stream().noneMatch(each -> each.filled()));
    }
    script.cut(1, 2, false);
    script.cut(1, 3, false);
    cluster.within(120 * SECOND, () -> settled(3));
  }
}
