package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.world.SimulatedClock;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Writes that nodes hold for replicas, and deletes that those replicas have made meanwhile.
class HeldTest {
  private static final long SECOND = Script.SECOND;
  private static final String KEY = "k";

  private static void cut(Script script, int[] some, int[] others, boolean isCut) {
    for (int one : some) {
      for (int other : others) {
        script.cut(one, other, isCut);
      }
    }
  }

  /// A put is held by two nodes while no replica lives; the replicas come back without a way to
  /// those, and the key is put and deleted.
  private static Script deletedAboveAHeldPut(PlantedBug planted) {
    Script script = new Script(new Cluster(5, planted), 5);
    int[] replicas = script.replicas("data", KEY);
    int[] outsiders = script.outsiders("data", KEY);
    script.end(outsiders, replicas);
    script.put(outsiders[0], KEY, "held", Script.sloppy(2));
    cut(script, replicas, outsiders, true);
    for (int node : replicas) {
      script.cluster.start(node);
    }
    // They know each other by then, and vouch for what they share.
    script.cluster.runFor(6 * SECOND);
    script.put(replicas[0], KEY, "later", Script.ALL);
    script.delete(replicas[0], KEY, Script.ALL);
    return script;
  }

  private static @Nullable String afterTheHoldersAreBack(Script script) {
    int[] replicas = script.replicas("data", KEY);
    cut(script, replicas, script.outsiders("data", KEY), false);
    script.cluster.within(15 * SECOND, script.cluster::allSeen);
    script.converged(60 * SECOND);
    String value = script.get(replicas[1], KEY, Script.ALL);
    if (value == null) {
      script.cluster.within(60 * SECOND, () -> !script.cluster.node(replicas[0]).mayHaveGraves());
      assertNull(script.get(replicas[2], KEY, Script.ALL));
    }
    return value;
  }

  @Test
  void aDeleteOutlivesAHeldPutBelowIt() {
    for (long seconds : new long[] {1, 60, 600}) {
      Script script = deletedAboveAHeldPut(PlantedBug.NONE);
      script.cluster.runFor(seconds * SECOND);
      assertEquals(0, script.counted(Counter.STRIPPED_DELETES));
      assertNull(afterTheHoldersAreBack(script), seconds + " s");
      assertTrue(script.counted(Counter.STRIPPED_DELETES) >= 3);
    }
    Script forgetful = deletedAboveAHeldPut(PlantedBug.STRIP_WITHOUT_ASKING_HOLDERS);
    forgetful.cluster.runFor(60 * SECOND);
    assertEquals("held", afterTheHoldersAreBack(forgetful));
  }

  /// The holders can be asked, but what they send to the replicas does not come.
  @Test
  void aHolderThatCannotDeliverKeepsTheDelete() {
    Script script = deletedAboveAHeldPut(PlantedBug.NONE);
    int[] replicas = script.replicas("data", KEY);
    int[] outsiders = script.outsiders("data", KEY);
    for (int replica : replicas) {
      for (int outsider : outsiders) {
        script.cluster.network.cut(replica, outsider, false);
      }
    }
    script.cluster.runFor(120 * SECOND);
    assertEquals(0, script.counted(Counter.STRIPPED_DELETES));
    assertNull(afterTheHoldersAreBack(script));
  }

  /// No member that lives holds anything: deletes go as soon as all have them.
  @Test
  void deletesGoWhileNothingIsHeld() {
    Script script = new Script(new Cluster(5), 5);
    for (int i = 0; i < 20; i++) {
      script.put(1 + i % 5, KEY + i, "v", Level.DEFAULT);
      script.delete(1 + i % 5, KEY + i, Level.DEFAULT);
    }
    script.cluster.within(30 * SECOND, () -> script.counted(Counter.STRIPPED_DELETES) >= 60);
    assertEquals(0, script.counted(Counter.STRIPS_HELD_UP));
    long sent = script.counted(Counter.MESSAGES_SENT);
    script.cluster.runFor(30 * SECOND);
    // Two shards of five nodes: what is left tells clocks only.
    assertTrue(script.counted(Counter.MESSAGES_SENT) - sent < 5 * 2 * 16 * 4);
  }

  /// A member that is down and no replica of anything that was deleted may hold something.
  @Test
  void deletesStayWhileAMemberIsAway() {
    Script script = new Script(new Cluster(5), 5);
    int[] outsiders = script.outsiders("data", KEY);
    script.put(outsiders[0], KEY, "v", Script.ALL);
    script.end(new int[] {outsiders[0]}, outsiders[1]);
    script.delete(outsiders[0], KEY, Script.ALL);
    script.cluster.runFor(60 * SECOND);
    script.cluster.start(outsiders[1]);
    script.cluster.within(15 * SECOND, script.cluster::allSeen);
    assertTrue(script.counted(Counter.STRIPS_UNANSWERED) > 0);
    script.cluster.within(30 * SECOND, () -> script.counted(Counter.STRIPPED_DELETES) >= 3);
  }

  /// One replica has stripped a delete, the one that leads has not, and has not been told of it.
  @Test
  void anUpdateOfAnAbsentKeyStandsAboveWhatAnyOfItsReplicasHasStripped() {
    Script script = new Script(new Cluster(4), 4);
    int[] replicas = script.replicas("data", KEY);
    int leader = replicas[0];
    // The key's tag puts it into the slot of the other one.
    String other = "{" + KEY + "}";
    script.put(leader, other, "v", Script.ALL);
    long deleted = SimulatedClock.EPOCH_MILLIS + script.cluster.world.millis();
    script.delete(leader, other, Script.ALL);
    // The leader cannot ask the fourth node, so it keeps the delete.
    script.cut(leader, script.outsiders("data", KEY)[0], true);
    script.cluster.within(
        60 * SECOND,
        () -> script.cluster.node(replicas[1]).statistic(Counter.STRIPPED_DELETES) > 0);
    assertEquals(0, script.cluster.node(leader).statistic(Counter.STRIPPED_DELETES));
    Update append = new Update.Append("x".getBytes(US_ASCII));
    UpdateOutcome outcome = script.update(leader, "data", KEY, append, Level.DEFAULT);
    assertInstanceOf(UpdateOutcome.Done.class, outcome, outcome::toString);
    List<FetchOutcome> fetched = new ArrayList<>();
    script.cluster.world.schedule(
        0,
        leader,
        () ->
            script
                .cluster
                .node(leader)
                .keyspace(0, "data")
                .fetch(KEY.getBytes(US_ASCII), Level.DEFAULT, fetched::add));
    script.cluster.within(5 * SECOND, () -> !fetched.isEmpty());
    FetchOutcome.Held held = assertInstanceOf(FetchOutcome.Held.class, fetched.getFirst());
    long millis = held.versions().siblings().getFirst().stamp() / 1_000;
    assertTrue(millis >= deleted - 100, () -> millis + " is below " + deleted);
  }
}
