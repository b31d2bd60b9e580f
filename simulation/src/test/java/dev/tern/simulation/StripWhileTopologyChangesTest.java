package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Proposed;
import org.junit.jupiter.api.Test;

/// The questions that come before a delete is stripped outlast changes of the topology that leave
/// the entry of its partition as it was.
class StripWhileTopologyChangesTest {
  private static final int NODES = 3;

  private final Cluster cluster = new Cluster(NODES);
  private final Script script = new Script(cluster, NODES);

  private boolean held;

  private void change() {
    held = !held;
    cluster.node(1).propose(new Proposed(0, new Command.HoldMoves(held)), decision -> {});
  }

  @Test
  void deletesAreStrippedThoughTheTopologyChangesAgainAndAgain() {
    for (int i = 0; i < 20; i++) {
      script.put(1, "key-" + i, "value", Script.ALL);
    }
    for (int i = 0; i < 20; i++) {
      script.delete(1, "key-" + i, Script.ALL);
    }
    long before = cluster.node(1).view().epoch();
    // As while a member joins: a change every 200 ms.
    for (int i = 0; i < 100; i++) {
      change();
      cluster.runFor(Script.SECOND / 5);
    }
    assertTrue(cluster.node(1).view().epoch() > before + 80);
    for (int node = 1; node <= NODES; node++) {
      assertEquals(20, cluster.node(node).statistic(Counter.STRIPPED_DELETES), "node " + node);
    }
  }
}
