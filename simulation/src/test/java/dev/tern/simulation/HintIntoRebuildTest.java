package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// A hint of a version that was deleted and stripped reaches a wiped replica in the middle of its
/// rebuild: its key has been passed, and the clock does not say so yet.
class HintIntoRebuildTest {
  private static final long SECOND = Cluster.SECOND;
  private static final Level R2 = new Level(2, 2, 0);
  private static final Level W3 = new Level(2, 3, 0);
  private static final Level SLOPPY = new Level(0, 2, 3, 0, 0, 0, true, 0);

  private interface Starting<T> {
    void start(Node node, Consumer<T> done);
  }

  private static <T> T at(Cluster cluster, int number, Starting<T> what) {
    List<T> outcomes = new ArrayList<>();
    Node node = cluster.node(number);
    cluster.world.schedule(0, number, () -> what.start(node, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private static ReadOutcome read(Cluster c, int number, String key, Level level) {
    return at(
        c,
        number,
        (node, done) -> node.keyspace(0, "data").read(key.getBytes(US_ASCII), level, done::accept));
  }

  private static void done(Cluster c, int number, String key, Update update, Level level) {
    c.within(
        60 * SECOND,
        () -> {
          UpdateOutcome o =
              at(
                  c,
                  number,
                  (node, done) ->
                      node.keyspace(0, "data")
                          .update(key.getBytes(US_ASCII), update, level, done::accept));
          System.out.println(key + " -> " + o);
          return o instanceof UpdateOutcome.Done;
        });
  }

  private static Update put(String value) {
    return new Update.Put(value.getBytes(US_ASCII), 0, Update.Condition.NONE, false);
  }

  @Test
  void aDeletedValueStaysDeleted() {
    Cluster c = new Cluster(5);
    String key = "{t}0";
    int ks =
        c.node(1).view().keyspaces().stream()
            .filter(k -> k.name().equals("data"))
            .findFirst()
            .orElseThrow()
            .id();
    Topology topology = c.node(1).view().topology(ks);
    int[] reps = topology.replicas(topology.partitionOf(Slots.of(key.getBytes(US_ASCII))));
    List<Integer> outs = new ArrayList<>();
    for (int i = 1; i <= 5; i++) {
      int x = i;
      if (Arrays.stream(reps).noneMatch(r -> r == x)) outs.add(i);
    }
    int a = reps[0], victim = reps[2];
    c.end(victim);
    c.runFor(10 * SECOND);
    done(c, a, key, put("deleted"), SLOPPY);
    c.runFor(SECOND);
    for (int o : outs) c.end(o);
    c.runFor(SECOND);
    c.start(victim);
    c.runFor(20 * SECOND);
    String filler = "x".repeat(64 << 10);
    for (int i = 0; i < 2400; i++) done(c, a, "{t}1" + i, put(filler), W3);
    done(c, a, key, new Update.Delete(false), W3);
    c.runFor(60 * SECOND);
    c.end(victim);
    c.runFor(5 * SECOND);
    c.disk(victim).wipe();
    c.start(victim);
    c.runFor(SECOND / 8);
    for (int o : outs) c.start(o);
    boolean wrong = false;
    for (int i = 0; i < 400; i++) {
      wrong |= read(c, victim, key, R2) instanceof ReadOutcome.Found;
      wrong |= read(c, a, key, R2) instanceof ReadOutcome.Found;
      c.runFor(SECOND / 50);
    }
    assertTrue(!wrong, "the deleted value came back");
  }
}
