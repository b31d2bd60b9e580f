package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.world.SimulatedClock;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/// Hot keys at level ONE, and more requests than a node takes on.
class OverloadTest {
  private static final long MILLI = Cluster.MILLI;
  private static final long SECOND = Cluster.SECOND;
  private static final Level ONE = new Level(1, 0, 0);
  private static final Level ALL = new Level(0, 3, 0);
  private static final String KEY = "k";

  /// Two reads make a key hot.
  private static final Limits EASILY_HOT = Limits.DEFAULT.withHotReads(2);

  private static <T> T ask(Cluster cluster, int node, BiConsumer<Keyspace, Completion<T>> request) {
    List<T> outcomes = new ArrayList<>();
    Keyspace data = cluster.node(node).keyspace(0, "data");
    cluster.world.schedule(0, node, () -> request.accept(data, outcomes::add));
    long until = cluster.world.nanos() + 10 * SECOND;
    while (outcomes.isEmpty() && cluster.world.nanos() < until) {
      cluster.runFor(MILLI / 10);
    }
    assertEquals(1, outcomes.size());
    return outcomes.getFirst();
  }

  private static String read(Cluster cluster, int node, Level level) {
    ReadOutcome outcome =
        OverloadTest.<ReadOutcome>ask(
            cluster, node, (data, done) -> data.read(KEY.getBytes(US_ASCII), level, done));
    if (outcome instanceof ReadOutcome.Missing) {
      return "nothing";
    }
    return new String(assertInstanceOf(ReadOutcome.Found.class, outcome).value(), US_ASCII);
  }

  private static Update.Put put(byte[] value, long expiryMillis) {
    return new Update.Put(value, expiryMillis, Update.Condition.NONE, false);
  }

  private static void write(Cluster cluster, int node, String value, long expiryMillis) {
    Update put = put(value.getBytes(US_ASCII), expiryMillis);
    UpdateOutcome outcome =
        OverloadTest.<UpdateOutcome>ask(
            cluster, node, (data, done) -> data.update(KEY.getBytes(US_ASCII), put, ALL, done));
    assertInstanceOf(UpdateOutcome.Done.class, outcome, outcome::toString);
  }

  private static int[] replicas(Cluster cluster) {
    Node node = cluster.node(1);
    int keyspace = Objects.requireNonNull(node.view().keyspace("data")).id();
    Topology topology = Objects.requireNonNull(node.view().topology(keyspace));
    return topology.replicas(topology.partitionOf(Slots.of(KEY.getBytes(US_ASCII))));
  }

  private static int outsider(Cluster cluster) {
    int node = 1;
    while (Arrays.binarySearch(Arrays.stream(replicas(cluster)).sorted().toArray(), node) >= 0) {
      node++;
    }
    return node;
  }

  private static long cached(Cluster cluster, int node) {
    return cluster.node(node).statistic(Counter.CACHED_READS);
  }

  private static void heat(Cluster cluster, int node) {
    for (int i = 0; i < 5; i++) {
      read(cluster, node, ONE);
    }
  }

  @Test
  void aHotKeyAtOneIsShownFromTheCacheForATenthOfASecond() {
    Cluster cluster = new Cluster(4, EASILY_HOT);
    int outsider = outsider(cluster);
    write(cluster, replicas(cluster)[0], "old", 0);
    heat(cluster, outsider);
    assertTrue(cached(cluster, outsider) >= 2);
    cluster.runFor(SECOND / 5);
    assertEquals("old", read(cluster, outsider, ONE));
    long asked = cluster.world.nanos();
    write(cluster, replicas(cluster)[0], "new", 0);
    boolean seen = false;
    while (cluster.world.nanos() - asked < SECOND / 10) {
      String value = read(cluster, outsider, ONE);
      assertTrue(!seen || value.equals("new"), "back in time");
      seen = value.equals("new");
    }
    assertEquals("new", read(cluster, outsider, ONE));
    // Who is a replica shows its own.
    int replica = replicas(cluster)[1];
    heat(cluster, replica);
    assertTrue(cached(cluster, replica) >= 2);
    write(cluster, replicas(cluster)[0], "newer", 0);
    assertEquals("newer", read(cluster, replica, ONE));
  }

