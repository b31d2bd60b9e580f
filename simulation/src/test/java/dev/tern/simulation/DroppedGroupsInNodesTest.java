package dev.tern.simulation;

import static dev.tern.simulation.Cluster.MILLI;
import static dev.tern.simulation.Cluster.SECOND;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Proposed;
import dev.tern.env.Randomness;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/// Keyspaces of policies of their own are made, written, read and dropped, again and again, while
/// nodes lose their power and come back at any moment. When it is over no node keeps anything of
/// their groups, and the keyspaces that stay have what was acknowledged.
class DroppedGroupsInNodesTest {
  private static final KeyHash HASH = KeyHash.derived(new byte[5], 5);
  private static final int NODES = 3;
  private static final int ROUNDS = 6;

  private final Cluster cluster = new Cluster(NODES);
  private final Script script = new Script(cluster, NODES);
  private boolean down;

  private static KeyspaceSettings settings(int n) {
    return KeyspaceSettings.usual("k")
        .with(KeyspaceProperty.DURABILITY, Durability.OS)
        .with(KeyspaceProperty.N, n)
        .with(KeyspaceProperty.R, 1)
        .with(KeyspaceProperty.W, 1)
        .with(KeyspaceProperty.TTL, 20_000)
        .with(KeyspaceProperty.TIMEOUT, 1_000);
  }

  /// What comes of it does not matter: it is repeated until it is so.
  private void propose(Command command) {
    cluster.node(1).propose(new Proposed(0, command), decision -> {});
  }

  private boolean exists() {
    return cluster.node(1).view().keyspace("k") != null;
  }

  private void until(boolean there, int n) {
    while (exists() != there) {
      propose(
          there
              ? cluster.node(1).view().state().create(settings(n), HASH)
              : new Command.DropKeyspace("k"));
      cluster.runFor(SECOND);
    }
  }

  /// Writes, reads and deletes that nobody waits for: some are under way when the keyspace goes.
  private void touch(Randomness random, int count) {
    for (int i = 0; i < count; i++) {
      byte[] key = {(byte) random.nextInt(64), (byte) random.nextInt(2)};
      boolean delete = random.nextInt(4) == 0;
      Update update =
          delete
              ? new Update.Delete(false)
              : new Update.Put(new byte[9], Update.NO_EXPIRY, Update.Condition.NONE, false);
      var keyspace = cluster.node(1).keyspace(0, "k");
      keyspace.update(key, update, Level.DEFAULT, outcome -> {});
      keyspace.read(key, Level.DEFAULT, outcome -> {});
    }
  }

  private void powerCut(int node) {
    cluster.end(node);
    cluster.disk(node).powerCut();
    down = true;
  }

  private void run(long seed) {
    Randomness random = Randomness.of(seed);
    script.put(1, "kept", "v" + seed, Script.ALL);
    for (int round = 0; round < ROUNDS; round++) {
      until(true, 1 + random.nextInt(2));
      int at = random.nextInt(3);
      int node = 2 + random.nextInt(NODES - 1);
      cluster.world.schedule(0, 1, () -> touch(random, 1 + random.nextInt(40)));
      cluster.runFor(random.nextInt(500) * MILLI);
      if (at == 0) {
        powerCut(node);
      }
      until(false, 0);
      if (at == 1) {
        powerCut(node);
      }
      cluster.runFor(random.nextInt(80) * SECOND);
      if (at == 2) {
        powerCut(node);
      }
      cluster.runFor(random.nextInt(2_000) * MILLI);
      if (down) {
        cluster.start(node);
        down = false;
      }
    }
    cluster.within(400 * SECOND, this::isClean);
    // And after a start from what is on the disks, which may lack the last of it.
    for (int node = 1; node <= NODES; node++) {
      powerCut(node);
      cluster.start(node);
    }
    down = false;
    cluster.within(60 * SECOND, cluster::allSeen);
    cluster.within(400 * SECOND, this::isClean);
    assertEquals("v" + seed, script.get(1, "kept", Script.ONE));
  }

  private boolean isClean() {
    for (int node = 1; node <= NODES; node++) {
      for (int shard = 0; shard < 2; shard++) {
        if (!Arrays.equals(new int[] {1}, cluster.node(node).groups(shard))) {
          return false;
        }
      }
    }
    return true;
  }

  @Test
  void noNodeKeepsAnythingOfThem() {
    for (long seed = 1; seed <= 5; seed++) {
      run(seed);
    }
  }
}
