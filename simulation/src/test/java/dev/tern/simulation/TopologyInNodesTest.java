package dev.tern.simulation;

import static dev.tern.simulation.Cluster.SECOND;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.log.Decision;
import dev.tern.lsm.CompactionStyle;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What the topology log decides, seen by whole nodes: voters that are replaced, keyspaces that are
/// made, expire their keys, and are dropped.
class TopologyInNodesTest {
  private static final KeyHash HASH = KeyHash.derived(new byte[5], 5);

  private static Decision propose(Cluster cluster, int node, Command command) {
    List<Decision> decisions = new ArrayList<>();
    cluster.node(node).propose(new Proposed(0, command), decisions::add);
    cluster.within(10 * SECOND, () -> !decisions.isEmpty());
    return decisions.getFirst();
  }

  private static void changes(Cluster cluster, int node, Command command) {
    Decision decision = propose(cluster, node, command);
    boolean changed =
        decision instanceof Decision.Decided decided
            && decided.outcome() instanceof TopologyOutcome.Changed;
    assertTrue(changed, decision.toString());
  }

  private static void put(Cluster cluster, int node, String keyspace, String key) {
    Update put = new Update.Put(new byte[1], Update.NO_EXPIRY, Update.Condition.NONE, false);
    List<UpdateOutcome> outcomes = new ArrayList<>();
    byte[] bytes = key.getBytes(US_ASCII);
    cluster.world.schedule(
        0,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, keyspace)
                .update(bytes, put, Level.DEFAULT, outcomes::add));
    cluster.within(SECOND, () -> !outcomes.isEmpty());
    assertEquals(UpdateOutcome.Done.WRITTEN, outcomes.getFirst());
  }

  private static ReadOutcome get(Cluster cluster, int node, String keyspace, String key) {
    List<ReadOutcome> outcomes = new ArrayList<>();
    byte[] bytes = key.getBytes(US_ASCII);
    cluster.world.schedule(
        0,
        node,
        () -> cluster.node(node).keyspace(0, keyspace).read(bytes, Level.DEFAULT, outcomes::add));
    cluster.within(SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private static KeyspaceSettings settings(String name, long ttlMillis, CompactionStyle style) {
    return KeyspaceSettings.usual(name)
        .with(KeyspaceProperty.DURABILITY, Durability.OS)
        .with(KeyspaceProperty.TTL, ttlMillis)
        .with(KeyspaceProperty.COMPACTION, style)
        .with(KeyspaceProperty.TIMEOUT, 1_000);
  }

  private static void founded(Cluster cluster) {
    cluster.within(10 * SECOND, () -> cluster.node(1).view().state().cluster().known());
  }

  @Test
  void aVoterThatStaysAwayIsReplaced() {
    Cluster cluster = new Cluster(4);
    founded(cluster);
    List<Integer> voters = cluster.node(1).view().state().voters();
    assertEquals(List.of(1, 2, 3), voters);
    cluster.end(3);
    cluster.runFor(25 * SECOND);
    assertEquals(voters, cluster.node(1).view().state().voters(), "replaced in haste");
    cluster.within(
        15 * SECOND, () -> cluster.node(1).view().state().voters().equals(List.of(1, 2, 4)));
    // And the new voters do without one of the old: the log's members followed.
    cluster.runFor(SECOND);
    cluster.end(2);
    changes(cluster, 1, new Command.SetWeight(1, 50));
    cluster.within(SECOND, () -> cluster.node(4).view().epoch() == cluster.node(1).view().epoch());
  }

  @Test
  void aKeyspacesKeysExpireByItsTimeToLive() {
    Cluster cluster = new Cluster(3);
    founded(cluster);
    KeyspaceSettings sessions = settings("sessions", 5_000, CompactionStyle.SIZE_TIERED);
    changes(cluster, 2, cluster.node(2).view().state().create(sessions, HASH));
    put(cluster, 2, "sessions", "key");
    put(cluster, 2, "data", "key");
    assertTrue(get(cluster, 2, "sessions", "key") instanceof ReadOutcome.Found);
    cluster.runFor(6 * SECOND);
    assertEquals(ReadOutcome.Missing.INSTANCE, get(cluster, 2, "sessions", "key"));
    assertTrue(get(cluster, 2, "data", "key") instanceof ReadOutcome.Found);
  }

  @Test
  void aDroppedKeyspaceIsErasedAndItsNameBeginsAnew() {
    Cluster cluster = new Cluster(3);
    founded(cluster);
    for (CompactionStyle style : List.of(CompactionStyle.LEVELED, CompactionStyle.SIZE_TIERED)) {
      changes(cluster, 1, cluster.node(1).view().state().create(settings("k", 0, style), HASH));
      int id = java.util.Objects.requireNonNull(cluster.node(1).view().keyspace("k")).id();
      for (int i = 0; i < 40; i++) {
        put(cluster, 1, "k", "key-" + i);
      }
      put(cluster, 1, "data", "key-1");
      assertTrue(records(cluster, id) > 0);
      var before = cluster.node(1).keyspace(0, "k");
      changes(cluster, 1, new Command.DropKeyspace("k"));
      List<ReadOutcome> outcomes = new ArrayList<>();
      cluster.world.schedule(
          0, 1, () -> before.read("key-1".getBytes(US_ASCII), Level.DEFAULT, outcomes::add));
      cluster.within(SECOND, () -> !outcomes.isEmpty());
      assertTrue(outcomes.getFirst() instanceof Unanswered.Refused, outcomes.toString());
      changes(cluster, 1, cluster.node(1).view().state().create(settings("k", 0, style), HASH));
      assertEquals(ReadOutcome.Missing.INSTANCE, get(cluster, 1, "k", "key-1"));
      cluster.within(120 * SECOND, () -> records(cluster, id) == 0);
      assertTrue(get(cluster, 1, "data", "key-1") instanceof ReadOutcome.Found);
      changes(cluster, 1, new Command.DropKeyspace("k"));
    }
  }

  /// Of a keyspace, over all nodes and shards.
  private static long records(Cluster cluster, int keyspace) {
    long total = 0;
    for (int node = 1; node <= 3; node++) {
      total += cluster.node(node).records(keyspace);
    }
    return total;
  }
}
