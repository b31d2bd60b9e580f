package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Level;
import org.junit.jupiter.api.Test;

/// How many pages bring a replica what it lacks.
class RepairPagesTest {
  private static final int KEYS = 20;

  private static long pages(Limits limits) {
    Cluster cluster = new Cluster(3, limits);
    Script script = new Script(cluster, 3);
    script.put(1, "{k}", "first", Script.ALL);
    script.end(new int[] {1, 2}, 3);
    for (int i = 0; i < KEYS; i++) {
      script.put(1, "{k}" + i, "value", Level.DEFAULT);
    }
    cluster.disk(3).wipe();
    cluster.start(3);
    cluster.within(30 * Cluster.SECOND, cluster::allSeen);
    cluster.within(30 * Cluster.SECOND, () -> cluster.node(3).converged());
    for (int i = 0; i < KEYS; i++) {
      assertEquals("value", script.get(3, "{k}" + i, new Level(1, 1, 0)));
    }
    return script.counted(Counter.REPAIR_PAGES);
  }

  @Test
  void aSmallerBoundMakesMoreOfThem() {
    long few = pages(Limits.DEFAULT);
    long many = pages(Limits.DEFAULT.withPageBytes(64));
    assertTrue(many >= few + KEYS / 3, many + " pages, and " + few + " large ones");
  }
}
