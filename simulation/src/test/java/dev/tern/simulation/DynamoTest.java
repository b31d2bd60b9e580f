package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.FetchOutcome;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.keyspace.Versions;
import dev.tern.core.node.Node;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.Topology;
import dev.tern.world.SimulatedClock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/// Scenarios that the rules of versions and requests guard against, one by one.
class DynamoTest {
  private static final long SECOND = Cluster.SECOND;
  private static final byte[] NO_CONTEXT = {};
  private static final Level ONE = new Level(1, 1, 0);
  private static final Level ALL = new Level(0, 3, 0);

  private static Level sloppy(int w) {
    return new Level(0, 1, w, 0, 0, 0, /* sloppy= */ true, 0);
  }

  private static UpdateOutcome store(
      Cluster cluster, int node, String key, String value, byte[] context, Level level) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    byte[] bytes = value == null ? null : value.getBytes(US_ASCII);
    Update.Store store = new Update.Store(bytes, 0, context, false, Update.Match.NONE, true);
    cluster.world.schedule(
        0,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, "siblings")
                .update(key.getBytes(US_ASCII), store, level, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private static Versions stored(UpdateOutcome outcome) {
    assertInstanceOf(UpdateOutcome.Stored.class, outcome, () -> "not stored: " + outcome);
    return Objects.requireNonNull(((UpdateOutcome.Stored) outcome).versions());
  }

  private static FetchOutcome fetchOutcome(Cluster cluster, int node, String key, Level level) {
    List<FetchOutcome> outcomes = new ArrayList<>();
    cluster.world.schedule(
        0,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, "siblings")
                .fetch(key.getBytes(US_ASCII), level, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private static Versions fetch(Cluster cluster, int node, String key, Level level) {
    FetchOutcome outcome = fetchOutcome(cluster, node, key, level);
    assertInstanceOf(FetchOutcome.Held.class, outcome, () -> "not fetched: " + outcome);
    return ((FetchOutcome.Held) outcome).versions();
  }

  private static List<String> values(Versions versions) {
    return SiblingClient.values(versions);
  }

  private static int[] replicas(Cluster cluster, String key) {
    Node node = cluster.node(1);
    int keyspace = Objects.requireNonNull(node.view().keyspace("siblings")).id();
    Topology topology = Objects.requireNonNull(node.view().topology(keyspace));
    return topology.replicas(topology.partitionOf(Slots.of(key.getBytes(US_ASCII))));
  }

  /// A node that holds no replica of a key.
  private static int outsider(Cluster cluster, int size, String key) {
    for (int node = 1; node <= size; node++) {
      int number = node;
      if (java.util.Arrays.stream(replicas(cluster, key)).noneMatch(each -> each == number)) {
        return node;
      }
    }
    throw new IllegalStateException("all nodes hold " + key);
  }

  /// Ends nodes, and waits until others believe it.
  private static void end(Cluster cluster, List<Integer> observers, int... gone) {
    for (int node : gone) {
      cluster.end(node);
    }
    cluster.within(
        10 * SECOND,
        () ->
            observers.stream()
                .noneMatch(
                    seen -> java.util.Arrays.stream(gone).anyMatch(cluster.node(seen)::live)));
  }

  private static void converged(Cluster cluster, int size) {
    long until = cluster.world.nanos() + 15 * SECOND;
    for (int node = 1; node <= size; node++) {
      while (!cluster.node(node).converged()) {
        assertTrue(cluster.world.nanos() < until, cluster.node(node).unconverged());
        cluster.runFor(SECOND / 10);
      }
    }
  }

  @Test
  void aWriteReplacesWhatItsContextHasSeenAndNothingElse() {
    Cluster cluster = new Cluster(3);
    Versions first = stored(store(cluster, 1, "k", "a", NO_CONTEXT, Level.DEFAULT));
    stored(store(cluster, 2, "k", "b", NO_CONTEXT, Level.DEFAULT));
    assertEquals(List.of("a", "b"), values(fetch(cluster, 3, "k", Level.DEFAULT)));
    stored(store(cluster, 3, "k", "c", first.context(), Level.DEFAULT));
    Versions both = fetch(cluster, 1, "k", Level.DEFAULT);
    assertEquals(List.of("b", "c"), values(both));
    stored(store(cluster, 2, "k", "d", both.context(), Level.DEFAULT));
    assertEquals(List.of("d"), values(fetch(cluster, 1, "k", Level.DEFAULT)));
  }

  @Test
  void otherNodesHoldASloppyWriteForReplicasThatAreAway() {
    Cluster cluster = new Cluster(5);
    int[] replicas = replicas(cluster, "k");
    int outsider = outsider(cluster, 5, "k");
    end(cluster, List.of(outsider, replicas[0]), replicas[1], replicas[2]);
    UpdateOutcome strict = store(cluster, outsider, "k", "x", NO_CONTEXT, Level.DEFAULT);
    assertInstanceOf(Unanswered.Refused.class, strict);
    Unanswered.Shortfall shortfall = ((Unanswered.Refused) strict).shortfall();
    assertEquals(2, shortfall.needed());
    assertEquals(1, shortfall.answered());
    assertEquals(2, shortfall.missing().size());
    stored(store(cluster, outsider, "k", "held", NO_CONTEXT, sloppy(3)));
    cluster.start(replicas[1]);
    cluster.start(replicas[2]);
    cluster.within(15 * SECOND, cluster::allSeen);
    converged(cluster, 5);
    for (int replica : replicas) {
      assertTrue(fetch(cluster, replica, "k", ONE).hasValue(), "replica " + replica);
    }
    long replayed = 0;
    for (int node = 1; node <= 5; node++) {
      replayed += cluster.node(node).statistic(Counter.HINTS_REPLAYED);
    }
    assertEquals(2, replayed);
  }

  @Test
  void aSloppyWriteFindsSomebodyEvenIfNoReplicaIsThere() {
    Cluster cluster = new Cluster(5);
    int[] replicas = replicas(cluster, "k");
    int outsider = outsider(cluster, 5, "k");
    for (int replica : replicas) {
      cluster.end(replica);
    }
    cluster.within(
        15 * SECOND,
        () -> java.util.Arrays.stream(replicas).noneMatch(cluster.node(outsider)::live));
    stored(store(cluster, outsider, "k", "kept", NO_CONTEXT, sloppy(2)));
    for (int replica : replicas) {
      cluster.start(replica);
    }
    cluster.within(15 * SECOND, cluster::allSeen);
    converged(cluster, 5);
    assertEquals(List.of("kept"), values(fetch(cluster, replicas[2], "k", Level.DEFAULT)));
  }

  @Test
  void aReplicaThatWasAwayLearnsWhatItMissed() {
    Cluster cluster = new Cluster(3);
    cluster.end(3);
    for (int i = 0; i < 50; i++) {
      stored(store(cluster, 1, "k" + i, "v" + i, NO_CONTEXT, Level.DEFAULT));
    }
    cluster.start(3);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    assertTrue(cluster.node(3).statistic(Counter.REPAIRED_RECORDS) >= 50);
    for (int i = 0; i < 50; i++) {
      assertEquals(List.of("v" + i), values(fetch(cluster, 3, "k" + i, ONE)));
    }
  }

  @Test
  void aDeleteStaysUntilAllHaveItAndThenLeavesNothing() throws Exception {
    Cluster cluster = new Cluster(3);
    Versions seen = stored(store(cluster, 1, "k", "v", NO_CONTEXT, new Level(0, 3, 0)));
    converged(cluster, 3);
    cluster.end(3);
    stored(store(cluster, 1, "k", null, seen.context(), Level.DEFAULT));
    // However long one that has not seen it is away.
    cluster.runFor(300 * SECOND);
    assertTrue(cluster.node(1).mayHaveGraves());
    cluster.start(3);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    assertTrue(values(fetch(cluster, 3, "k", ONE)).isEmpty(), "it came back");
    cluster.within(
        60 * SECOND,
        () -> {
          for (int node = 1; node <= 3; node++) {
            if (cluster.node(node).mayHaveGraves()) {
              return false;
            }
          }
          return true;
        });
    int keyspace = Objects.requireNonNull(cluster.node(1).view().keyspace("siblings")).id();
    for (int partition = 0; partition < 16; partition++) {
      assertEquals("", cluster.node(1).contents(keyspace, partition, /* deletes= */ true));
    }
  }

  @Test
  void aStoreThatWasRestoredTakesANewIdAndLearnsTheRest() {
    Cluster cluster = new Cluster(3);
    stored(store(cluster, 1, "old", "1", NO_CONTEXT, new Level(0, 3, 0)));
    cluster.runFor(2 * SECOND);
    Map<String, byte[]> backup = cluster.disk(1).backup();
    for (int i = 0; i < 20; i++) {
      stored(store(cluster, 1, "new" + i, "2", NO_CONTEXT, new Level(0, 3, 0)));
    }
    converged(cluster, 3);
    cluster.end(1);
    cluster.disk(1).restore(backup);
    cluster.start(1);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    for (int i = 0; i < 20; i++) {
      assertEquals(List.of("2"), values(fetch(cluster, 1, "new" + i, ONE)));
    }
    // What it writes now is not taken for what it wrote in the life that is lost.
    for (int i = 0; i < 20; i++) {
      Versions there = fetch(cluster, 1, "new" + i, Level.DEFAULT);
      stored(store(cluster, 1, "new" + i, "3", there.context(), new Level(0, 3, 0)));
      assertEquals(List.of("3"), values(fetch(cluster, 2, "new" + i, ONE)));
    }
  }

  @Test
  void whoWasAwayForTooLongHandsOverWhatNobodyElseHas() {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withLoggedDots(16));
    for (int other = 1; other <= 2; other++) {
      cluster.network.cut(3, other, true);
      cluster.network.cut(other, 3, true);
    }
    cluster.within(10 * SECOND, () -> !cluster.node(1).live(3) && !cluster.node(2).live(3));
    stored(store(cluster, 3, "mine", "alone", NO_CONTEXT, ONE));
    cluster.end(3);
    for (int i = 0; i < 400; i++) {
      stored(store(cluster, 1, "k" + i, "v", NO_CONTEXT, Level.DEFAULT));
    }
    cluster.within(60 * SECOND, () -> cluster.node(1).statistic(Counter.LOGS_CUT) > 10);

    cluster.network.heal();
    cluster.start(3);
    long until = cluster.world.nanos() + 10 * SECOND;
    while (cluster.node(3).repairs().rebuilding() == 0) {
      assertTrue(cluster.world.nanos() < until, "nothing is rebuilt");
      cluster.runFor(Cluster.MILLI / 10);
    }
    assertTrue(cluster.node(3).repairs().lacking() > 0);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    cluster.within(SECOND, () -> cluster.node(3).repairs().lacking() == 0);
    assertEquals(0, cluster.node(3).repairs().rebuilding());
    for (int node = 1; node <= 3; node++) {
      assertEquals(List.of("alone"), values(fetch(cluster, node, "mine", ONE)));
      assertEquals(List.of("v"), values(fetch(cluster, node, "k7", ONE)));
    }
  }

  @Test
  void aLostDiskIsFilledFromTheOthers() {
    Cluster cluster = new Cluster(3);
    for (int i = 0; i < 100; i++) {
      stored(store(cluster, 1, "k" + i, "v" + i, NO_CONTEXT, new Level(0, 3, 0)));
    }
    // Long enough for the log of dots to be trimmed.
    cluster.runFor(100 * SECOND);
    cluster.end(2);
    cluster.disk(2).wipe();
    cluster.start(2);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    assertTrue(cluster.node(2).statistic(Counter.REBUILDS) > 0, "the log was not trimmed");
    for (int i = 0; i < 100; i++) {
      assertEquals(List.of("v" + i), values(fetch(cluster, 2, "k" + i, ONE)));
    }
  }

  @Test
  void conditionsHoldForOneOfConcurrentWriters() {
    Cluster cluster = new Cluster(3);
    List<UpdateOutcome> outcomes = new ArrayList<>();
    for (int node = 1; node <= 3; node++) {
      int number = node;
      byte[] value = ("w" + node).getBytes(US_ASCII);
      Update.Store store =
          new Update.Store(value, 0, NO_CONTEXT, false, Update.Match.ABSENT, false);
      cluster.world.schedule(
          0,
          number,
          () ->
              cluster
                  .node(number)
                  .keyspace(0, "siblings")
                  .update("k".getBytes(US_ASCII), store, Level.DEFAULT, outcomes::add));
    }
    cluster.within(5 * SECOND, () -> outcomes.size() == 3);
    long applied =
        outcomes.stream()
            .filter(outcome -> outcome instanceof UpdateOutcome.Stored done && done.applied())
            .count();
    assertEquals(1, applied, outcomes.toString());
    assertEquals(1, fetch(cluster, 2, "k", Level.DEFAULT).siblings().size());
  }

  @Test
  void aKeyspaceWithSiblingsTakesNoOtherUpdates() {
    Cluster cluster = new Cluster(3);
    List<UpdateOutcome> outcomes = new ArrayList<>();
    cluster.world.schedule(
        0,
        1,
        () ->
            cluster
                .node(1)
                .keyspace(0, "siblings")
                .update("k".getBytes(US_ASCII), new Update.Add(1), Level.DEFAULT, outcomes::add));
    cluster.within(SECOND, () -> !outcomes.isEmpty());
    assertInstanceOf(Unanswered.Refused.class, outcomes.getFirst());
    List<ReadOutcome> reads = new ArrayList<>();
    cluster.world.schedule(
        0,
        1,
        () ->
            cluster
                .node(1)
                .keyspace(0, "siblings")
                .read("k".getBytes(US_ASCII), Level.DEFAULT, reads::add));
    cluster.within(SECOND, () -> !reads.isEmpty());
    assertEquals(ReadOutcome.Missing.INSTANCE, reads.getFirst());
  }

  private static void storeUntil(Cluster cluster, String key, String value, long expiryMillis) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    Update.Store store =
        new Update.Store(
            value.getBytes(US_ASCII), expiryMillis, NO_CONTEXT, true, Update.Match.NONE, true);
    cluster.world.schedule(
        0,
        1,
        () ->
            cluster
                .node(1)
                .keyspace(0, "siblings")
                .update(key.getBytes(US_ASCII), store, new Level(0, 3, 0), outcomes::add));
    cluster.within(5 * SECOND, () -> !outcomes.isEmpty());
    stored(outcomes.getFirst());
  }

  @Test
  void whatHasExpiredBecomesADeleteAndLeavesNothing() throws Exception {
    Cluster cluster = new Cluster(3);
    int keyspace = Objects.requireNonNull(cluster.node(1).view().keyspace("siblings")).id();
    long now = SimulatedClock.EPOCH_MILLIS + cluster.world.millis();
    for (int i = 0; i < 20; i++) {
      storeUntil(cluster, "gone" + i, "v", now + 4_000);
      storeUntil(cluster, "kept" + i, "v", now + 4_000);
      // Replaced by one that stays.
      storeUntil(cluster, "kept" + i, "w", Update.NO_EXPIRY);
    }
    cluster.end(3);
    cluster.runFor(5 * SECOND);
    assertTrue(values(fetch(cluster, 2, "gone1", Level.DEFAULT)).isEmpty());
    // One that was away while they expired does not bring them back.
    cluster.runFor(30 * SECOND);
    cluster.start(3);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    cluster.runFor(60 * SECOND);
    long records = 0;
    for (int node = 1; node <= 3; node++) {
      assertEquals(20, cluster.node(node).records(keyspace), "node " + node);
      for (int partition = 0; partition < 16; partition++) {
        records += cluster.node(node).contents(keyspace, partition, true).lines().count();
      }
    }
    assertEquals(60, records);
    for (int i = 0; i < 20; i++) {
      assertEquals(List.of("w"), values(fetch(cluster, 3, "kept" + i, ONE)));
    }
  }

  /// A hundred clients, each writing with what it last read, some of it old: what is kept of a key
  /// besides its values does not grow with them, and comes down to one dot.
  @Test
  void aKeyCostsOneDotHoweverManyWroteIt() throws Exception {
    for (int updates : new int[] {1, 10, 1000}) {
      Cluster cluster = new Cluster(3);
      int keyspace = Objects.requireNonNull(cluster.node(1).view().keyspace("siblings")).id();
      List<byte[]> contexts = new ArrayList<>();
      for (int client = 0; client < 100; client++) {
        contexts.add(NO_CONTEXT);
      }
      int most = 0;
      for (int i = 0; i < updates; i++) {
        int client = cluster.world.random.nextInt(100);
        int node = 1 + cluster.world.random.nextInt(3);
        if (cluster.world.chance(0.7)) {
          contexts.set(client, fetch(cluster, node, "k", Level.DEFAULT).context());
        }
        Versions after =
            stored(store(cluster, node, "k", "v" + i, contexts.get(client), Level.DEFAULT));
        contexts.set(client, after.context());
        most = Math.max(most, after.context().length);
      }
      byte[] all = fetch(cluster, 2, "k", Level.DEFAULT).context();
      stored(store(cluster, 2, "k", "last", all, Level.DEFAULT));
      converged(cluster, 3);
      cluster.runFor(5 * SECOND);
      long bytes = 0;
      for (int partition = 0; partition < 16; partition++) {
        bytes += cluster.node(1).metadataBytes(keyspace, partition);
      }
      assertTrue(bytes <= 24, "%d bytes after %d updates".formatted(bytes, updates));
      assertTrue(most <= 60, "contexts of up to %d bytes".formatted(most));
    }
  }

  private static void put(Cluster cluster, int node, String key, Update update) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    cluster.world.schedule(
        0,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, "data")
                .update(key.getBytes(US_ASCII), update, new Level(0, 3, 0), outcomes::add));
    cluster.within(5 * SECOND, () -> !outcomes.isEmpty());
    assertInstanceOf(UpdateOutcome.Done.class, outcomes.getFirst());
  }

  @Test
  void aBackupDoesNotBringBackWhatWasDeleted() {
    Cluster cluster = new Cluster(3);
    Update value = new Update.Put(new byte[] {1}, 0, Update.Condition.NONE, false);
    put(cluster, 1, "deleted", value);
    put(cluster, 1, "kept", value);
    cluster.runFor(3 * SECOND);
    Map<String, byte[]> backup = cluster.disk(1).backup();
    put(cluster, 2, "deleted", new Update.Delete(false));
    // Until the delete is forgotten everywhere, and the log of dots trimmed.
    cluster.runFor(120 * SECOND);
    cluster.end(1);
    cluster.disk(1).restore(backup);
    cluster.start(1);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    assertTrue(cluster.node(1).statistic(Counter.REBUILDS) > 0, "the log was not trimmed");
    for (Level level : List.of(ONE, Level.DEFAULT)) {
      for (String key : List.of("deleted", "kept")) {
        List<ReadOutcome> outcomes = new ArrayList<>();
        cluster.world.schedule(
            0,
            1,
            () ->
                cluster
                    .node(1)
                    .keyspace(0, "data")
                    .read(key.getBytes(US_ASCII), level, outcomes::add));
        cluster.within(5 * SECOND, () -> !outcomes.isEmpty());
        boolean found = outcomes.getFirst() instanceof ReadOutcome.Found;
        assertEquals(key.equals("kept"), found, key + " at " + level);
      }
    }
  }

  @Test
  void aReplicaThatIsAwayForTooLongTakesThePartitionWhole() {
    Cluster cluster = new Cluster(3);
    put(cluster, 1, "{p}deleted", new Update.Put(new byte[1], 0, Update.Condition.NONE, false));
    cluster.end(3);
    cluster.within(5 * SECOND, () -> !cluster.node(1).live(3));
    List<UpdateOutcome> outcomes = new ArrayList<>();
    int writes = 40_000;
    for (int i = 0; i < writes; i++) {
      byte[] key = ("{p}" + i % 500).getBytes(US_ASCII);
      Update.Put put = new Update.Put(new byte[1], 0, Update.Condition.NONE, false);
      cluster.world.schedule(
          i * 200_000L,
          1,
          () -> cluster.node(1).keyspace(0, "data").update(key, put, ONE, outcomes::add));
    }
    cluster.within(30 * SECOND, () -> outcomes.size() == writes);
    cluster.within(10 * SECOND, () -> cluster.node(1).statistic(Counter.LOGS_CUT) > 0);
    Level two = new Level(0, 2, 0);
    cluster.world.schedule(
        0,
        1,
        () ->
            cluster
                .node(1)
                .keyspace(0, "data")
                .update(
                    "{p}deleted".getBytes(US_ASCII), new Update.Delete(false), two, outcomes::add));
    cluster.within(5 * SECOND, () -> outcomes.size() == writes + 1);
    cluster.start(3);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 3);
    assertTrue(cluster.node(3).statistic(Counter.REBUILDS) > 0);
    cluster.runFor(30 * SECOND);
    int data = Objects.requireNonNull(cluster.node(1).view().keyspace("data")).id();
    assertEquals(500, cluster.node(3).records(data));
  }

  @Test
  void aSloppyReadSeesWhatIsHeldForReplicasThatAreAway() {
    Cluster cluster = new Cluster(5);
    int[] replicas = replicas(cluster, "k");
    int outsider = outsider(cluster, 5, "k");
    Level two = new Level(0, 2, 2, 0, 0, 0, /* sloppy= */ true, 0);
    Versions before = stored(store(cluster, outsider, "k", "old", NO_CONTEXT, ALL));
    cluster.end(replicas[1]);
    cluster.end(replicas[2]);
    cluster.within(
        10 * SECOND,
        () ->
            cluster.node(outsider).live(replicas[0])
                && !cluster.node(outsider).live(replicas[1])
                && !cluster.node(outsider).live(replicas[2]));
    // The only replica has it, and what stands in holds nothing.
    assertEquals(List.of("old"), values(fetch(cluster, outsider, "k", two)));
    refused(fetchOutcome(cluster, outsider, "k", new Level(2, 2, 0)));
    refused(fetchOutcome(cluster, outsider, "k", new Level(0, 2, 2, 2, 0, 0, true, 0)));

    cluster.end(replicas[0]);
    cluster.within(10 * SECOND, () -> !cluster.node(outsider).live(replicas[0]));
    // Nobody who is there can know whether there is such a key.
    refused(fetchOutcome(cluster, outsider, "k", two));
    Versions held = stored(store(cluster, outsider, "k", "new", before.context(), two));
    assertEquals(List.of("new"), values(held));
    Versions seen = fetch(cluster, outsider, "k", two);
    assertEquals(List.of("new"), values(seen));
    stored(store(cluster, outsider, "k", "newer", seen.context(), two));
    assertEquals(List.of("newer"), values(fetch(cluster, outsider, "k", two)));

    for (int replica : replicas) {
      cluster.start(replica);
    }
    cluster.within(15 * SECOND, cluster::allSeen);
    converged(cluster, 5);
    assertEquals(List.of("newer"), values(fetch(cluster, outsider, "k", ONE)));
    refused(fetchOutcome(cluster, outsider, "k", new Level(0, 4, 0, 0, 0, 0, true, 0)));
  }

  @Test
  void whatAHolderHasNoRoomForIsLeftToAntiEntropy() {
    Cluster cluster = new Cluster(4);
    int[] replicas = replicas(cluster, "k");
    int outsider = outsider(cluster, 4, "k");
    end(cluster, List.of(replicas[0]), replicas[2]);
    String value = "x".repeat(1 << 20);
    Versions last = new Versions(List.of(), NO_CONTEXT);
    for (int i = 0; i < 80; i++) {
      byte[] context = last.context();
      last = stored(store(cluster, replicas[0], "k", i + value, context, sloppy(2)));
    }
    assertTrue(cluster.node(outsider).statistic(Counter.HINTS_REFUSED) > 0, "there was room");
    assertTrue(cluster.node(outsider).statistic(Counter.HINTS_HELD) > 60);
    cluster.start(replicas[2]);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 4);
    assertEquals(List.of("79" + value), values(fetch(cluster, replicas[2], "k", ONE)));
  }

  @Test
  void aHolderThatLeavesHandsOnWhatItHolds() {
    Cluster cluster = new Cluster(5);
    cluster.within(10 * SECOND, () -> cluster.node(1).view().state().cluster().known());
    int[] replicas = replicas(cluster, "k");
    int outsider = outsider(cluster, 5, "k");
    end(cluster, List.of(replicas[0]), replicas[1], replicas[2]);
    stored(store(cluster, replicas[0], "k", "held", NO_CONTEXT, sloppy(3)));
    assertEquals(1, cluster.node(outsider).heldHints());

    List<Object> decisions = new ArrayList<>();
    cluster.world.schedule(
        0,
        outsider,
        () ->
            cluster
                .node(outsider)
                .propose(new Proposed(0, new Command.RemoveMember(outsider)), decisions::add));
    // Nobody it holds for is back: a replica of the key takes it.
    cluster.within(10 * SECOND, () -> cluster.node(outsider).heldHints() == 0);
    assertEquals(1, decisions.size());
    assertTrue(fetch(cluster, replicas[0], "k", ONE).hasValue());
  }

  @Test
  void localLevelsCountTheReplicasOfTheDatacenterAndAskNoOthers() {
    Cluster cluster = new Cluster(5, 5, node -> node <= 3 ? "eu/" + node : "us/" + node);
    Level quorum = new Level(Level.LOCAL_QUORUM, Level.LOCAL_QUORUM, 0);
    Level one = new Level(Level.LOCAL_ONE, Level.LOCAL_ONE, 0);
    stored(store(cluster, 1, "k", "first", NO_CONTEXT, quorum));
    cluster.runFor(SECOND);
    long before = received(cluster, 4) + received(cluster, 5);
    for (int i = 0; i < 100; i++) {
      assertEquals(List.of("first"), values(fetch(cluster, 1, "k", quorum)));
    }
    long asked = received(cluster, 4) + received(cluster, 5) - before;
    assertTrue(asked < 100, "the other datacenter was sent " + asked + " messages");

    for (int far = 4; far <= 5; far++) {
      for (int near = 1; near <= 3; near++) {
        cluster.network.cut(near, far, true);
        cluster.network.cut(far, near, true);
      }
    }
    cluster.end(3);
    cluster.runFor(5 * SECOND);
    Versions seen = fetch(cluster, 2, "k", quorum);
    stored(store(cluster, 1, "k", "eu", seen.context(), quorum));
    assertEquals(List.of("eu"), values(fetch(cluster, 2, "k", quorum)));
    // A majority of all is not here, on neither side.
    refused(fetchOutcome(cluster, 1, "k", new Level(3, 0, 0)));
    stored(store(cluster, 4, "k", "us", seen.context(), quorum));
    assertEquals(List.of("us"), values(fetch(cluster, 5, "k", one)));
    cluster.end(5);
    cluster.runFor(5 * SECOND);
    refused(fetchOutcome(cluster, 4, "k", quorum));
    stored(store(cluster, 4, "other", "us", NO_CONTEXT, one));
    assertInstanceOf(
        Unanswered.class,
        store(cluster, 4, "other", "us2", NO_CONTEXT, quorum),
        "half is no quorum");

    cluster.network.heal();
    cluster.start(3);
    cluster.start(5);
    cluster.within(10 * SECOND, cluster::allSeen);
    converged(cluster, 5);
    assertEquals(
        List.of("eu", "us"), values(fetch(cluster, 1, "k", one)).stream().sorted().toList());
  }

  private static long received(Cluster cluster, int node) {
    return cluster.node(node).statistic(Counter.MESSAGES_RECEIVED);
  }

  private static void refused(FetchOutcome outcome) {
    assertInstanceOf(Unanswered.Refused.class, outcome, () -> "not refused: " + outcome);
  }
}
