package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// Nodes that answer in place of replicas know what they hold for them, and nothing else.
class SloppyReadTest {
  private static final long SECOND = Cluster.SECOND;
  private static final String KEY = "k";

  /// Two replicas are down. The third one stands still until another node has answered in its place
  /// that it holds nothing, then answers, and only then the stand-in of another replica does.
  @Test
  void aReplicaThatAnswersLateCountsInPlaceOfItsStandIn() {
    // The order of the ring says which of the others stands in for whom.
    int found = 0;
    for (int asker = 0; asker < 3; asker++) {
      for (int more = 1; more < 3; more++) {
        ReadOutcome outcome = readLate(asker, (asker + more) % 3);
        assertFalse(outcome instanceof ReadOutcome.Missing, "asked by " + asker);
        if (outcome instanceof ReadOutcome.Found answer) {
          found++;
          assertEquals("v", new String(answer.value(), US_ASCII));
        }
      }
    }
    assertTrue(found > 0, "never answered");
  }

  private static ReadOutcome readLate(int which, int slow) {
    Cluster cluster = new Cluster(6);
    Script script = new Script(cluster, 6);
    script.put(1, KEY, "v", Script.ALL);
    Topology topology =
        Objects.requireNonNull(
            cluster
                .node(1)
                .view()
                .topology(Objects.requireNonNull(cluster.node(1).view().keyspace("data")).id()));
    int[] replicas = topology.replicas(topology.partitionOf(Slots.of(KEY.getBytes(US_ASCII))));
    List<Integer> others = new ArrayList<>(List.of(1, 2, 3, 4, 5, 6));
    for (int replica : replicas) {
      others.remove(Integer.valueOf(replica));
    }
    int asker = others.get(which);
    int late = replicas[0];
    cluster.end(replicas[1]);
    cluster.end(replicas[2]);
    cluster.network.slow(others.get(slow), asker, 2 * SECOND);
    cluster.runFor(10 * SECOND);
    cluster.world.pause(late, SECOND * 3 / 2);
    List<ReadOutcome> outcomes = new ArrayList<>();
    Level sloppy = new Level(0, 3, 0, 0, 0, 0, /* sloppy= */ true, 0);
    cluster.world.schedule(
        0,
        asker,
        () ->
            cluster
                .node(asker)
                .keyspace(0, "data")
                .read(KEY.getBytes(US_ASCII), sloppy, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }
}
