package dev.tern.core.traffic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.liveness.Sightings;
import dev.tern.core.topology.Member;
import dev.tern.core.version.ClusterTime;
import dev.tern.env.ByteWriter;
import dev.tern.env.Network;
import java.util.List;
import org.junit.jupiter.api.Test;

class PeersTest {
  private static final int SELF = 4;
  private static final long MILLI = 1_000_000;
  private static final int[] REPLICAS = {2, 1, 3};

  private final Timers loop = new Timers();
  private final Sightings sightings = new Sightings(SELF);
  private final Peers peers;

  PeersTest() {
    Network network =
        new Network() {
          @Override
          public void start(Receiver receiver) {
            throw new IllegalStateException("not a part of this");
          }

          @Override
          public void connect(int node, String host, int port) {
            throw new IllegalStateException("not a part of this");
          }

          @Override
          public boolean send(int fromShard, int node, int toShard, ByteWriter payload) {
            return true;
          }

          @Override
          public boolean connected(int fromShard, int node) {
            return true;
          }
        };
    Member last = member(SELF);
    ClusterTime time = new ClusterTime(loop.clock, SELF, new int[] {SELF}, false);
    ShardContext context =
        ShardContext.of(0, SELF, loop, time, network, PlantedBug.NONE, Limits.DEFAULT);
    peers = new Peers(context, List.of(last), sightings, () -> false);
    for (int member : REPLICAS) {
      sightings.believe(member, true);
    }
  }

  private static Member member(int number) {
    Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
    return new Member(number, "%040x".formatted(number), "z", "h", ports);
  }

  @Test
  void aLargeFrameExcusesItsReceiverAndNobodyForLong() {
    peers.members(List.of(member(1), member(2), member(SELF)));
    peers.asks(1, 1_000);
    peers.asks(2, 16 << 20);
    beatFor(1_200);
    assertFalse(peers.live(1), "a small frame is answered within a second");
    assertTrue(peers.live(2), "one of 16 MiB need not be");
    beatFor(2_800);
    assertTrue(peers.live(2));
    beatFor(400);
    assertFalse(peers.live(2), "whoever says nothing for ever is silent");
    peers.heard(2);
    assertTrue(peers.live(2));
    for (int i = 0; i < 100; i++) {
      peers.asks(2, 16 << 20);
    }
    beatFor(4_400);
    assertFalse(peers.live(2), "a hundred of them excuse no longer than one");
  }

  private void beatFor(int millis) {
    for (int passed = 0; passed < millis; passed += 200) {
      loop.nanos += 200 * MILLI;
      peers.beat();
    }
  }

  @Test
  void blindPutsGoToTheFirstReplicaUnlessAnotherHasMuchLessToDo() {
    assertEquals(2, peers.leastLoaded(REPLICAS));
    peers.forwards(2, 100);
    assertEquals(2, peers.leastLoaded(REPLICAS), "somewhat more to do");
    peers.forwards(2, 200);
    assertEquals(1, peers.leastLoaded(REPLICAS));
    peers.took(1, 100 * MILLI);
    assertEquals(3, peers.leastLoaded(REPLICAS), "another is slow");
    peers.forwards(2, -300);
    assertEquals(2, peers.leastLoaded(REPLICAS));
    sightings.believe(2, false);
    assertEquals(3, peers.leastLoaded(REPLICAS));
    loop.nanos += 10_000 * MILLI;
    assertEquals(1, peers.leastLoaded(REPLICAS), "forgiven");
    peers.forwardTook(1, 30 * MILLI);
    assertEquals(1, peers.leastLoaded(REPLICAS), "a disk that is not quick");
    peers.forwardTook(1, 300 * MILLI);
    assertEquals(3, peers.leastLoaded(REPLICAS), "puts are slow there");
    loop.nanos += 10_000 * MILLI;
    assertEquals(1, peers.leastLoaded(REPLICAS));
    sightings.believe(1, false);
    sightings.believe(3, false);
    assertEquals(0, peers.leastLoaded(REPLICAS));
  }

  @Test
  void anOverloadedMemberIsSparedAsLongAsItSaysButNotForLong() {
    peers.refused(2, new Unanswered.Refused(Reason.UNAVAILABLE, "", 300));
    assertEquals(0, peers.sparedMillis(2));
    peers.refused(2, new Unanswered.Refused(Reason.OVERLOADED, "", 300));
    assertTrue(peers.sparedMillis(2) >= 300 && peers.sparedMillis(2) <= 301);
    assertTrue(peers.likelyNanos(2) > peers.likelyNanos(1));
    assertEquals(1, peers.leastLoaded(REPLICAS));
    loop.nanos += 300 * MILLI;
    assertEquals(0, peers.sparedMillis(2));
    peers.refused(2, new Unanswered.Refused(Reason.OVERLOADED, "", 1L << 40));
    assertTrue(peers.sparedMillis(2) <= 1_001);
  }
}
