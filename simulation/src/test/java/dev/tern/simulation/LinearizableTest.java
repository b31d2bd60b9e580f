package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Gets, puts and updates at LINEARIZABLE of one key, with links that slow down and nodes that
/// pause, checked by a search for an order (Wing and Gong, "Testing and Verifying Concurrent
/// Objects", 1993).
class LinearizableTest {
  private static final long MILLI = Cluster.MILLI;
  private static final byte[] KEY = "k".getBytes(US_ASCII);
  private static final int OPERATIONS = 60;
  private static final Kind[] REGISTER = {Kind.GET, Kind.PUT};

  private enum Kind {
    GET,
    PUT,
    ADD,
    DELETE
  }

  private static final class Operation {
    final Kind kind;
    final long began;
    String value;
    long ended = Long.MAX_VALUE;

    Operation(Kind kind, String value, long began) {
      this.kind = kind;
      this.value = value;
      this.began = began;
    }

    boolean done() {
      return ended != Long.MAX_VALUE;
    }

    /// What stands there after this over a value, null if it cannot have found that value.
    @Nullable String over(String before) {
      return switch (kind) {
        case GET -> value.equals(before) ? before : null;
        case PUT -> value;
        case DELETE -> "";
        case ADD -> {
          String sum = Long.toString((before.isEmpty() ? 0 : Long.parseLong(before)) + 1);
          yield !done() || value.equals(sum) ? sum : null;
        }
      };
    }
  }

  private final List<Operation> history = new ArrayList<>();
  private Cluster cluster = new Cluster(3);
  private Randomness random = Randomness.of(1);
  private Level level = Level.LINEARIZABLE;
  private boolean updates;

  private void client(int node, int left) {
    if (left == 0) {
      return;
    }
    Keyspace data = cluster.node(node).keyspace(0, "data");
    Kind kind = updates ? Kind.values()[random.nextInt(4)] : REGISTER[random.nextInt(2)];
    String value = Long.toString(1_000L * (history.size() + 1));
    Operation operation = new Operation(kind, value, cluster.world.nanos());
    history.add(operation);
    long pauseMillis = updates && random.nextInt(8) == 0 ? 7_000 : random.nextInt(20);
    Runnable next =
        () -> cluster.world.schedule(pauseMillis * MILLI, node, () -> client(node, left - 1));
    if (kind == Kind.GET) {
      get(data, operation, next);
      return;
    }
    Update update =
        switch (kind) {
          case ADD -> new Update.Add(1);
          case DELETE -> new Update.Delete(false);
          case PUT, GET ->
              new Update.Put(value.getBytes(US_ASCII), 0, Update.Condition.NONE, false);
        };
    data.update(
        KEY,
        update,
        level,
        outcome -> {
          if (outcome instanceof UpdateOutcome.Done done) {
            operation.ended = cluster.world.nanos();
            if (kind == Kind.ADD) {
              operation.value = new String(done.value(), US_ASCII);
            }
          } else if (outcome instanceof Unanswered.Refused) {
            history.remove(operation);
          }
          next.run();
        });
  }

  private void get(Keyspace data, Operation operation, Runnable next) {
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
    history.removeIf(each -> each.kind == Kind.GET && !each.done());
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
    if (!dead.add(taken + " " + value)) {
      return false;
    }
    for (int i = 0; i < history.size(); i++) {
      Operation each = history.get(i);
      boolean may = (taken & 1L << i) == 0 && each.began <= firstEnd;
      String after = may ? each.over(value) : null;
      if (after != null && explained(taken | 1L << i, after, dead)) {
        return true;
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
    cluster.runFor(updates ? 60_000 * MILLI : 10_000 * MILLI);
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
  void updatesBesideThemHaveOneToo() {
    updates = true;
    for (int seed = 1; seed <= 30; seed++) {
      int size = seed % 3 == 0 ? 5 : 3;
      assertTrue(run(seed, size, Level.LINEARIZABLE, PlantedBug.NONE), "seed " + seed);
    }
  }

  @Test
  void updatesThatTakeFreshStampsHaveNone() {
    updates = true;
    int unexplained = 0;
    for (int seed = 1; seed <= 30; seed++) {
      PlantedBug planted = PlantedBug.UPDATE_TAKES_FRESH_STAMP;
      unexplained += run(seed, 3, Level.LINEARIZABLE, planted) ? 0 : 1;
    }
    assertTrue(unexplained > 0);
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
