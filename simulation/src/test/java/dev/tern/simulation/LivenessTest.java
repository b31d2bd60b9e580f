package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.Node;
import dev.tern.core.NodeConfig;
import dev.tern.core.PlantedBug;
import dev.tern.core.gossip.GossipBounds;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.lsm.LsmBug;
import dev.tern.lsm.LsmOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Whom three nodes of two shards believe alive: members that hang, are cut off, end and come back.
class LivenessTest {
  private static final int NODES = 3;
  private static final long MILLI = 1_000_000;
  private static final long SECOND = 1_000 * MILLI;

  private final World world =
      new World(
          11,
          (node, what) -> {
            throw new IllegalStateException("node " + node, what);
          });
  private final SimulatedNetwork network = new SimulatedNetwork(world, NODES, frame -> {});
  private final SimulatedDisk[] disks = new SimulatedDisk[NODES + 1];
  private final Node[] nodes = new Node[NODES + 1];
  private int asked;
  private int done;

  @BeforeEach
  void startAll() {
    for (int number = 1; number <= NODES; number++) {
      disks[number] = new SimulatedDisk(world, number);
      start(number);
    }
    within(SECOND, () -> seen(1) && seen(2) && seen(3));
  }

  private void start(int number) {
    List<MemberEntry> founders = new ArrayList<>();
    for (int i = 1; i <= NODES; i++) {
      Member.Ports ports = new Member.Ports(1, 2, 3, 4, 5);
      founders.add(
          MemberEntry.of(new Member(i, "%040x".formatted(i), "z" + i, "node-" + i, ports)));
    }
    List<EventLoop> loops = new ArrayList<>();
    for (int i = 0; i < 2; i++) {
      loops.add(new SimulatedLoop(world, number, disks[number]));
    }
    Environment environment =
        new Environment(
            new SimulatedClock(world),
            loops,
            network.of(number, loops.size()),
            disks[number],
            world.random.child("node-" + number + "-" + world.nanos()));
    LsmOptions storage =
        LsmOptions.DEFAULT.withTuning(
            new LsmOptions.Tuning(1 << 16, 1 << 16, 512, 1 << 14, LsmBug.NONE));
    Founding founding = new Founding(16, founders, List.of(KeyspaceSettings.usual("data")));
    try {
      nodes[number] =
          Node.create(environment, new NodeConfig(number, founding, storage, PlantedBug.NONE));
      nodes[number].start();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /// Whether all shards of all others, and its own of them, believe a node alive.
  private boolean seen(int number) {
    for (int other = 1; other <= NODES; other++) {
      if (!nodes[other].live(number) || !nodes[number].live(other)) {
        return false;
      }
    }
    return true;
  }

  private void within(long nanos, BooleanSupplier condition) {
    long until = world.nanos() + nanos;
    while (!condition.getAsBoolean()) {
      assertTrue(world.nanos() < until, "not within " + nanos / MILLI + " ms");
      world.runUntil(world.nanos() + 10 * MILLI);
    }
  }

  /// A write through node 1 each 20 ms.
  private void writeFor(long nanos) {
    Update put = new Update.Put(new byte[1], Update.NO_EXPIRY, Update.Condition.NONE, false);
    for (long at = 0; at < nanos; at += 20 * MILLI) {
      byte[] key = ("key-" + asked).getBytes(US_ASCII);
      asked++;
      world.schedule(
          at,
          1,
          () ->
              nodes[1]
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
    world.runUntil(world.nanos() + SECOND);
    world.pause(3, 3 * SECOND);
    within(SECOND * 3 / 2, () -> !nodes[1].live(3));
    long hung = world.nanos();
    // While it hangs nobody takes it for alive.
    while (world.nanos() < hung + SECOND) {
      world.runUntil(world.nanos() + 10 * MILLI);
      assertFalse(nodes[1].live(3));
    }
    within(2 * SECOND, () -> seen(3));
    world.runUntil(world.nanos() + 6 * SECOND);
    assertEquals(asked, done, "each write found two replicas");
  }

  @Test
  void aMemberThatIsCutOffIsDeadWithinGossipsBoundAndComesBack() {
    for (int other = 1; other < NODES; other++) {
      network.cut(other, 3, true);
      network.cut(3, other, true);
    }
    // Nobody writes: no shard waits for an answer of it, but the beats of the log.
    within(GossipBounds.detectionMillis(NODES, 8) * MILLI, () -> !nodes[1].live(3));
    within(GossipBounds.detectionMillis(NODES, 8) * MILLI, () -> !nodes[3].live(1));
    network.heal();
    within(3 * SECOND, () -> seen(1) && seen(2) && seen(3));
  }

  @Test
  void aMemberThatEndsIsGoneAtOnceAndAliveAgainWhenItStarts() {
    world.end(3);
    network.down(3);
    within(SECOND / 4, () -> !nodes[1].live(3) && !nodes[2].live(3));
    world.runUntil(world.nanos() + 20 * SECOND);
    start(3);
    within(2 * SECOND, () -> seen(3));
  }

  @Test
  void nobodyIsSuspectedWithoutCause() {
    long until = world.nanos() + 60 * SECOND;
    while (world.nanos() < until) {
      world.runUntil(world.nanos() + 50 * MILLI);
      assertTrue(seen(1) && seen(2) && seen(3));
    }
  }
}
