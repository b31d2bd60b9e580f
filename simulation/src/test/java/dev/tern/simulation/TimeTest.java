package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import dev.tern.core.version.HybridClock;
import dev.tern.core.wire.Message;
import dev.tern.world.SimulatedClock;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Clocks that are wrong, where time decides what data there is.
class TimeTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long HOUR_MILLIS = 3_600_000;
  private static final Level ALL = new Level(3, 0, 0);
  private static final Level ALL_WRITTEN = new Level(0, 3, 0);
  private static final int KEYS = 24;

  private static UpdateOutcome update(Cluster cluster, int at, String key, Update update) {
    return update(cluster, at, key, update, Level.DEFAULT);
  }

  private static UpdateOutcome update(
      Cluster cluster, int at, String key, Update update, Level level) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    Node node = cluster.node(at);
    byte[] bytes = key.getBytes(US_ASCII);
    cluster.world.schedule(
        0, at, () -> node.keyspace(0, "data").update(bytes, update, level, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  /// At all replicas; tried again where the network was too slow.
  private static void done(Cluster cluster, int at, String key, Update update) {
    cluster.within(
        60 * SECOND,
        () -> update(cluster, at, key, update, ALL_WRITTEN) instanceof UpdateOutcome.Done);
  }

  private static ReadOutcome read(Cluster cluster, int at, String key, Level level) {
    List<ReadOutcome> outcomes = new ArrayList<>();
    Node node = cluster.node(at);
    byte[] bytes = key.getBytes(US_ASCII);
    cluster.world.schedule(0, at, () -> node.keyspace(0, "data").read(bytes, level, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  /// As a door does it: for so long from now on.
  private static Update.Put put(Cluster cluster, int at, String value, long millis) {
    return put(cluster, at, value, millis, Update.Condition.NONE);
  }

  private static Update.Put put(
      Cluster cluster, int at, String value, long millis, Update.Condition condition) {
    long expiry = cluster.node(at).time().wallMillis() + millis;
    return new Update.Put(value.getBytes(US_ASCII), expiry, condition, false);
  }

  private static boolean takes(Cluster cluster, int at, String key) {
    Update nx = put(cluster, at, "stolen", HOUR_MILLIS, Update.Condition.ABSENT);
    UpdateOutcome.Done done =
        assertInstanceOf(UpdateOutcome.Done.class, update(cluster, at, key, nx));
    return done.applied();
  }

  private static void set(Cluster cluster, long millis) {
    for (int i = 0; i < KEYS; i++) {
      done(cluster, 1, "k" + i, put(cluster, 1, "held", millis));
    }
  }

  private static void held(Cluster cluster, int nodes) {
    for (int i = 0; i < KEYS; i++) {
      for (int at = 1; at <= nodes; at++) {
        ReadOutcome outcome = read(cluster, at, "k" + i, ALL);
        assertInstanceOf(ReadOutcome.Found.class, outcome, "k" + i + " at node " + at);
        assertFalse(takes(cluster, at, "k" + i), "k" + i + " at node " + at);
      }
    }
  }

  @Test
  void oneClockThatIsWrongTakesNoLiveKey() {
    for (long wrong : new long[] {HOUR_MILLIS, -HOUR_MILLIS}) {
      Cluster cluster = new Cluster(3);
      set(cluster, HOUR_MILLIS / 2);
      cluster.clock(3).offsetMillis = wrong;
      cluster.runFor(20 * SECOND);
      held(cluster, 3);
    }
  }

  /// Ballots are followed as stamps are: one that is an hour ahead would take the stamps along.
  @Test
  void aLeaderThatDoesNotKnowTheTimeTakesNoBallotFromItsOwnClock() {
    Cluster cluster = new Cluster(4);
    set(cluster, HOUR_MILLIS / 2);
    for (int number = 1; number <= 4; number++) {
      cluster.end(number);
    }
    cluster.clock(3).offsetMillis = HOUR_MILLIS;
    List<Long> ballots = new ArrayList<>();
    cluster.observer =
        frame -> {
          if (Wire.message(frame) instanceof Message.Read read && read.ballot() > 0) {
            ballots.add(HybridClock.millis(read.ballot()));
          }
        };
    cluster.start(3);
    cluster.start(4);
    cluster.runFor(10 * SECOND);
    for (int i = 0; i < KEYS; i++) {
      update(cluster, 3, "k" + i, put(cluster, 3, "v", 0, Update.Condition.PRESENT));
    }
    assertFalse(ballots.isEmpty(), "node 3 led nothing");
    long latest = SimulatedClock.EPOCH_MILLIS + cluster.world.millis() + HOUR_MILLIS / 2;
    assertTrue(ballots.stream().allMatch(each -> each < latest), "ballots " + ballots);
  }

  @Test
  void aWrongClockGivesTimesToLiveOfTheRightLength() {
    for (long wrong : new long[] {HOUR_MILLIS, -HOUR_MILLIS}) {
      Cluster cluster = new Cluster(3);
      cluster.clock(3).offsetMillis = wrong;
      cluster.runFor(2 * SECOND);
      update(cluster, 3, "k", put(cluster, 3, "v", 10_000));
      cluster.runFor(8 * SECOND);
      for (int at = 1; at <= 3; at++) {
        assertInstanceOf(ReadOutcome.Found.class, read(cluster, at, "k", ALL));
      }
      cluster.runFor(4 * SECOND);
      for (int at = 1; at <= 3; at++) {
        assertEquals(ReadOutcome.Missing.INSTANCE, read(cluster, at, "k", ALL));
      }
      assertTrue(takes(cluster, 1, "k"));
    }
  }

  @Test
  void mostClocksThatTurnWrongTakeNoLiveKey() {
    Cluster cluster = new Cluster(3);
    set(cluster, HOUR_MILLIS / 2);
    cluster.clock(2).offsetMillis = HOUR_MILLIS;
    cluster.clock(3).offsetMillis = HOUR_MILLIS;
    cluster.runFor(20 * SECOND);
    held(cluster, 3);
    long spread = cluster.node(1).time().clocks().spreadMillis();
    assertTrue(Math.abs(spread - HOUR_MILLIS) <= 1_000, spread + " ms");
  }

  @Test
  void theTimeGoesOnThroughRestartsThatTurnMostClocksWrong() {
    Cluster cluster = new Cluster(3);
    set(cluster, HOUR_MILLIS / 2);
    for (int number : new int[] {2, 3}) {
      cluster.end(number);
      cluster.clock(number).offsetMillis = HOUR_MILLIS;
      cluster.runFor(10 * SECOND);
      cluster.start(number);
      cluster.within(10 * SECOND, () -> cluster.seen(number));
    }
    cluster.runFor(20 * SECOND);
    held(cluster, 3);
  }

  @Test
  void clocksOfWhichNoMajorityAgreesKeepWhatAnyOfThemKeeps() {
    Cluster cluster = new Cluster(3);
    set(cluster, HOUR_MILLIS / 2);
    for (int number = 1; number <= 3; number++) {
      cluster.end(number);
      cluster.clock(number).offsetMillis = (number - 1) * HOUR_MILLIS;
    }
    for (int number = 1; number <= 3; number++) {
      cluster.start(number);
    }
    cluster.within(10 * SECOND, cluster::allSeen);
    cluster.runFor(20 * SECOND);
    assertFalse(cluster.node(1).time().isSet());
    held(cluster, 3);
  }

  @Test
  void aReplacedDiskIsFilledThoughClocksWereADayAheadBefore() {
    Cluster cluster = new Cluster(3);
    for (int number = 1; number <= 3; number++) {
      cluster.clock(number).offsetMillis = 24 * HOUR_MILLIS;
    }
    cluster.runFor(2 * SECOND);
    for (int i = 0; i < KEYS; i++) {
      Update put = new Update.Put(new byte[] {1}, 0, Update.Condition.NONE, false);
      done(cluster, 1, "k" + i, put);
    }
    for (int number = 1; number <= 3; number++) {
      cluster.clock(number).offsetMillis = 0;
    }
    cluster.end(3);
    cluster.disk(3).wipe();
    cluster.runFor(5 * SECOND);
    cluster.start(3);
    cluster.within(60 * SECOND, () -> cluster.node(3).records(1) >= KEYS);
    for (int i = 0; i < KEYS; i++) {
      assertInstanceOf(ReadOutcome.Found.class, read(cluster, 3, "k" + i, ALL));
      done(cluster, 2, "k" + i, new Update.Put(new byte[] {2}, 0, Update.Condition.NONE, false));
    }
  }
}
