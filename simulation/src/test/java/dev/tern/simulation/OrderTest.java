package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.world.SimulatedClock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The order of puts, updates and expiries of one key, where each of them went wrong once.
class OrderTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;
  private static final String KEY = "k";

  private static Update put(String value, long expiryMillis) {
    return new Update.Put(value.getBytes(US_ASCII), expiryMillis, Update.Condition.NONE, false);
  }

  private static List<UpdateOutcome> begin(Script script, int node, Update update, Level level) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    Keyspace data = script.cluster.node(node).keyspace(0, "data");
    script.cluster.world.schedule(
        0, node, () -> data.update(KEY.getBytes(US_ASCII), update, level, outcomes::add));
    return outcomes;
  }

  private static long wall(Script script) {
    return SimulatedClock.EPOCH_MILLIS + script.cluster.world.millis();
  }

  /// An INCR reads 5; before its answer arrives a SET of 1000 is acknowledged by the two others.
  private static String incrementBesideAPut(PlantedBug planted) {
    Script script = new Script(new Cluster(3, planted), 3);
    int[] replicas = script.replicas("data", KEY);
    script.put(replicas[0], KEY, "5", Script.ALL);
    for (int i = 1; i < 3; i++) {
      script.cluster.network.slow(replicas[i], replicas[0], 400 * MILLI);
    }
    List<UpdateOutcome> added = begin(script, replicas[0], new Update.Add(1), Level.DEFAULT);
    script.cluster.runFor(100 * MILLI);
    List<UpdateOutcome> set = begin(script, replicas[2], put("1000", 0), Level.DEFAULT);
    script.cluster.within(200 * MILLI, () -> !set.isEmpty());
    assertInstanceOf(UpdateOutcome.Done.class, set.getFirst());
    script.cluster.within(5 * SECOND, () -> !added.isEmpty());
    UpdateOutcome.Done done = assertInstanceOf(UpdateOutcome.Done.class, added.getFirst());
    assertEquals("6", new String(done.value(), US_ASCII));
    script.cluster.network.heal();
    script.converged(10 * SECOND);
    return script.get(replicas[1], KEY, Script.ALL);
  }

  @Test
  void aPutAcknowledgedWhileAnUpdateIsUnderWayStays() {
    assertEquals("1000", incrementBesideAPut(PlantedBug.NONE));
    assertEquals("6", incrementBesideAPut(PlantedBug.UPDATE_TAKES_FRESH_STAMP));
  }

  /// The one before it may wait for as long as its own client is patient.
  @Test
  void anUpdateThatWaitsForAnotherIsAnsweredByItsDeadline() {
    Script script = new Script(new Cluster(3), 3);
    int[] replicas = script.replicas("data", KEY);
    script.put(replicas[0], KEY, "5", Script.ALL);
    for (int i = 1; i < 3; i++) {
      script.cluster.network.slow(replicas[i], replicas[0], 800 * MILLI);
    }
    begin(script, replicas[0], new Update.Add(1), new Level(0, 0, 10_000));
    script.cluster.runFor(10 * MILLI);
    List<UpdateOutcome> hasty = begin(script, replicas[0], new Update.Add(1), new Level(0, 0, 200));
    script.cluster.within(500 * MILLI, () -> !hasty.isEmpty());
    Unanswered.Refused why = assertInstanceOf(Unanswered.Refused.class, hasty.getFirst());
    assertEquals(Unanswered.Reason.TRY_AGAIN, why.reason());
  }

  /// A put has come to the first replica only when SET NX finds its value: nobody may hear of it
  /// before other reads find it, too.
  @Test
  void anUpdateThatChangesNothingTellsOfNoValueThatMayStillBeLost() {
    Script script = new Script(new Cluster(3), 3);
    int[] replicas = script.replicas("data", KEY);
    script.put(replicas[0], KEY, "1", Script.ALL);
    for (int i = 1; i < 3; i++) {
      script.cluster.network.cut(replicas[0], replicas[i], true);
    }
    Level allWrites = new Level(1, 3, 0);
    begin(script, replicas[0], put("2", 0), allWrites);
    script.cluster.runFor(100 * MILLI);
    Update absent =
        new Update.Put(new byte[] {'3'}, Update.NO_EXPIRY, Update.Condition.ABSENT, true);
    List<UpdateOutcome> found = begin(script, replicas[0], absent, allWrites);
    script.cluster.within(10 * SECOND, () -> !found.isEmpty());
    assertInstanceOf(Unanswered.class, found.getFirst());
  }

  /// The first replica is away while a value that is about to expire is renewed.
  private static String renewedWhileAway(PlantedBug planted, Update renewal) {
    Script script = new Script(new Cluster(3, planted), 3);
    int[] replicas = script.replicas("data", KEY);
    Update first = put("1", wall(script) + 4_000);
    assertInstanceOf(
        UpdateOutcome.Done.class, script.update(replicas[0], "data", KEY, first, Script.ALL));
    script.end(new int[] {replicas[1], replicas[2]}, replicas[0]);
    UpdateOutcome renewed = script.update(replicas[1], "data", KEY, renewal, Level.DEFAULT);
    assertInstanceOf(UpdateOutcome.Done.class, renewed, renewed::toString);
    script.cluster.runFor(20 * SECOND);
    script.cluster.start(replicas[0]);
    script.cluster.runFor(20 * SECOND);
    script.converged(10 * SECOND);
    return script.get(replicas[1], KEY, Script.ALL);
  }

  @Test
  void aReplicaThatWasAwayDoesNotExpireWhatWasRenewed() {
    Update never = put("2", Update.NO_EXPIRY);
    Update persist = new Update.Expire(Update.NO_EXPIRY, Update.ExpiryCondition.NONE);
    assertEquals("2", renewedWhileAway(PlantedBug.NONE, never));
    assertEquals("1", renewedWhileAway(PlantedBug.NONE, persist));
    assertNull(renewedWhileAway(PlantedBug.EXPIRY_TAKES_FRESH_STAMP, never));
  }

  @Test
  void siblingsThatExpireInTheSameMillisecondAllGo() {
    Script script = new Script(new Cluster(3), 3);
    long when = wall(script) + 3_000;
    for (int node = 1; node <= 3; node++) {
      Update.Store store =
          new Update.Store(
              new byte[1], when, Script.NO_CONTEXT, false, Update.Match.NONE, /* versions */ true);
      UpdateOutcome outcome = script.update(node, "siblings", KEY, store, Level.DEFAULT);
      assertInstanceOf(UpdateOutcome.Stored.class, outcome);
    }
    assertEquals(3, script.values(1, KEY, Script.ALL).size());
    script.cluster.runFor(60 * SECOND);
    List<CountOutcome> counted = new ArrayList<>();
    script.cluster.world.schedule(
        0,
        1,
        () -> script.cluster.node(1).keyspace(0, "siblings").count(Scope.CLUSTER, counted::add));
    script.cluster.within(5 * SECOND, () -> !counted.isEmpty());
    assertEquals(CountOutcome.Count.NONE, counted.getFirst());
  }

  /// A strict update waits behind a sloppy one while one of the key's replicas is away.
  private static UpdateOutcome strictBehindSloppy(PlantedBug planted) {
    Script script = new Script(new Cluster(5, planted), 5);
    int[] replicas = script.replicas("data", KEY);
    script.put(replicas[0], KEY, "0", Script.ALL);
    script.end(new int[] {replicas[0], replicas[1]}, replicas[2]);
    Level sloppy = new Level(0, 2, 3, 0, 0, 0, /* sloppy= */ true, 0);
    Level strict = new Level(0, 2, 3, 0, 0, 0, /* sloppy= */ false, 0);
    Update add = new Update.Add(1);
    List<UpdateOutcome> first = begin(script, replicas[0], add, sloppy);
    List<UpdateOutcome> second = begin(script, replicas[0], add, sloppy);
    List<UpdateOutcome> third = begin(script, replicas[0], add, strict);
    script.cluster.within(
        10 * SECOND, () -> !first.isEmpty() && !second.isEmpty() && !third.isEmpty());
    assertInstanceOf(UpdateOutcome.Done.class, first.getFirst());
    assertInstanceOf(UpdateOutcome.Done.class, second.getFirst());
    return third.getFirst();
  }

  @Test
  void aStrictUpdateDoesNotShareTheRoundOfASloppyOne() {
    UpdateOutcome refused = strictBehindSloppy(PlantedBug.NONE);
    assertInstanceOf(Unanswered.Refused.class, refused, refused::toString);
    assertInstanceOf(UpdateOutcome.Done.class, strictBehindSloppy(PlantedBug.ROUND_MERGES_OPTIONS));
  }

  /// A put is superseded at one replica and a second one is silent, until that one is given up.
  private static String putThatWaitsForASilentReplica(PlantedBug planted) {
    Script script = new Script(new Cluster(3, planted), 3);
    int[] replicas = script.replicas("data", KEY);
    int writer = replicas[0];
    int other = replicas[1];
    int silent = replicas[2];
    script.put(writer, KEY, "before", Script.ALL);
    script.cluster.network.slow(writer, other, 200 * MILLI);
    script.cluster.network.slow(writer, silent, 30 * SECOND);
    script.cluster.network.slow(other, writer, 200 * MILLI);
    List<UpdateOutcome> late = begin(script, writer, put("late", 0), Level.DEFAULT);
    script.cluster.runFor(100 * MILLI);
    for (int i = 0; i < 5; i++) {
      script.put(other, KEY, "newer" + i, Level.DEFAULT);
    }
    script.cluster.runFor(1_500 * MILLI);
    script.put(other, KEY, "newest", Level.DEFAULT);
    script.end(new int[] {other}, silent);
    script.cluster.within(10 * SECOND, () -> !late.isEmpty());
    boolean done = late.getFirst() instanceof UpdateOutcome.Done;
    assertEquals(planted != PlantedBug.NONE, done);
    script.cluster.network.heal();
    script.cluster.start(silent);
    script.cluster.within(10 * SECOND, script.cluster::allSeen);
    script.converged(10 * SECOND);
    return script.get(other, KEY, Script.ALL);
  }

  @Test
  void aPutIsNotMintedAnewAfterASilence() {
    assertEquals("newest", putThatWaitsForASilentReplica(PlantedBug.NONE));
    assertEquals("late", putThatWaitsForASilentReplica(PlantedBug.PUT_MINTED_ANEW_AFTER_SILENCE));
  }
}
