package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.log.Decision;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A disk without a free block: the node starts, reads go on, writes are refused with the cause,
/// and all goes on when there is room.
class FullDiskTest {
  private static final long SECOND = Cluster.SECOND;
  private static final Level EACH_W = new Level(2, 3, 0);

  private final Cluster cluster = new Cluster(3);
  private final Script script = new Script(cluster, 3);

  private static Update put(byte[] value) {
    return new Update.Put(value, Update.NO_EXPIRY, Update.Condition.NONE, false);
  }

  /// Writes until a node's disk, which has no room, refuses; what it is told then.
  private Unanswered.Refused fill(int node) {
    cluster.disk(node).full = true;
    for (int i = 0; i < 2_000; i++) {
      UpdateOutcome outcome =
          script.update(node, "data", "fill" + i, put(new byte[4_000]), Level.DEFAULT);
      if (outcome instanceof Unanswered.Refused why && why.reason() == Reason.DISK_FULL) {
        return why;
      }
    }
    throw new AssertionError("the disk is never full");
  }

  @Test
  void aFullDiskIsToldByName() {
    script.put(1, "k", "v", Script.ALL);
    Unanswered.Refused why = fill(2);
    assertTrue(why.message().contains("disk of node 2 is full: make room"), why::message);
    assertNotNull(cluster.node(2).fullDisk());
    assertNull(cluster.node(1).fullDisk());
    boolean named = false;
    for (int i = 0; i < 50 && !named; i++) {
      UpdateOutcome other = script.update(1, "data", "k" + i, put(new byte[9]), EACH_W);
      named = other.toString().contains("disk of node 2 is full");
      assertTrue(other instanceof Unanswered, other::toString);
    }
    assertTrue(named, "node 1 never says why");
    assertEquals("v", script.get(2, "k", Level.DEFAULT));
    cluster.disk(2).full = false;
    cluster.runFor(10 * SECOND);
    assertNull(cluster.node(2).fullDisk());
    script.put(2, "after", "v", Script.ALL);
    script.put(1, "after", "v", Script.ALL);
  }

  @Test
  void aNodeStartsOnADiskWithoutAFreeBlock() {
    for (int i = 0; i < 40; i++) {
      script.put(1 + i % 3, "k" + i, "v" + i, Script.ALL);
    }
    cluster.runFor(2 * SECOND);
    cluster.end(2);
    cluster.disk(2).full = true;
    cluster.start(2);
    cluster.within(20 * SECOND, cluster::allSeen);
    for (int i = 0; i < 40; i++) {
      assertEquals("v" + i, script.get(2, "k" + i, Level.DEFAULT));
      assertEquals("v" + i, script.get(2, "k" + i, Script.ALL));
    }
    UpdateOutcome refused = script.update(2, "data", "k1", put(new byte[1]), EACH_W);
    assertTrue(refused instanceof Unanswered, refused::toString);
    assertTrue(refused.toString().contains("disk of node 2 is full"), refused::toString);
    cluster.disk(2).full = false;
    cluster.runFor(10 * SECOND);
    script.put(2, "k1", "new", Script.ALL);
    assertEquals("new", script.get(2, "k1", Script.ALL));
    assertNull(cluster.node(2).topologyLog().failed());
  }

  @Test
  void allNodesStartOnFullDisksAndServeReads() {
    for (int i = 0; i < 40; i++) {
      script.put(1 + i % 3, "k" + i, "v" + i, Script.ALL);
    }
    cluster.runFor(2 * SECOND);
    for (int node = 1; node <= 3; node++) {
      cluster.end(node);
      cluster.disk(node).full = true;
    }
    for (int node = 1; node <= 3; node++) {
      cluster.start(node);
    }
    cluster.within(30 * SECOND, cluster::allSeen);
    for (int i = 0; i < 40; i++) {
      assertEquals("v" + i, script.get(1 + i % 3, "k" + i, Level.DEFAULT));
    }
    UpdateOutcome refused = script.update(1, "data", "k1", put(new byte[1]), Level.DEFAULT);
    Unanswered.Refused why = assertInstanceOf(Unanswered.Refused.class, refused);
    assertEquals(Reason.DISK_FULL, why.reason());
    for (int node = 1; node <= 3; node++) {
      cluster.disk(node).full = false;
    }
    cluster.runFor(15 * SECOND);
    for (int i = 0; i < 40; i++) {
      script.put(1 + i % 3, "k" + i, "w" + i, Script.ALL);
    }
  }

  /// Two of three voters have no room for what is proposed. They stand still, and go on by
  /// themselves.
  @Test
  void votersWhoseDisksWereFullTakePartAgain() {
    cluster.within(20 * SECOND, cluster::allSeen);
    cluster.disk(2).full = true;
    cluster.disk(3).full = true;
    List<Decision> decisions = new ArrayList<>();
    cluster.node(2).propose(new Proposed(0, new Command.HoldMoves(true)), decisions::add);
    cluster.runFor(5 * SECOND);
    assertTrue(decisions.stream().noneMatch(Decision.Decided.class::isInstance), "no majority");
    String why = cluster.node(2).topologyLog().failed();
    assertTrue(why != null && why.contains("no space left"), "it says why: " + why);
    cluster.disk(2).full = false;
    cluster.disk(3).full = false;
    cluster.runFor(5 * SECOND);
    for (int node = 1; node <= 3; node++) {
      assertNull(cluster.node(node).topologyLog().failed());
      decisions.clear();
      Command command = new Command.HoldMoves(node % 2 == 1);
      cluster.node(node).propose(new Proposed(0, command), decisions::add);
      cluster.within(10 * SECOND, () -> !decisions.isEmpty());
      assertInstanceOf(Decision.Decided.class, decisions.getFirst());
    }
  }

  /// Writes leave some room: with it the topology is changed on nodes that take no writes.
  @Test
  void aDiskThatIsNearlyFullTakesNoMoreWrites() {
    cluster.diskReserve = 1 << 20;
    for (int node = 2; node <= 3; node++) {
      cluster.end(node);
      cluster.start(node);
    }
    cluster.within(20 * SECOND, cluster::allSeen);
    script.put(1, "k", "v", Script.ALL);
    cluster.disk(2).usable = 10;
    cluster.runFor(2 * SECOND);
    assertEquals("v", script.get(2, "k", Script.ALL));
    assertTrue(String.valueOf(cluster.node(2).fullDisk()).contains("kept free"));
    UpdateOutcome refused = script.update(1, "data", "k", put(new byte[1]), EACH_W);
    assertTrue(refused.toString().contains("disk of node 2 is full"), refused::toString);
    script.put(1, "k", "w", Level.DEFAULT);
    cluster.disk(3).usable = 10;
    cluster.runFor(2 * SECOND);
    for (int node = 1; node <= 3; node++) {
      UpdateOutcome none = script.update(node, "data", "k", put(new byte[1]), Level.DEFAULT);
      assertTrue(none.toString().contains("is full"), none::toString);
    }
    List<Decision> decisions = new ArrayList<>();
    cluster.node(2).propose(new Proposed(0, new Command.HoldMoves(true)), decisions::add);
    cluster.within(10 * SECOND, () -> !decisions.isEmpty());
    assertInstanceOf(Decision.Decided.class, decisions.getFirst());
    for (int node = 2; node <= 3; node++) {
      cluster.disk(node).usable = 1L << 40;
    }
    cluster.runFor(2 * SECOND);
    script.put(2, "k", "x", Script.ALL);
    assertNull(cluster.node(2).fullDisk());
  }
}