  @Test
  void whoWritesAndReadsAtOneNodeSeesTheWrite() {
    Cluster cluster = new Cluster(4, EASILY_HOT);
    for (int node : new int[] {outsider(cluster), replicas(cluster)[0], replicas(cluster)[2]}) {
      write(cluster, node, "first", 0);
      heat(cluster, node);
      long before = cached(cluster, node);
      for (int i = 0; i < 50; i++) {
        String value = node + "-" + i;
        write(cluster, node, value, 0);
        for (int j = 0; j < 4; j++) {
          assertEquals(value, read(cluster, node, ONE));
        }
      }
      assertTrue(cached(cluster, node) > before + 50);
    }
  }

  @Test
  void aReadThatAskedBeforeTheWriteDoesNotFillTheCacheAfterIt() {
    Cluster cluster = new Cluster(4, EASILY_HOT);
    int outsider = outsider(cluster);
    write(cluster, outsider, "0", 0);
    heat(cluster, outsider);
    for (int i = 1; i <= 50; i++) {
      cluster.runFor(SECOND / 8);
      Keyspace data = cluster.node(outsider).keyspace(0, "data");
      // Under way while the write is.
      cluster.world.schedule(
          0, outsider, () -> data.read(KEY.getBytes(US_ASCII), ONE, outcome -> {}));
      write(cluster, outsider, "" + i, 0);
      assertEquals("" + i, read(cluster, outsider, ONE));
      cluster.runFor(10 * MILLI);
      assertEquals("" + i, read(cluster, outsider, ONE));
    }
  }

  @Test
  void readsThatPromiseMoreAreNotShownIt() {
    Cluster cluster = new Cluster(4, EASILY_HOT);
    int outsider = outsider(cluster);
    write(cluster, outsider, "v", 0);
    Level writesAll = new Level(1, 3, 0);
    Level primaries = new Level(0, 1, 0, 2, 0, 0, /* sloppy= */ false, 0);
    for (Level level : List.of(Level.DEFAULT, new Level(3, 0, 0), writesAll, primaries)) {
      for (int i = 0; i < 20; i++) {
        assertEquals("v", read(cluster, outsider, level));
      }
      assertEquals(0, cached(cluster, outsider), level.toString());
    }
    heat(cluster, outsider);
    long cached = cached(cluster, outsider);
    assertTrue(cached > 0);
    write(cluster, replicas(cluster)[0], "w", 0);
    assertEquals("w", read(cluster, outsider, Level.DEFAULT));
    UpdateOutcome appended =
        OverloadTest.<UpdateOutcome>ask(
            cluster,
            outsider,
            (data, done) ->
                data.update(
                    KEY.getBytes(US_ASCII),
                    new Update.Append(new byte[] {'x'}),
                    Level.DEFAULT,
                    done));
    assertInstanceOf(UpdateOutcome.Done.class, appended);
    assertEquals("wx", read(cluster, outsider, Level.DEFAULT));
    assertEquals(cached, cached(cluster, outsider));
  }

  @Test
  void aValueWhoseTimeHasPassedIsNotShownFromTheCache() {
    Cluster cluster = new Cluster(4, EASILY_HOT);
    int outsider = outsider(cluster);
    cluster.runFor(SECOND);
    long until = SimulatedClock.EPOCH_MILLIS + cluster.world.millis() + 150;
    write(cluster, outsider, "v", until);
    heat(cluster, outsider);
    cluster.world.runUntil((until - SimulatedClock.EPOCH_MILLIS - 40) * MILLI);
    assertEquals("v", read(cluster, outsider, ONE));
    cluster.world.runUntil((until - SimulatedClock.EPOCH_MILLIS + 1) * MILLI);
    long before = cached(cluster, outsider);
    assertEquals("nothing", read(cluster, outsider, ONE));
    assertEquals(before + 1, cached(cluster, outsider));
  }

