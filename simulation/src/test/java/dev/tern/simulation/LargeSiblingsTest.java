package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.context.Limits;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Versions;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Siblings that were written at several replicas and fit no frame together: whoever reads the key
/// merges them.
class LargeSiblingsTest {
  private static final long SECOND = Cluster.SECOND;
  private static final String KEY = "k";

  private final Cluster cluster = new Cluster(3, Limits.DEFAULT.withFrameBytes(32 << 10));
  private final Script script = new Script(cluster, 3);

  private static String large(char what) {
    return String.valueOf(what).repeat(9 << 10);
  }

  @Test
  void aReadShowsThemAllAndAWriteWithItsContextReplacesThem() {
    int[] replicas = script.replicas("siblings", KEY);
    script.end(new int[] {replicas[0]}, replicas[1], replicas[2]);
    script.stored(replicas[0], KEY, large('a'), Script.NO_CONTEXT, Script.ONE);
    script.stored(replicas[0], KEY, large('b'), Script.NO_CONTEXT, Script.ONE);
    cluster.end(replicas[0]);
    cluster.start(replicas[1]);
    cluster.runFor(5 * SECOND);
    script.stored(replicas[1], KEY, large('c'), Script.NO_CONTEXT, Script.ONE);
    script.stored(replicas[1], KEY, large('d'), Script.NO_CONTEXT, Script.ONE);
    cluster.start(replicas[0]);
    cluster.start(replicas[2]);
    cluster.within(20 * SECOND, cluster::allSeen);
    cluster.runFor(10 * SECOND);
    for (int node : replicas) {
      Versions all = script.fetch(node, KEY, Script.ALL);
      assertEquals(4, all.siblings().size(), "at node " + node);
    }
    byte[] context = script.fetch(replicas[2], KEY, Script.ALL).context();
    script.stored(replicas[2], KEY, "merged", context, Level.DEFAULT);
    script.converged(30 * SECOND);
    for (int node : replicas) {
      assertEquals(List.of("merged"), script.values(node, KEY, Script.ONE));
    }
  }
}
