package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.env.NodeEvent;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What nodes report of themselves while something goes wrong, and that they are silent otherwise.
class EventsTest {
  private static final long SECOND = Cluster.SECOND;

  private final Cluster cluster = new Cluster(3);
  private final Script script = new Script(cluster, 3);

  private <T extends NodeEvent> List<T> told(int node, Class<T> kind) {
    return cluster.events.get(node).stream().filter(kind::isInstance).map(kind::cast).toList();
  }

  private void forget() {
    cluster.events.forEach(List::clear);
  }

  @Test
  void aFoundingNamesTheLeaderAndTheMembersAndThenIsSilent() {
    cluster.runFor(10 * SECOND);
    long leaders =
        told(1, NodeEvent.LeaderChanged.class).stream()
            .map(NodeEvent.LeaderChanged::leader)
            .filter(leader -> leader > 0)
            .distinct()
            .count();
    assertEquals(1, leaders, cluster.events.toString());
    assertTrue(told(1, NodeEvent.MemberReachable.class).contains(new NodeEvent.MemberReachable(2)));
    assertEquals(List.of(), told(1, NodeEvent.MemberSuspected.class));
    forget();
    cluster.runFor(60 * SECOND);
    cluster.events.forEach(each -> assertEquals(List.of(), each));
  }

  @Test
  void aNodeThatGoesAndComesBackIsReportedOnce() {
    cluster.runFor(5 * SECOND);
    forget();
    cluster.end(3);
    cluster.runFor(20 * SECOND);
    assertEquals(
        List.of(new NodeEvent.MemberSuspected(3)), told(1, NodeEvent.MemberSuspected.class));
    cluster.start(3);
    cluster.runFor(20 * SECOND);
    assertEquals(
        List.of(new NodeEvent.MemberReachable(3)), told(1, NodeEvent.MemberReachable.class));
  }

  @Test
  void aReplicaThatIsBehindReportsThatItMintsUnderANewId() {
    script.put(1, "k", "v", Script.ALL);
    cluster.runFor(5 * SECOND);
    cluster.end(2);
    forget();
    script.cut(2, 1, true);
    script.cut(2, 3, true);
    cluster.start(2);
    cluster.runFor(SECOND);
    Update put = new Update.Put(new byte[1], Update.NO_EXPIRY, Update.Condition.NONE, false);
    script.update(2, "data", "k", put, new Level(1, 1, 0));
    assertEquals(1, told(2, NodeEvent.ReplicaIdTaken.class).size(), cluster.events.toString());
  }

  @Test
  void anEmptyDirectoryIsRebuilt() {
    script.put(1, "k", "new", Script.ALL);
    cluster.runFor(5 * SECOND);
    forget();
    cluster.end(2);
    cluster.disk(2).wipe();
    cluster.start(2);
    cluster.runFor(60 * SECOND);
    List<NodeEvent.RebuildBegan> begun = told(2, NodeEvent.RebuildBegan.class);
    assertTrue(!begun.isEmpty(), cluster.events.toString());
    assertEquals(begun.size(), told(2, NodeEvent.RebuildEnded.class).size());
    assertEquals("new", script.get(2, "k", Level.DEFAULT));
  }

  @Test
  void aFullDiskIsReportedAndItsEndToo() {
    script.put(1, "k", "v", Script.ALL);
    forget();
    cluster.disk(2).full = true;
    for (int i = 0; i < 400 && told(2, NodeEvent.WritesRefused.class).isEmpty(); i++) {
      Update fill = new Update.Put(new byte[4_000], Update.NO_EXPIRY, Update.Condition.NONE, false);
      script.update(2, "data", "fill" + i, fill, Level.DEFAULT);
    }
    List<NodeEvent.WritesRefused> refused = told(2, NodeEvent.WritesRefused.class);
    assertTrue(!refused.isEmpty(), "the full disk is not reported");
    cluster.runFor(2 * SECOND);
    assertTrue(
        told(2, NodeEvent.WritesRefused.class).stream()
            .anyMatch(event -> event.why().contains("the disk is full")),
        refused.toString());
    cluster.disk(2).full = false;
    cluster.runFor(10 * SECOND);
    assertTrue(!told(2, NodeEvent.WritesTaken.class).isEmpty(), "that it takes writes again");
  }
}