  @Test
  void readsOfAHotKeyThatIsTooLargeToKeepGoToAllReplicas() {
    Cluster cluster = new Cluster(3, EASILY_HOT);
    write(cluster, 1, "v".repeat(100_000), 0);
    heat(cluster, 1);
    // Lately written: at this replica only.
    assertEquals(0, cluster.node(1).statistic(Counter.SPREAD_READS));
    cluster.runFor(2 * SECOND);
    heat(cluster, 1);
    cluster.runFor(2 * SECOND);
    long spread = cluster.node(1).statistic(Counter.SPREAD_READS);
    long second = cluster.node(2).statistic(Counter.MESSAGES_RECEIVED);
    long third = cluster.node(3).statistic(Counter.MESSAGES_RECEIVED);
    for (int i = 0; i < 32; i++) {
      assertEquals(100_000, read(cluster, 1, ONE).length());
    }
    long spreadNow = cluster.node(1).statistic(Counter.SPREAD_READS) - spread;
    assertTrue(spreadNow >= 30, spreadNow + " spread");
    long secondNow = cluster.node(2).statistic(Counter.MESSAGES_RECEIVED) - second;
    // A third each, but for one that was a little slower when it was last asked: started at eight
    // moments, the one that got least got 4 to 9 of them.
    assertTrue(secondNow >= 3, secondNow + " at the second");
    long thirdNow = cluster.node(3).statistic(Counter.MESSAGES_RECEIVED) - third;
    assertTrue(thirdNow >= 3, thirdNow + " at the third");
    assertEquals(0, cached(cluster, 1));
  }

  @Test
  void aSlowReplicaDoesNotSlowTheQuorum() {
    for (int place = 0; place < 3; place++) {
      slowReplica(place);
    }
  }

  private static void slowReplica(int place) {
    Cluster cluster = new Cluster(4);
    int slow = replicas(cluster)[place];
    for (int other = 1; other <= 4; other++) {
      if (other != slow) {
        cluster.network.slow(slow, other, SECOND / 4);
        cluster.network.slow(other, slow, SECOND / 4);
      }
    }
    for (int node = 1; node <= 4; node++) {
      if (node == slow) {
        continue;
      }
      long began = cluster.world.nanos();
      for (int i = 0; i < 20; i++) {
        UpdateOutcome outcome =
            OverloadTest.<UpdateOutcome>ask(
                cluster,
                node,
                (data, done) ->
                    data.update(
                        KEY.getBytes(US_ASCII), put(new byte[] {'v'}, 0), Level.DEFAULT, done));
        assertInstanceOf(UpdateOutcome.Done.class, outcome);
      }
      for (int i = 0; i < 20; i++) {
        assertEquals("v", read(cluster, node, Level.DEFAULT));
      }
      // A write that the slow one coordinates takes a second: the first of a node that is no
      // replica
      // and does not know it yet.
      long all = cluster.world.nanos() - began;
      long most = place == 0 && node == outsider(cluster) ? 5 * SECOND / 4 : SECOND / 5;
      assertTrue(all < most, "node %d: %d ms".formatted(node, all / MILLI));
    }
  }

