package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// One replica that cannot take repairs, one request that waits, one node that is silent: the
/// others go on.
class OneBadElementTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;

  private static byte[] key(int i) {
    return ("{k}" + i).getBytes(US_ASCII);
  }

  private static Update put(byte[] value) {
    return new Update.Put(value, Update.NO_EXPIRY, Update.Condition.NONE, false);
  }

  private static UpdateOutcome update(Cluster cluster, int node, int i, Update update, Level at) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    Keyspace data = cluster.node(node).keyspace(0, "data");
    cluster.world.schedule(0, node, () -> data.update(key(i), update, at, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private static ReadOutcome read(Cluster cluster, int node, int i) {
    List<ReadOutcome> outcomes = new ArrayList<>();
    Keyspace data = cluster.node(node).keyspace(0, "data");
    cluster.world.schedule(0, node, () -> data.read(key(i), Level.DEFAULT, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  /// Fills the disk of a node until its engine refuses writes.
  private static void fill(Cluster cluster, int node) {
    cluster.disk(node).full = true;
    int inARow = 0;
    for (int i = 0; inARow < 50; i++) {
      assertTrue(i < 2_000, "the disk is never full");
      UpdateOutcome outcome =
          update(cluster, node, 1_000_000 + i, put(new byte[4_000]), Level.DEFAULT);
      boolean full = outcome instanceof Unanswered.Refused why && why.message().contains("disk");
      inARow = full ? inARow + 1 : 0;
    }
  }

  @Test
  void aReplicaWithAFullDiskAnswersReadsOfWhatItLacks() {
    Cluster cluster = new Cluster(3);
    for (int i = 0; i < 20; i++) {
      assertInstanceOf(
          UpdateOutcome.Done.class, update(cluster, 1, i, put(new byte[1]), Level.DEFAULT));
    }
    fill(cluster, 2);
    for (int i = 0; i < 20; i++) {
      UpdateOutcome done = update(cluster, 1, i, put(new byte[] {7}), Level.DEFAULT);
      assertInstanceOf(UpdateOutcome.Done.class, done, done::toString);
    }
    for (int node = 1; node <= 3; node++) {
      for (int i = 0; i < 20; i++) {
        long began = cluster.world.nanos();
        ReadOutcome outcome = read(cluster, node, i);
        assertInstanceOf(ReadOutcome.Found.class, outcome, "node " + node + ": " + outcome);
        assertEquals(7, ((ReadOutcome.Found) outcome).value()[0]);
        long took = (cluster.world.nanos() - began) / MILLI;
        assertTrue(took < 500, "node %d, key %d: %d ms".formatted(node, i, took));
      }
    }
  }

  @Test
  void whatOnlyOneReplicaHoldsIsNotAnsweredUntilAnotherTookIt() {
    Cluster cluster = new Cluster(3);
    cluster.end(3);
    cluster.runFor(3 * SECOND);
    fill(cluster, 2);
    UpdateOutcome written = update(cluster, 1, 1, put(new byte[] {7}), Level.DEFAULT);
    assertInstanceOf(Unanswered.Unknown.class, written, written::toString);
    long began = cluster.world.nanos();
    ReadOutcome outcome = read(cluster, 1, 1);
    Unanswered.Refused why = assertInstanceOf(Unanswered.Refused.class, outcome);
    assertTrue(why.message().contains("disk"), why::message);
    assertTrue(cluster.world.nanos() - began < SECOND / 2);
    cluster.disk(2).full = false;
    cluster.runFor(2 * SECOND);
    ReadOutcome later = read(cluster, 1, 1);
    assertInstanceOf(ReadOutcome.Found.class, later, later::toString);
  }

  @Test
  void oneSlowOperationDoesNotFillTheShard() {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withInFlight(64));
    cluster.world.pause(3, 30 * SECOND);
    Keyspace data = cluster.node(1).keyspace(0, "data");
    Level patient = new Level(0, 3, 20_000);
    List<UpdateOutcome> slow = new ArrayList<>();
    cluster.world.schedule(0, 1, () -> data.update(key(0), put(new byte[1]), patient, slow::add));
    int refused = 0;
    for (int i = 1; i <= 300; i++) {
      UpdateOutcome outcome = update(cluster, 1, i, put(new byte[1]), Level.DEFAULT);
      refused += outcome instanceof UpdateOutcome.Done ? 0 : 1;
    }
    assertEquals(0, refused);
  }

  @Test
  void requestsThatWaitForASilentNodeEndEarly() {
    Cluster cluster = new Cluster(3);
    cluster.world.pause(3, 30 * SECOND);
    Keyspace data = cluster.node(1).keyspace(0, "data");
    List<UpdateOutcome> outcomes = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      byte[] key = ("k" + i).getBytes(US_ASCII);
      cluster.world.schedule(
          0, 1, () -> data.update(key, new Update.Add(1), Level.DEFAULT, outcomes::add));
    }
    cluster.within(1_700 * MILLI, () -> outcomes.size() == 30);
    long led = outcomes.stream().filter(each -> each instanceof Unanswered.Unknown).count();
    assertTrue(led > 0, "node 3 leads none of the keys");
    assertEquals(30 - led, outcomes.stream().filter(UpdateOutcome.Done.class::isInstance).count());
  }
}
