package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import dev.tern.core.version.Siblings;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Held writes come to their replicas, whatever becomes of those before them.
class HintTest {
  private static final byte[] NO_CONTEXT = Script.NO_CONTEXT;

  /// A key with the same replicas as another one.
  private static String beside(Script script, String key) {
    for (int i = 0; ; i++) {
      String other = "beside" + i;
      if (Arrays.equals(script.replicas("siblings", other), script.replicas("siblings", key))) {
        return other;
      }
    }
  }

  private static void startAll(Script script, int[] nodes) {
    for (int node : nodes) {
      script.cluster.start(node);
    }
    script.cluster.within(15 * Script.SECOND, script.cluster::allSeen);
  }

  /// More siblings than a client may make come together when each was minted by itself: they were
  /// acknowledged, so the replicas take them.
  @Test
  void moreHeldSiblingsThanTheBoundReachTheirReplicas() {
    Script script = new Script(new Cluster(5), 5);
    String innocent = beside(script, "k");
    int[] replicas = script.replicas("siblings", "k");
    int[] outsiders = script.outsiders("siblings", "k");
    script.end(outsiders, replicas);
    int writes = 2 * Siblings.MAX + 20;
    for (int i = 0; i < writes; i++) {
      script.stored(outsiders[i % 2], "k", "v" + i, NO_CONTEXT, Script.sloppy(2));
    }
    script.stored(outsiders[0], innocent, "kept", NO_CONTEXT, Script.sloppy(2));
    startAll(script, replicas);
    script.converged(120 * Script.SECOND);
    assertEquals(List.of("kept"), script.values(replicas[0], innocent, Script.ALL));
    assertEquals(writes, script.fetch(replicas[1], "k", Level.DEFAULT).siblings().size());
  }

  /// One that its replica refuses stays and is tried again, and those behind it arrive.
  @Test
  void aHeldWriteThatIsRefusedHoldsUpNoOther() {
    Script script = new Script(new Cluster(5), 5);
    String innocent = beside(script, "k");
    int[] replicas = script.replicas("siblings", "k");
    int[] outsiders = script.outsiders("siblings", "k");
    script.end(outsiders, replicas);
    // Each fits a frame, together they do not.
    String large = "x".repeat(10 << 20);
    for (int i = 0; i < 3; i++) {
      script.stored(outsiders[0], "k", large + i, NO_CONTEXT, Script.sloppy(2));
    }
    script.stored(outsiders[0], innocent, "kept", NO_CONTEXT, Script.sloppy(2));
    startAll(script, replicas);
    script.cluster.runFor(60 * Script.SECOND);
    assertEquals(List.of("kept"), script.values(replicas[0], innocent, Script.ALL));
    assertTrue(script.counted(Counter.HINTS_PASSED_OVER) > 0);
    // Whoever has read what is there replaces it, and what is held finds its place below that.
    script.stored(
        replicas[0],
        "k",
        "merged",
        script.fetch(replicas[0], "k", Level.DEFAULT).context(),
        Script.ALL);
    script.cluster.runFor(60 * Script.SECOND);
    assertTrue(script.values(replicas[2], "k", Level.DEFAULT).contains("merged"));
    script.converged(60 * Script.SECOND);
  }

  /// A replica that is too busy for most of a page is offered the rest a second later, not ten.
  @Test
  void heldWritesThatAReplicaIsTooBusyForAreTriedAgainSoon() {
    Script script = new Script(new Cluster(5, Limits.DEFAULT.withCostBytes(16 << 10)), 5);
    int[] replicas = script.replicas("siblings", "k");
    int[] outsiders = script.outsiders("siblings", "k");
    script.end(outsiders, replicas);
    String value = "x".repeat(3_000);
    for (int i = 0; i < 60; i++) {
      script.stored(outsiders[0], "k", value + i, NO_CONTEXT, Script.sloppy(2));
    }
    startAll(script, replicas);
    script.converged(30 * Script.SECOND);
    assertTrue(script.counted(Counter.HINTS_PASSED_OVER) > 60);
  }
}