  private static List<UpdateOutcome> writeMany(
      Cluster cluster, int node, int count, int valueBytes, Level level) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    Keyspace data = cluster.node(node).keyspace(0, "data");
    for (int i = 0; i < count; i++) {
      // One slot, so one shard.
      byte[] key = ("{" + KEY + "}" + i).getBytes(US_ASCII);
      Update put = put(new byte[valueBytes], 0);
      cluster.world.schedule(0, node, () -> data.update(key, put, level, outcomes::add));
    }
    cluster.within(10 * SECOND, () -> outcomes.size() == count);
    return outcomes;
  }

  private static List<Unanswered.Refused> overloaded(List<?> outcomes) {
    List<Unanswered.Refused> refused = new ArrayList<>();
    for (Object outcome : outcomes) {
      if (outcome instanceof Unanswered.Refused why && why.reason() == Reason.OVERLOADED) {
        assertTrue(why.retryAfterMillis() >= 1 && why.retryAfterMillis() <= 5_000, why.toString());
        refused.add(why);
      }
    }
    return refused;
  }

  @Test
  void valuesThatDoNotFitTogetherAreRefusedAndFitLater() {
    // Below what counts as large.
    int bytes = 10_000;
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withCostBytes(100 << 10));
    cluster.runFor(SECOND);
    List<UpdateOutcome> outcomes = writeMany(cluster, 1, 30, bytes, Level.DEFAULT);
    List<Unanswered.Refused> refused = overloaded(outcomes);
    long done = outcomes.stream().filter(each -> each instanceof UpdateOutcome.Done).count();
    assertEquals(
        30,
        done + refused.size(),
        () -> outcomes.stream().filter(each -> each instanceof Unanswered).toList().toString());
    assertTrue(done >= 9, done + " done");
    assertTrue(refused.size() >= 10, refused.size() + " refused");
    assertEquals(refused.size(), cluster.node(1).statistic(Counter.COST_REFUSED));
    cluster.runFor(SECOND / 5 + refused.getLast().retryAfterMillis() * MILLI);
    assertEquals(List.of(), overloaded(writeMany(cluster, 1, 9, bytes, Level.DEFAULT)));
    for (int node = 1; node <= 3; node++) {
      assertEquals(0, cluster.node(node).statistic(Counter.REPLICA_COST_REFUSED));
    }
  }

  @Test
  void overloadedReplicasSaySoAndAreSparedAWhile() {
    Cluster cluster = new Cluster(3);
    cluster.limits = Limits.DEFAULT.withCostBytes(1 << 10);
    for (int node = 2; node <= 3; node++) {
      cluster.end(node);
      cluster.start(node);
    }
    cluster.within(20 * SECOND, cluster::allSeen);
    cluster.runFor(SECOND);
    List<UpdateOutcome> first = writeMany(cluster, 1, 4, 10_000, Level.DEFAULT);
    assertEquals(0, overloaded(first).size(), "they are written here: not refused but unknown");
    assertTrue(cluster.node(2).statistic(Counter.REPLICA_COST_REFUSED) > 0);
    assertTrue(cluster.node(3).statistic(Counter.REPLICA_COST_REFUSED) > 0);
    List<UpdateOutcome> next = writeMany(cluster, 1, 1, 10_000, Level.DEFAULT);
    assertEquals(1, overloaded(next).size(), next.toString());
    assertEquals(1, cluster.node(1).statistic(Counter.REPLICAS_OVERLOADED));
    cluster.runFor(SECOND + SECOND / 10);
    List<UpdateOutcome> later = writeMany(cluster, 1, 1, 10_000, Level.DEFAULT);
    assertInstanceOf(UpdateOutcome.Done.class, later.getFirst(), later::toString);
  }

  /// Puts of 40 KB at all three nodes, ten times as much as their disks take, and a small one at
  /// each now and then.
  @Test
  void moreLargeValuesThanSlowDisksTakeAreRefusedEarlyAndSmallOnesGoOn() {
    // Half of the memtables' room, as in production.
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withCostBytes(512 << 10));
    cluster.runFor(SECOND);
    for (int node = 1; node <= 3; node++) {
      cluster.disk(node).slownessNanos = SECOND / 4;
    }
    List<UpdateOutcome> large = new ArrayList<>();
    List<UpdateOutcome> small = new ArrayList<>();
    List<Long> smallMillis = new ArrayList<>();
    int largeCount = 0;
    int smallCount = 0;
    for (int i = 0; i < 500; i++) {
      int node = 1 + i % 3;
      Keyspace data = cluster.node(node).keyspace(0, "data");
      for (int j = 0; j < 2; j++) {
        byte[] key = ("{" + KEY + "}" + i + "-" + j).getBytes(US_ASCII);
        Update put = put(new byte[40_000], 0);
        cluster.world.schedule(0, node, () -> data.update(key, put, Level.DEFAULT, large::add));
        largeCount++;
      }
      if (i % 10 == 0) {
        byte[] key = ("{" + KEY + "}small" + i).getBytes(US_ASCII);
        Update put = put(new byte[100], 0);
        long began = cluster.world.nanos();
        cluster.world.schedule(
            0,
            node,
            () ->
                data.update(
                    key,
                    put,
                    Level.DEFAULT,
                    outcome -> {
                      small.add(outcome);
                      smallMillis.add((cluster.world.nanos() - began) / MILLI);
                    }));
        smallCount++;
      }
      cluster.runFor(20 * MILLI);
    }
    int asked = largeCount;
    cluster.within(10 * SECOND, () -> large.size() == asked);
    long done = large.stream().filter(each -> each instanceof UpdateOutcome.Done).count();
    assertEquals(asked, done + overloaded(large).size(), "unknown, or refused for another reason");
    // Started at eight moments, 71 to 175 were done.
    assertTrue(done >= 50, done + " of " + asked + " done");
    int expected = smallCount;
    cluster.within(10 * SECOND, () -> small.size() == expected);
    assertEquals(
        List.of(), small.stream().filter(each -> each instanceof Unanswered).toList(), "small");
    assertTrue(smallMillis.stream().allMatch(millis -> millis < 2_000), smallMillis::toString);
  }
}
