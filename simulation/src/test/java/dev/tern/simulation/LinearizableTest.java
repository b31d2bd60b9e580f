package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.PlantedBug;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.env.Randomness;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// Gets and puts at LINEARIZABLE of one key, with links that slow down and nodes that pause,
/// checked by a search for an order (Wing and Gong, "Testing and Verifying Concurrent Objects",
/// 1993).
class LinearizableTest {
  private static final long MILLI = Cluster.MILLI;
  private static final byte[] KEY = "k".getBytes(US_ASCII);
  private static final int OPERATIONS = 60;

  private static final class Operation {
    final boolean put;
    final long began;
    String value;
    long ended = Long.MAX_VALUE;

    Operation(boolean put, String value, long began) {
      this.put = put;
      this.value = value;
      this.began = began;
    }
  }

  private final List<Operation> history = new ArrayList<>();
  private Cluster cluster = new Cluster(3);
  private Randomness random = Randomness.of(1);
  private Level level = Level.LINEARIZABLE;

  private void client(int node, int left) {
    if (left == 0) {
      return;
    }
    Keyspace data = cluster.node(node).keyspace(0, "data");
    boolean put = random.nextInt(2) == 0;
    Operation operation = new Operation(put, "v" + history.size(), cluster.world.nanos());
    history.add(operation);
    Runnable next =
        () ->
            cluster.world.schedule(random.nextInt(20) * MILLI, node, () -> client(node, left - 1));
    if (put) {
      Update.Put update =
          new Update.Put(operation.value.getBytes(US_ASCII), 0, Update.Condition.NONE, false);
      data.update(
          KEY,
          update,
          level,
          outcome -> {
            if (outcome instanceof UpdateOutcome.Done) {
              operation.ended = cluster.world.nanos();
            } else if (outcome instanceof Unanswered.Refused) {
              history.remove(operation);
            }
            next.run();
          });
      return;
    }
    data.read(
        KEY,
        level,
        outcome -> {
          if (outcome instanceof ReadOutcome.Found found) {
            operation.value = new String(found.value(), US_ASCII);
            operation.ended = cluster.world.nanos();
          } else if (outcome instanceof ReadOutcome.Missing) {
            operation.value = "";
            operation.ended = cluster.world.nanos();
          } else {
            history.remove(operation);
          }
          next.run();
        });
  }

  /// Whether some order explains what clients saw.
  private boolean explained() {
    history.removeIf(each -> !each.put && each.ended == Long.MAX_VALUE);
    assertTrue(history.size() <= Long.SIZE);
    Set<String> dead = new HashSet<>();
    return explained(0, "", dead);
  }

  private boolean explained(long taken, String value, Set<String> dead) {
    long firstEnd = Long.MAX_VALUE;
    for (int i = 0; i < history.size(); i++) {
      if ((taken & 1L << i) == 0) {
        firstEnd = Math.min(firstEnd, history.get(i).ended);
      }
    }
    if (firstEnd == Long.MAX_VALUE) {
      return true;
    }
    if (!dead.add(taken + value)) {
      return false;
    }
    for (int i = 0; i < history.size(); i++) {
      Operation each = history.get(i);
      boolean may = (taken & 1L << i) == 0 && each.began <= firstEnd;
      if (may && (each.put || each.value.equals(value))) {
        if (explained(taken | 1L << i, each.put ? each.value : value, dead)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean run(long seed, int size, Level at, PlantedBug planted) {
    history.clear();
    level = at;
    random = Randomness.of(seed);
    cluster = new Cluster(size, planted);
    int behind = 1 + random.nextInt(size);
    cluster.end(behind);
    cluster.runFor(2_000 * MILLI);
    cluster.start(behind);
    cluster.within(10_000 * MILLI, cluster::allSeen);
    for (int i = 0; i < 4; i++) {
      int node = 1 + i % size;
      cluster.world.schedule(0, node, () -> client(node, OPERATIONS / 4));
    }
    for (int i = 0; i < 40; i++) {
      int from = 1 + random.nextInt(size);
      int to = 1 + random.nextInt(size);
      cluster.network.slow(from, to, random.nextInt(3) == 0 ? random.nextInt(150) * MILLI : 0);
      if (random.nextInt(20) == 0) {
        cluster.world.pause(from, 300 * MILLI);
      }
      cluster.runFor(50 * MILLI);
    }
    cluster.network.heal();
    cluster.runFor(10_000 * MILLI);
    return explained();
  }

  @Test
  void getsAndPutsHaveAnOrder() {
    for (int seed = 1; seed <= 30; seed++) {
      int size = seed % 3 == 0 ? 5 : 3;
      assertTrue(run(seed, size, Level.LINEARIZABLE, PlantedBug.NONE), "seed " + seed);
    }
  }

  @Test
  void putsThatAskNoStampsHaveNone() {
    int unexplained = 0;
    for (int seed = 1; seed <= 30; seed++) {
      PlantedBug planted = PlantedBug.LINEARIZABLE_PUT_ASKS_NO_STAMPS;
      unexplained += run(seed, 3, Level.LINEARIZABLE, planted) ? 0 : 1;
    }
    assertTrue(unexplained > 0);
  }
}
