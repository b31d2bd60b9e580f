package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Replicas that do not know yet what the others have.
class BehindTest {
  private static final long SECOND = Cluster.SECOND;
  private static final int KEYS = 40;
  private static final Level R2 = new Level(2, 2, 0);
  private static final Level R3 = new Level(3, 2, 0);
  private static final Level R1 = new Level(1, 1, 0);
  private static final Level W3 = new Level(2, 3, 0);

  /// Starts something at a node and waits for its outcome.
  private static <T> T at(Cluster cluster, int number, Starting<T> what) {
    List<T> outcomes = new ArrayList<>();
    Node node = cluster.node(number);
    cluster.world.schedule(0, number, () -> what.start(node, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private interface Starting<T> {
    void start(Node node, Consumer<T> done);
  }

  private static ReadOutcome read(Cluster cluster, int number, String key, Level level) {
    return at(
        cluster,
        number,
        (node, done) -> node.keyspace(0, "data").read(key.getBytes(US_ASCII), level, done::accept));
  }

  private static UpdateOutcome update(
      Cluster cluster, int number, String key, Update update, Level level) {
    return at(
        cluster,
        number,
        (node, done) ->
            node.keyspace(0, "data").update(key.getBytes(US_ASCII), update, level, done::accept));
  }

  private static void done(Cluster cluster, int number, String key, Update update, Level level) {
    cluster.within(
        30 * SECOND,
        () -> update(cluster, number, key, update, level) instanceof UpdateOutcome.Done);
  }

  private static Update put(String value) {
    return new Update.Put(value.getBytes(US_ASCII), 0, Update.Condition.NONE, false);
  }

  /// The directory of node 2 is set back behind the deletes of all keys.
  private static Cluster rolledBack(long seconds) {
    Cluster cluster = new Cluster(3);
    for (int i = 0; i < KEYS; i++) {
      done(cluster, 1, "k" + i, put("old"), W3);
    }
    cluster.runFor(10 * SECOND);
    Map<String, byte[]> backup = cluster.disk(2).backup();
    for (int i = 0; i < KEYS; i++) {
      done(cluster, 1, "k" + i, new Update.Delete(false), W3);
    }
    cluster.runFor(seconds * SECOND);
    cluster.end(2);
    cluster.runFor(3 * SECOND);
    cluster.disk(2).restore(backup);
    cluster.start(2);
    return cluster;
  }

  /// Nothing, or a refusal; never what was deleted.
  private static void shows(ReadOutcome outcome, String what) {
    boolean fine = outcome == ReadOutcome.Missing.INSTANCE || outcome instanceof Unanswered;
    assertTrue(fine, () -> what + " shows " + outcome);
  }

  @Test
  void anOldDirectoryShowsNothingThatWasDeleted() {
    for (long seconds : new long[] {12, 120}) {
      Cluster cluster = rolledBack(seconds);
      int answered = 0;
      for (int round = 0; round < 25; round++) {
        for (int i = round % 5; i < KEYS; i += 5) {
          for (int number = 1; number <= 3; number++) {
            for (Level level : List.of(R2, R3)) {
              ReadOutcome outcome = read(cluster, number, "k" + i, level);
              shows(outcome, "k%d at node %d, %s, round %d".formatted(i, number, level, round));
              answered += outcome == ReadOutcome.Missing.INSTANCE ? 1 : 0;
            }
          }
        }
        cluster.runFor(SECOND / 5);
      }
      assertTrue(answered > 500, answered + " answers");
      cluster.within(30 * SECOND, () -> cluster.node(2).partitionsBehind() == 0);
      for (int i = 0; i < KEYS; i++) {
        for (int number = 1; number <= 3; number++) {
          String key = "k" + i;
          int place = number;
          cluster.within(
              10 * SECOND, () -> read(cluster, place, key, R3) == ReadOutcome.Missing.INSTANCE);
        }
      }
    }
  }

  /// What such a peer took in a rebuild it has no log of, as if it had trimmed that.
  @Test
  void anOldDirectoryShowsNothingThoughAPeerWasFilledAnew() {
    for (int filled : new int[] {1, 3}) {
      Cluster cluster = new Cluster(3);
      for (int i = 0; i < KEYS; i++) {
        done(cluster, 2, "k" + i, put("old"), W3);
      }
      cluster.runFor(10 * SECOND);
      Map<String, byte[]> backup = cluster.disk(2).backup();
      for (int i = 0; i < KEYS; i++) {
        done(cluster, 2, "k" + i, new Update.Delete(false), W3);
      }
      cluster.runFor(120 * SECOND);
      cluster.end(2);
      cluster.disk(2).restore(backup);
      cluster.end(filled);
      cluster.disk(filled).wipe();
      cluster.start(filled);
      cluster.within(60 * SECOND, () -> cluster.node(filled).partitionsBehind() == 0);
      cluster.start(2);
      cluster.within(30 * SECOND, cluster::allSeen);
      for (int i = 0; i < KEYS; i++) {
        for (int number = 1; number <= 3; number++) {
          shows(read(cluster, number, "k" + i, R2), "k%d at node %d".formatted(i, number));
        }
      }
    }
  }

  @Test
  void anOldDirectoryIsNoBaseOfUpdates() {
    Cluster cluster = rolledBack(120);
    for (int i = 0; i < KEYS; i++) {
      String key = "k" + i;
      Update append = new Update.Append("!".getBytes(US_ASCII));
      List<UpdateOutcome> outcomes = new ArrayList<>();
      cluster.within(
          10 * SECOND,
          () -> {
            outcomes.add(update(cluster, 2, key, append, Level.DEFAULT));
            return outcomes.getLast() instanceof UpdateOutcome.Done;
          });
      UpdateOutcome.Done done = (UpdateOutcome.Done) outcomes.getLast();
      assertTrue(!done.existed(), key + " existed");
    }
    cluster.runFor(30 * SECOND);
    for (int i = 0; i < KEYS; i++) {
      ReadOutcome.Found found = (ReadOutcome.Found) read(cluster, 2, "k" + i, R2);
      assertEquals("!", new String(found.value(), US_ASCII), "k" + i);
    }
  }

  @Test
  void anOldDirectoryListsAndCountsNothingThatWasDeleted() {
    Cluster cluster = rolledBack(120);
    for (int round = 0; round < 40; round++) {
      ScanOutcome page =
          at(
              cluster,
              2,
              (node, done) -> node.keyspace(0, "data").scan(0, 1_000, Scope.CLUSTER, done::accept));
      boolean none = page instanceof Unanswered || ((ScanOutcome.Page) page).keys().isEmpty();
      assertTrue(none, "round " + round + ": " + page);
      CountOutcome count =
          at(
              cluster,
              1,
              (node, done) -> node.keyspace(0, "data").count(Scope.CLUSTER, done::accept));
      boolean nothing = count instanceof Unanswered || ((CountOutcome.Count) count).keys() == 0;
      assertTrue(nothing, "round " + round + ": " + count);
      cluster.runFor(SECOND / 10);
    }
    cluster.within(
        10 * SECOND,
        () ->
            at(
                    cluster,
                    2,
                    (Node node, Consumer<CountOutcome> done) ->
                        node.keyspace(0, "data").count(Scope.CLUSTER, done::accept))
                .equals(CountOutcome.Count.NONE));
  }

  @Test
  void aRestartedNodeServesAtOnceAndTheOthersAllTheTime() {
    Cluster cluster = new Cluster(3);
    done(cluster, 1, "k", put("v"), W3);
    cluster.end(3);
    cluster.runFor(5 * SECOND);
    for (int i = 0; i < KEYS; i++) {
      done(cluster, 1, "k" + i, put("v"), Level.DEFAULT);
    }
    cluster.start(3);
    assertTrue(cluster.node(3).partitionsBehind() > 0);
    assertTrue(read(cluster, 3, "k", R1) instanceof ReadOutcome.Found, "R=1 is answered");
    for (int i = 0; i < 10; i++) {
      assertTrue(read(cluster, 1, "k", R2) instanceof ReadOutcome.Found, "two go on");
      cluster.runFor(SECOND / 10);
    }
    cluster.within(SECOND, () -> cluster.node(3).partitionsBehind() == 0);
    assertTrue(read(cluster, 3, "k", R3) instanceof ReadOutcome.Found);
  }

  @Test
  void twoOfThreeThatStartServeWithoutTheThird() {
    Cluster cluster = new Cluster(3);
    done(cluster, 1, "k", put("v"), W3);
    for (int number = 1; number <= 3; number++) {
      cluster.end(number);
    }
    cluster.runFor(SECOND);
    cluster.start(1);
    cluster.runFor(5 * SECOND);
    assertTrue(read(cluster, 1, "k", R1) instanceof ReadOutcome.Found);
    assertTrue(read(cluster, 1, "k", R2) instanceof Unanswered);
    done(cluster, 1, "blind", put("v"), R1);
    cluster.start(2);
    cluster.within(3 * SECOND, () -> read(cluster, 2, "k", R2) instanceof ReadOutcome.Found);
    cluster.within(
        SECOND, () -> update(cluster, 2, "k", put("w"), R2) instanceof UpdateOutcome.Done);
  }
}
