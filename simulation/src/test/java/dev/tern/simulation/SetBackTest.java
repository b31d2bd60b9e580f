package dev.tern.simulation;

import static dev.tern.simulation.Cluster.SECOND;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.env.NodeEvent;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The directory of a node is set back, in a keyspace of one replica: no other node has the dots
/// that the lost life gave out, but clients may keep contexts that name them.
class SetBackTest {
  private static final int NODE = 2;

  private final Cluster cluster = new Cluster(3, 1, number -> "z" + number);
  private final Script script = new Script(cluster, 3);

  /// A key whose only replica is the node.
  private String key() {
    for (int i = 0; ; i++) {
      String key = "k" + i;
      if (script.replicas("siblings", key)[0] == NODE) {
        return key;
      }
    }
  }

  private void stop() {
    cluster.end(NODE);
    cluster.within(15 * SECOND, () -> !cluster.node(1).live(NODE) && !cluster.node(3).live(NODE));
    cluster.runFor(5 * SECOND);
  }

  private void start() {
    cluster.start(NODE);
    cluster.within(15 * SECOND, cluster::allSeen);
    cluster.runFor(2 * SECOND);
  }

  private long idsTaken() {
    return cluster.events.get(NODE).stream()
        .filter(NodeEvent.ReplicaIdTaken.class::isInstance)
        .count();
  }

  /// @param lives of the node after the copy, the one that is lost included
  private void keepsBoth(int lives) {
    String key = key();
    stop();
    Map<String, byte[]> copy = cluster.disk(NODE).backup();
    for (int life = 0; life < lives; life++) {
      if (life > 0) {
        stop();
      }
      start();
    }
    assertEquals(0, idsTaken());
    script.stored(NODE, key, "lost", Script.NO_CONTEXT, Script.ONE);
    byte[] context = script.fetch(NODE, key, Script.ONE).context();
    stop();
    cluster.disk(NODE).restore(copy);
    start();
    script.stored(NODE, key, "other", Script.NO_CONTEXT, Script.ONE);
    script.stored(NODE, key, "later", context, Script.ONE);
    TreeSet<String> values = new TreeSet<>(script.values(NODE, key, Script.ONE));
    assertEquals(new TreeSet<>(List.of("later", "other")), values);
    assertEquals(2, idsTaken(), "one of each shard");
  }

  @Test
  void anOldContextReplacesNoWriteOfTheNextLife() {
    keepsBoth(1);
  }

  /// The life after the restore has a lower number than the lost one.
  @Test
  void anOldContextReplacesNoWriteOfALifeOfALowerNumber() {
    keepsBoth(3);
  }
}
