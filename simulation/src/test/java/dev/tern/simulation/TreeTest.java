package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.store.RecordKey;
import dev.tern.core.topology.Slots;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.env.NodeEvent;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What happens to records behind the back of clocks and logs of dots is found by the hash trees.
class TreeTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long ROUND = 10 * SECOND;
  private static final Level ALL = new Level(0, 3, 0);
  private static final Level ONE = new Level(1, 1, 0);

  private static void update(
      Cluster cluster, String keyspace, String key, Update update, Class<?> wanted) {
    update(cluster, keyspace, key, update, ALL, wanted);
  }

  private static void update(
      Cluster cluster, String keyspace, String key, Update update, Level level, Class<?> wanted) {
    List<UpdateOutcome> outcomes = new ArrayList<>();
    byte[] bytes = key.getBytes(US_ASCII);
    cluster.world.schedule(
        0,
        1,
        () -> cluster.node(1).keyspace(0, keyspace).update(bytes, update, level, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    assertInstanceOf(wanted, outcomes.getFirst());
  }

  private static void put(Cluster cluster, String key, byte[] value) {
    Update put = new Update.Put(value, 0, Update.Condition.NONE, false);
    update(cluster, "data", key, put, UpdateOutcome.Done.class);
  }

  private static void put(Cluster cluster, String key, String value) {
    put(cluster, key, value.getBytes(US_ASCII));
  }

  private static void sibling(Cluster cluster, String key, String value) {
    Update.Store store =
        new Update.Store(value.getBytes(US_ASCII), 0, new byte[0], false, Update.Match.NONE, false);
    update(cluster, "siblings", key, store, UpdateOutcome.Stored.class);
  }

  private static int keyspace(Cluster cluster, String name) {
    return Objects.requireNonNull(cluster.node(1).view().keyspace(name)).id();
  }

  private static byte[] recordKey(Cluster cluster, int keyspace, String key) {
    byte[] user = key.getBytes(US_ASCII);
    KeyspaceConfig config = Objects.requireNonNull(cluster.node(2).view().keyspace(keyspace));
    return RecordKey.of(1, Slots.of(user), keyspace, config.hash().of(user), user);
  }

  /// A change below a node that is down.
  private interface Change {
    @Nullable Siblings of(@Nullable Siblings record);
  }

  /// Changes a record at node 1, which is down.
  private static void change(Cluster cluster, int keyspace, String key, Change change)
      throws IOException {
    change(cluster, keyspace, 1, key, change);
  }

  private static void change(Cluster cluster, int keyspace, int node, String key, Change change)
      throws IOException {
    byte[] at = recordKey(cluster, keyspace, key);
    int partition = Slots.of(key.getBytes(US_ASCII)) / (Slots.COUNT / 16);
    try (Lsm lsm = cluster.store(node, partition % 2)) {
      ColumnFamily data = lsm.columnFamily("data", CompactionStyle.LEVELED);
      byte[] before = lsm.get(data, at);
      Siblings after = change.of(Siblings.decode(before));
      WriteBatch batch = new WriteBatch();
      if (after == null) {
        batch.delete(data, at);
      } else {
        batch.put(data, at, after.encoded());
      }
      lsm.write(batch, Durability.SYNC);
    }
  }

  /// Makes what node 1, which is down, holds of a key no record.
  private static void garble(Cluster cluster, int keyspace, String key) throws IOException {
    int partition = Slots.of(key.getBytes(US_ASCII)) / (Slots.COUNT / 16);
    try (Lsm lsm = cluster.store(1, partition % 2)) {
      ColumnFamily data = lsm.columnFamily("data", CompactionStyle.LEVELED);
      byte[] nonsense = {77, 77};
      lsm.write(
          new WriteBatch().put(data, recordKey(cluster, keyspace, key), nonsense), Durability.SYNC);
    }
  }

  /// What node 1 holds of a key at this moment, for its disk to bring back later. The node is down
  /// meanwhile.
  private static Siblings kept(Cluster cluster, int keyspace, String key) throws IOException {
    List<Siblings> record = new ArrayList<>();
    cluster.end(1);
    change(
        cluster,
        keyspace,
        key,
        now -> {
          record.add(Objects.requireNonNull(now));
          return now;
        });
    cluster.start(1);
    converged(cluster);
    return record.getFirst();
  }

  private static Siblings withValue(@Nullable Siblings record, String value) {
    Version version = Objects.requireNonNull(record).newest();
    return Siblings.of(
        new Version(
            version.replica(),
            version.counter(),
            version.stamp(),
            version.expiryMillis(),
            ValueType.BYTES,
            value.getBytes(US_ASCII)));
  }

  private static byte @Nullable [] read(Cluster cluster, int node, String key) {
    List<ReadOutcome> outcomes = new ArrayList<>();
    cluster.world.schedule(
        0,
        node,
        () ->
            cluster
                .node(node)
                .keyspace(0, "data")
                .read(key.getBytes(US_ASCII), ONE, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst() instanceof ReadOutcome.Found found ? found.value() : null;
  }

  private static long total(Cluster cluster, Counter counter) {
    long total = 0;
    for (int node = 1; node <= 3; node++) {
      total += cluster.node(node).statistic(counter);
    }
    return total;
  }

  private static String contents(Cluster cluster, int node) throws IOException {
    StringBuilder all = new StringBuilder();
    for (int partition = 0; partition < 16; partition++) {
      all.append(cluster.node(node).contents(keyspace(cluster, "data"), partition, false));
    }
    return all.toString();
  }

  private static void converged(Cluster cluster) {
    cluster.within(30 * SECOND, cluster::allSeen);
    cluster.within(
        30 * SECOND,
        () ->
            cluster.node(1).converged()
                && cluster.node(2).converged()
                && cluster.node(3).converged());
  }

  @Test
  void whatIsLostBelowTheClocksIsBroughtBack() throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    for (int i = 0; i < 40; i++) {
      put(cluster, "k" + i, "value-" + i);
    }
    sibling(cluster, "s", "one");
    sibling(cluster, "s", "two");
    converged(cluster);
    int data = keyspace(cluster, "data");
    int siblings = keyspace(cluster, "siblings");
    Siblings older = kept(cluster, data, "k1");
    put(cluster, "k1", "newer");
    converged(cluster);
    String before = contents(cluster, 2);
    cluster.end(1);
    change(cluster, data, "k1", record -> older);
    change(cluster, data, "k2", record -> null);
    change(cluster, data, "k3", record -> withValue(record, "altered"));
    change(cluster, siblings, "s", record -> Siblings.of(Objects.requireNonNull(record).newest()));
    cluster.start(1);
    cluster.within(30 * SECOND, cluster::allSeen);
    assertNotEquals(before, contents(cluster, 1));
    cluster.runFor(3 * ROUND);
    for (int node = 1; node <= 3; node++) {
      assertEquals(before, contents(cluster, node), "node " + node);
      assertArrayEquals("newer".getBytes(US_ASCII), read(cluster, node, "k1"));
      assertArrayEquals("value-2".getBytes(US_ASCII), read(cluster, node, "k2"));
      assertArrayEquals("value-3".getBytes(US_ASCII), read(cluster, node, "k3"));
    }
    assertEquals(4, cluster.node(1).statistic(Counter.TREE_RECORDS_HEALED));
    assertEquals(4, total(cluster, Counter.TREE_RECORDS_HEALED));
    for (int partition = 0; partition < 16; partition++) {
      assertNull(cluster.node(1).wrongCount(data, partition));
    }
    assertEquals(40, cluster.node(1).records(data));
    long unlike = total(cluster, Counter.TREE_SEGMENTS_UNLIKE);
    cluster.runFor(2 * ROUND);
    assertEquals(unlike, total(cluster, Counter.TREE_SEGMENTS_UNLIKE), "it is not alike");
  }

  /// A write over a record that a disk has lost, and a deleted record that a disk brings back: at
  /// no replica anything tells what was counted before.
  @Test
  void whatADiskLostOrBroughtBackIsCountedAnew() throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    for (int i = 0; i < 40; i++) {
      put(cluster, "k" + i, "value-" + i);
    }
    converged(cluster);
    int data = keyspace(cluster, "data");
    Siblings older = kept(cluster, data, "k1");
    update(cluster, "data", "k1", new Update.Delete(false), UpdateOutcome.Done.class);
    cluster.within(60 * SECOND, () -> !cluster.node(1).mayHaveGraves());
    converged(cluster);
    cluster.end(1);
    change(cluster, data, "k1", record -> older);
    change(cluster, data, "k2", record -> null);
    cluster.start(1);
    cluster.within(30 * SECOND, cluster::allSeen);
    put(cluster, "k2", "over what is lost");
    int off = 0;
    for (int partition = 0; partition < 16; partition++) {
      off += cluster.node(1).wrongCount(data, partition) == null ? 0 : 1;
    }
    assertEquals(2, off, "counts that are off");
    cluster.runFor(3 * ROUND);
    assertTrue(total(cluster, Counter.TREE_RECORDS_HEALED) > 0, "nothing was brought back");
    for (int node = 1; node <= 3; node++) {
      for (int partition = 0; partition < 16; partition++) {
        assertNull(cluster.node(node).wrongCount(data, partition));
      }
      assertEquals(40, cluster.node(node).records(data), "node " + node);
    }
  }

  /// Nobody is there that the partitions of node 1 could be compared with.
  @Test
  void countsAreCorrectedWithoutAnotherReplica() throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    for (int i = 0; i < 40; i++) {
      put(cluster, "k" + i, "value-" + i);
    }
    converged(cluster);
    int data = keyspace(cluster, "data");
    for (int node = 1; node <= 3; node++) {
      cluster.end(node);
    }
    change(cluster, data, "k2", record -> null);
    cluster.start(1);
    cluster.runFor(SECOND);
    int off = 0;
    for (int partition = 0; partition < 16; partition++) {
      off += cluster.node(1).wrongCount(data, partition) == null ? 0 : 1;
    }
    assertEquals(1, off, "counts that are off");
    cluster.runFor(3 * ROUND);
    for (int partition = 0; partition < 16; partition++) {
      assertNull(cluster.node(1).wrongCount(data, partition));
    }
  }

  @Test
  void aRebuildFromAReplicaThatLostARecordTakesItFromNobody() throws IOException {
    Limits limits = Limits.DEFAULT.withTreeRoundNanos(ROUND).withLoggedDots(16);
    Cluster cluster = new Cluster(3, limits);
    put(cluster, "{a}kept", "kept");
    converged(cluster);
    // Nodes 1 and 2 lose the record of which node 3 has the only copy left, and node 3 is away for
    // more writes than the others remember one by one: it is rebuilt from one of them.
    cluster.end(3);
    for (int i = 0; i < 100; i++) {
      byte[] value = ("value-" + i).getBytes(US_ASCII);
      Update put = new Update.Put(value, 0, Update.Condition.NONE, false);
      Level two = new Level(0, 2, 0);
      update(cluster, "data", "{a}" + i, put, two, UpdateOutcome.Done.class);
    }
    cluster.runFor(60 * SECOND);
    cluster.end(1);
    change(cluster, keyspace(cluster, "data"), 1, "{a}kept", record -> null);
    cluster.start(1);
    cluster.within(30 * SECOND, () -> cluster.node(1).live(2) && cluster.node(2).live(1));
    cluster.end(2);
    change(cluster, keyspace(cluster, "data"), 2, "{a}kept", record -> null);
    cluster.start(2);
    cluster.start(3);
    converged(cluster);
    assertTrue(cluster.node(3).statistic(Counter.REBUILDS) > 0, "node 3 was not rebuilt");
    cluster.runFor(3 * ROUND);
    for (int node = 1; node <= 3; node++) {
      assertArrayEquals("kept".getBytes(US_ASCII), read(cluster, node, "{a}kept"));
    }
  }

  @Test
  void aRecordInARottenBlockIsWrittenAnew() throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    Randomness random = Randomness.of(1);
    Map<String, byte[]> values = new TreeMap<>();
    for (int i = 0; i < 300; i++) {
      byte[] value = new byte[800];
      for (int at = 0; at < value.length; at++) {
        value[at] = (byte) random.nextInt(256);
      }
      values.put("k" + i, value);
      put(cluster, "k" + i, value);
    }
    cluster.runFor(5 * SECOND);
    cluster.end(1);
    String rotten = null;
    for (Map.Entry<String, byte[]> each : values.entrySet()) {
      if (cluster.disk(1).rotWhere(each.getValue()) > 0) {
        rotten = each.getKey();
        break;
      }
    }
    assertNotNull(rotten, "no value is in a table");
    cluster.start(1);
    cluster.within(30 * SECOND, cluster::allSeen);
    cluster.runFor(3 * ROUND);
    assertTrue(cluster.node(1).statistic(Counter.TREE_SEGMENTS_UNREADABLE) > 0);
    assertTrue(cluster.node(1).statistic(Counter.TREE_RECORDS_HEALED) > 0);
    assertTrue(
        cluster.events.get(1).stream()
            .anyMatch(
                each -> each instanceof NodeEvent.Corruption rot && rot.text().contains(".table")),
        cluster.events.get(1)::toString);
    assertArrayEquals(values.get(rotten), read(cluster, 1, rotten));
    assertEquals(300, cluster.node(1).records(keyspace(cluster, "data")));
  }

  /// Who cannot read what is asked of it leaves it to the next replica.
  @Test
  void whatOneReplicaCannotReadAnotherOneGives() throws IOException {
    Cluster cluster = new Cluster(3);
    Randomness random = Randomness.of(1);
    Map<String, byte[]> values = new TreeMap<>();
    cluster.end(3);
    cluster.runFor(10 * SECOND);
    for (int i = 0; i < 400; i++) {
      byte[] value = new byte[800];
      for (int at = 0; at < value.length; at++) {
        value[at] = (byte) random.nextInt(256);
      }
      values.put("{a}" + i, value);
      Update put = new Update.Put(value, 0, Update.Condition.NONE, false);
      update(cluster, "data", "{a}" + i, put, new Level(0, 2, 0), UpdateOutcome.Done.class);
    }
    cluster.runFor(5 * SECOND);
    cluster.end(1);
    int rotten = 0;
    for (byte[] value : values.values()) {
      rotten += rotten < 3 ? cluster.disk(1).rotWhere(value) : 0;
    }
    assertTrue(rotten > 0, "no value is in a table");
    cluster.start(1);
    cluster.start(3);
    cluster.within(60 * SECOND, cluster::allSeen);
    cluster.runFor(60 * SECOND);
    for (int i = 0; i < 400; i++) {
      assertArrayEquals(values.get("{a}" + i), read(cluster, 3, "{a}" + i), "key " + i);
    }
  }

  /// A rotten block would keep a replica that is rebuilt from ever being ready. The others have
  /// nothing at all where it cannot read: that looks like nothing to those who compare, and is not.
  @Test
  void whatLiesBesideAnUnreadableRecordIsGivenToWhoHasNothingThere() throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    put(cluster, "{a}kept", "kept");
    put(cluster, "{a}rotten", "rotten");
    converged(cluster);
    int data = keyspace(cluster, "data");
    for (int node = 1; node <= 3; node++) {
      cluster.end(node);
    }
    for (int node = 2; node <= 3; node++) {
      change(cluster, data, node, "{a}kept", record -> null);
      change(cluster, data, node, "{a}rotten", record -> null);
    }
    garble(cluster, data, "{a}rotten");
    for (int node = 1; node <= 3; node++) {
      cluster.start(node);
    }
    cluster.within(30 * SECOND, cluster::allSeen);
    assertNull(read(cluster, 2, "{a}kept"));
    cluster.runFor(4 * ROUND);
    for (int node = 1; node <= 3; node++) {
      assertArrayEquals("kept".getBytes(US_ASCII), read(cluster, node, "{a}kept"), "node " + node);
    }
  }

  @Test
  void aRebuildPassesARottenBlock() throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withLoggedDots(16));
    Randomness random = Randomness.of(1);
    Map<String, byte[]> values = new TreeMap<>();
    for (int i = 0; i < 400; i++) {
      byte[] value = new byte[800];
      for (int at = 0; at < value.length; at++) {
        value[at] = (byte) random.nextInt(256);
      }
      values.put("{a}" + i, value);
      put(cluster, "{a}" + i, value);
    }
    cluster.runFor(5 * SECOND);
    cluster.end(3);
    Update delete = new Update.Delete(false);
    Level two = new Level(0, 2, 0);
    for (int i = 0; i < 100; i++) {
      update(cluster, "data", "{a}" + i, delete, two, UpdateOutcome.Done.class);
    }
    cluster.runFor(60 * SECOND);
    int rotten = 0;
    for (int i = 100; i < 400 && rotten < 3; i++) {
      rotten += cluster.disk(3).rotWhere(Objects.requireNonNull(values.get("{a}" + i)));
    }
    assertTrue(rotten > 0, "no value is in a table");
    cluster.start(3);
    cluster.within(30 * SECOND, cluster::allSeen);
    assertTrue(cluster.node(3).statistic(Counter.REBUILDS) > 0, "node 3 was not rebuilt");
    assertEquals(0, cluster.node(3).statistic(Counter.REPAIR_PASSED_OVER), "a page was refused");
    for (int i = 100; i < 400; i++) {
      assertArrayEquals(values.get("{a}" + i), read(cluster, 3, "{a}" + i), "key " + i);
    }
    assertEquals(300, cluster.node(3).records(keyspace(cluster, "data")));
  }

  /// What was deleted and stripped while the directory was an old copy goes, also where it lies
  /// behind a rotten block.
  @Test
  void aRebuildOfAnOldCopyDropsWhatLiesBehindARottenBlock() throws IOException {
    aRebuildOfAnOldCopyDropsWhatIsReadable(1);
  }

  /// The same where tables overlap: a block hides nothing that another table has among its keys.
  @Test
  void aRebuildOfAnOldCopyDropsWhatLiesAmongTheKeysOfARottenBlock() throws IOException {
    aRebuildOfAnOldCopyDropsWhatIsReadable(2);
  }

  /// @param tables that the values are written to
  private static void aRebuildOfAnOldCopyDropsWhatIsReadable(int tables) throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withLoggedDots(16));
    Randomness random = Randomness.of(1);
    Map<String, byte[]> values = new TreeMap<>();
    for (int i = 0; i < 120; i++) {
      byte[] value = new byte[800];
      for (int at = 0; at < value.length; at++) {
        value[at] = (byte) random.nextInt(256);
      }
      values.put("{a}" + i, value);
      put(cluster, "{a}" + i, value);
      if ((i + 1) % (120 / tables) == 0) {
        // A start writes what is in the log to one table.
        cluster.end(3);
        cluster.runFor(5 * SECOND);
        cluster.start(3);
        converged(cluster);
        cluster.runFor(5 * SECOND);
      }
    }
    Map<String, byte[]> copy = cluster.disk(3).backup();
    Update delete = new Update.Delete(false);
    for (int i = 0; i < 120; i++) {
      if (i % 10 == 0) {
        continue;
      }
      update(cluster, "data", "{a}" + i, delete, ALL, UpdateOutcome.Done.class);
    }
    cluster.within(120 * SECOND, () -> total(cluster, Counter.STRIPPED_DELETES) >= 3 * 108);
    cluster.runFor(5 * SECOND);
    cluster.end(3);
    cluster.disk(3).restore(copy);
    int rotten = 0;
    for (int i = 0; i < 120; i += 10) {
      rotten += cluster.disk(3).rotWhere(Objects.requireNonNull(values.get("{a}" + i)));
    }
    assertTrue(rotten > 0, "no value is in a table");
    cluster.start(3);
    cluster.within(60 * SECOND, cluster::allSeen);
    cluster.runFor(20 * SECOND);
    assertTrue(cluster.node(3).statistic(Counter.REBUILDS) > 0, "node 3 was not rebuilt");
    for (int i = 0; i < 120; i++) {
      byte[] wanted = i % 10 != 0 ? null : values.get("{a}" + i);
      assertArrayEquals(wanted, read(cluster, 3, "{a}" + i), "key " + i);
    }
  }

  @Test
  void aDeleteInTheMiddleOfItsEndIsNoDifference() throws IOException {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    put(cluster, "kept", "v");
    put(cluster, "deleted", "v");
    List<Siblings> grave = new ArrayList<>();
    update(cluster, "data", "deleted", new Update.Delete(false), UpdateOutcome.Done.class);
    int data = keyspace(cluster, "data");
    cluster.end(1);
    change(
        cluster,
        data,
        "deleted",
        record -> {
          grave.add(Objects.requireNonNull(record));
          return record;
        });
    assertTrue(!grave.getFirst().hasValue());
    cluster.start(1);
    cluster.within(30 * SECOND, cluster::allSeen);
    cluster.within(60 * SECOND, () -> total(cluster, Counter.STRIPPED_DELETES) >= 3);
    cluster.runFor(SECOND);
    cluster.end(1);
    change(cluster, data, "deleted", record -> grave.getFirst());
    cluster.start(1);
    converged(cluster);
    long compared = total(cluster, Counter.TREES_COMPARED);
    long unlike = total(cluster, Counter.TREE_SEGMENTS_UNLIKE);
    cluster.runFor(3 * ROUND);
    assertTrue(total(cluster, Counter.TREES_COMPARED) > compared + 16);
    assertEquals(unlike, total(cluster, Counter.TREE_SEGMENTS_UNLIKE));
    assertEquals(0, total(cluster, Counter.TREE_RECORDS_HEALED));
  }

  @Test
  void replicasThatAreAlikeTellEachOtherTheirRootsOnly() {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    for (int i = 0; i < 200; i++) {
      put(cluster, "k" + i, "value-" + i);
    }
    converged(cluster);
    cluster.runFor(3 * ROUND);
    long compared = total(cluster, Counter.TREES_COMPARED);
    long[] bytes = {0, 0};
    cluster.observer =
        frame -> {
          switch (Wire.message(frame)) {
            case Message.Root root -> bytes[0] += frame.length;
            case Message.Segments segments -> bytes[0] += frame.length;
            case Message.Listed listed -> bytes[1] += frame.length;
            case Message.Repaired repaired -> bytes[1] += frame.length;
            case null, default -> {}
          }
        };
    cluster.runFor(5 * ROUND);
    long comparisons = total(cluster, Counter.TREES_COMPARED) - compared;
    assertTrue(comparisons > 100, comparisons + " comparisons");
    assertEquals(0, bytes[1]);
    assertTrue(bytes[0] <= 48 * comparisons, bytes[0] + " bytes for " + comparisons);
  }

  @Test
  void aRestartDoesNotReadAgainWhatWasNotWrittenTo() {
    Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(ROUND));
    for (int i = 0; i < 200; i++) {
      put(cluster, "k" + i, "value-" + i);
    }
    converged(cluster);
    // From now on node 2 only answers.
    cluster.end(2);
    cluster.limits = Limits.DEFAULT;
    cluster.start(2);
    converged(cluster);
    cluster.runFor(3 * ROUND);
    cluster.end(2);
    cluster.start(2);
    converged(cluster);
    long compared = total(cluster, Counter.TREES_COMPARED);
    cluster.runFor(3 * ROUND);
    assertTrue(total(cluster, Counter.TREES_COMPARED) > compared + 32);
    assertEquals(0, cluster.node(2).statistic(Counter.TREE_BYTES_READ));
    assertEquals(0, total(cluster, Counter.TREE_SEGMENTS_UNLIKE));
    put(cluster, "k7", "another");
    cluster.runFor(3 * ROUND);
    long read = cluster.node(2).statistic(Counter.TREE_BYTES_READ);
    assertTrue(read > 0 && read < 500, read + " bytes read for one write");
  }
}
