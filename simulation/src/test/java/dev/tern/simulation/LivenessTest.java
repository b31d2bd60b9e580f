package dev.tern.simulation;

import static dev.tern.simulation.Cluster.MILLI;
import static dev.tern.simulation.Cluster.SECOND;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.gossip.GossipBounds;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import org.junit.jupiter.api.Test;

/// Whom three nodes of two shards believe alive: members that hang, are cut off, end and come back.
class LivenessTest {
  private static final int NODES = 3;

  private final Cluster cluster = new Cluster(NODES);
  private int asked;
  private int done;

  /// A write through node 1 each 20 ms.
  private void writeFor(long nanos) {
    Update put = new Update.Put(new byte[1], Update.NO_EXPIRY, Update.Condition.NONE, false);
    for (long at = 0; at < nanos; at += 20 * MILLI) {
      byte[] key = ("key-" + asked).getBytes(US_ASCII);
      asked++;
      cluster.world.schedule(
          at,
          1,
          () ->
              cluster
                  .node(1)
                  .keyspace(0, "data")
                  .update(
                      key,
                      put,
                      Level.DEFAULT,
                      o -> done += o instanceof UpdateOutcome.Done ? 1 : 0));
    }
  }

  @Test
  void aMemberThatHangsIsPassedOverInASecondAndABitAndComesBack() {
    writeFor(6 * SECOND);
    cluster.runFor(SECOND);
    cluster.world.pause(3, 3 * SECOND);
    cluster.within(SECOND * 3 / 2, () -> !cluster.node(1).live(3));
    long hung = cluster.world.nanos();
    // While it hangs nobody takes it for alive.
    while (cluster.world.nanos() < hung + SECOND) {
      cluster.runFor(10 * MILLI);
      assertFalse(cluster.node(1).live(3));
    }
    cluster.within(2 * SECOND, () -> cluster.seen(3));
    cluster.runFor(6 * SECOND);
    assertEquals(asked, done, "each write found two replicas");
  }

  @Test
  void aMemberThatIsCutOffIsDeadWithinGossipsBoundAndComesBack() {
    for (int other = 1; other < NODES; other++) {
      cluster.network.cut(other, 3, true);
      cluster.network.cut(3, other, true);
    }
    // Nobody writes: no shard waits for an answer of it, but the beats of the log.
    cluster.within(GossipBounds.detectionMillis(NODES, 8) * MILLI, () -> !cluster.node(1).live(3));
    cluster.within(GossipBounds.detectionMillis(NODES, 8) * MILLI, () -> !cluster.node(3).live(1));
    cluster.network.heal();
    cluster.within(3 * SECOND, cluster::allSeen);
  }

  @Test
  void aMemberThatEndsIsGoneAtOnceAndAliveAgainWhenItStarts() {
    cluster.end(3);
    cluster.within(SECOND / 4, () -> !cluster.node(1).live(3) && !cluster.node(2).live(3));
    cluster.runFor(20 * SECOND);
    cluster.start(3);
    cluster.within(2 * SECOND, () -> cluster.seen(3));
  }

  /// Neither life finds space for a number of its own on the disk, so both have the same one.
  @Test
  void aMemberThatLeftAndComesBackOnAFullDiskIsBelievedAliveSoon() {
    cluster.end(3);
    cluster.disk(3).full = true;
    cluster.start(3);
    cluster.within(20 * SECOND, cluster::allSeen);
    // Node 2 alone hears that node 3 leaves.
    cut(1, 2, true);
    cut(1, 3, true);
    cluster.world.schedule(0, 3, () -> cluster.node(3).leave());
    cluster.runFor(SECOND / 2);
    cluster.end(3);
    // Node 1 alone hears that node 3 is back.
    cut(1, 3, false);
    cut(2, 3, true);
    cluster.start(3);
    // Node 2 passes on the farewell for the last time, and nobody hears that.
    cluster.runFor(SECOND * 3 / 2);
    cluster.network.heal();
    cluster.within(4 * SECOND, () -> cluster.seen(3));
  }

  private void cut(int one, int other, boolean isCut) {
    cluster.network.cut(one, other, isCut);
    cluster.network.cut(other, one, isCut);
  }

  @Test
  void nobodyIsSuspectedWithoutCause() {
    long until = cluster.world.nanos() + 60 * SECOND;
    while (cluster.world.nanos() < until) {
      cluster.runFor(50 * MILLI);
      assertTrue(cluster.allSeen());
    }
  }
}
