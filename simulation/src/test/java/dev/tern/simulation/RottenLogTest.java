package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.store.RecordKey;
import dev.tern.core.topology.Slots;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Rows of the log of dots that cannot be read keep no readable record from the other replicas.
class RottenLogTest {
  private static final long SECOND = Cluster.SECOND;
  private static final byte[] JUNK = {0x20, 5, 9, 9};
  private static final int ALONE = 2;

  private final Cluster cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(10 * SECOND));
  private final Script script = new Script(cluster, 3);

  /// One replica takes writes that the others do not hear of, and ends.
  private void alone(Runnable writes) {
    script.put(1, "{a}first", "all", Script.ALL);
    cluster.runFor(5 * SECOND);
    script.end(new int[] {ALONE}, 1, 3);
    writes.run();
    cluster.runFor(2 * SECOND);
    cluster.end(ALONE);
  }

  private Lsm store(String key) throws IOException {
    return cluster.store(ALONE, Slots.of(key.getBytes(US_ASCII)) / (Slots.COUNT / 16) % 2);
  }

  /// No row of the log of dots can be read where the writes were taken.
  private void spoilTheLog() throws IOException {
    try (Lsm lsm = store("{a}")) {
      ColumnFamily dots = lsm.columnFamily("dots", CompactionStyle.LEVELED);
      WriteBatch batch = new WriteBatch();
      try (LsmIterator all = lsm.iterator(dots, IteratorOptions.all())) {
        for (all.seekToFirst(); all.valid(); all.next()) {
          batch.put(dots, all.key(), JUNK);
        }
      }
      assertTrue(batch.entries() > 0, "the log of dots is empty");
      lsm.write(batch, Durability.SYNC);
      lsm.flush();
    }
  }

  private void spoilTheRecord(String key) throws IOException {
    spoilTheRecord("data", key);
  }

  private void spoilTheRecord(String keyspace, String key) throws IOException {
    byte[] user = key.getBytes(US_ASCII);
    KeyspaceConfig data = Objects.requireNonNull(cluster.node(1).view().keyspace(keyspace));
    byte[] at = RecordKey.of(1, Slots.of(user), data.id(), data.hash().of(user), user);
    try (Lsm lsm = store(key)) {
      ColumnFamily records = lsm.columnFamily("data", CompactionStyle.LEVELED);
      assertTrue(lsm.get(records, at) != null, key);
      lsm.write(new WriteBatch().put(records, at, JUNK), Durability.SYNC);
      lsm.flush();
    }
  }

  private void allAreBack() {
    cluster.start(1);
    cluster.start(ALONE);
    cluster.start(3);
    cluster.within(60 * SECOND, cluster::allSeen);
  }

  @Test
  void theOthersTakeTheRecordsAndTheDotsOfWhatWasReplaced() throws IOException {
    alone(
        () -> {
          script.put(ALONE, "{a}once", "v", Script.ONE);
          script.put(ALONE, "{a}twice", "replaced", Script.ONE);
          script.put(ALONE, "{a}twice", "w", Script.ONE);
        });
    spoilTheLog();
    allAreBack();
    script.converged(60 * SECOND);
    for (int node = 1; node <= 3; node++) {
      assertEquals("v", script.get(node, "{a}once", Script.ONE));
      assertEquals("w", script.get(node, "{a}twice", Script.ONE));
    }
  }

  /// What the replica cannot read stands before, beside and behind what it can.
  @Test
  void theOthersTakeWhatCanBeReadBesideARecordThatCannot() throws IOException {
    alone(
        () -> {
          for (int i = 0; i < 12; i++) {
            script.put(ALONE, "{a}" + i, "v" + i, Script.ONE);
          }
        });
    for (int i = 0; i < 12; i += 3) {
      spoilTheRecord("{a}" + i);
    }
    spoilTheLog();
    allAreBack();
    cluster.runFor(180 * SECOND);
    for (int i = 0; i < 12; i++) {
      for (int node = 1; node <= 3; node += 2) {
        String wanted = i % 3 == 0 ? null : "v" + i;
        assertEquals(wanted, script.get(node, "{a}" + i, Script.ONE), "key " + i);
      }
    }
  }

  private final Randomness random = Randomness.of(1);

  /// Stores large values, which nothing compresses.
  private void putLarge(int from, int to, Map<String, String> values) {
    for (int i = from; i < to; i++) {
      char[] value = new char[800];
      for (int at = 0; at < value.length; at++) {
        value[at] = (char) ('!' + random.nextInt(90));
      }
      values.put("{a}" + i, new String(value));
      script.put(ALONE, "{a}" + i, values.get("{a}" + i), Script.ONE);
    }
  }

  /// The keys of a newer table lie among those of the rotten blocks, and hide none of them.
  @Test
  void theOthersTakeWhatANewerTableHasAmongTheKeysOfARottenBlock() throws IOException {
    Map<String, String> older = new TreeMap<>();
    Map<String, String> newer = new TreeMap<>();
    alone(
        () -> {
          putLarge(0, 300, older);
          cluster.end(ALONE);
          cluster.start(ALONE);
          cluster.runFor(5 * SECOND);
          putLarge(300, 600, newer);
        });
    spoilTheLog();
    int rotten = 0;
    for (String value : older.values()) {
      rotten += rotten < 9 ? cluster.disk(ALONE).rotWhere(value.getBytes(US_ASCII)) : 0;
    }
    assertEquals(9, rotten, "no value is in a table");
    allAreBack();
    cluster.runFor(180 * SECOND);
    for (Map.Entry<String, String> each : newer.entrySet()) {
      for (int node = 1; node <= 3; node += 2) {
        assertEquals(each.getValue(), script.get(node, each.getKey(), Script.ONE), each.getKey());
      }
    }
  }

  /// The same where whole blocks of a table are rotten.
  @Test
  void theOthersTakeWhatLiesBesideRottenBlocks() throws IOException {
    Map<String, String> values = new TreeMap<>();
    alone(() -> putLarge(0, 300, values));
    spoilTheLog();
    int rotten = 0;
    for (String value : values.values()) {
      rotten += rotten < 3 ? cluster.disk(ALONE).rotWhere(value.getBytes(US_ASCII)) : 0;
    }
    assertEquals(3, rotten, "no value is in a table");
    allAreBack();
    cluster.runFor(180 * SECOND);
    for (int node = 1; node <= 3; node += 2) {
      int there = 0;
      for (Map.Entry<String, String> each : values.entrySet()) {
        String value = script.get(node, each.getKey(), Script.ONE);
        assertTrue(value == null || value.equals(each.getValue()), each.getKey());
        there += value == null ? 0 : 1;
      }
      assertTrue(there >= 240 && there < 300, there + " records at node " + node);
    }
  }

  /// All hold six values, and one replica can no longer decode one of them. The first node takes
  /// over everything that this replica has.
  private void takenOverFromSpoilt(Runnable before) throws IOException {
    for (int i = 0; i < 6; i++) {
      script.stored(1, "{a}" + i, "v" + i, Script.NO_CONTEXT, Script.ALL);
    }
    cluster.runFor(5 * SECOND);
    script.end(new int[] {ALONE}, 1, 3);
    script.stored(ALONE, "{a}late", "late", Script.NO_CONTEXT, Script.ONE);
    cluster.runFor(2 * SECOND);
    cluster.end(ALONE);
    spoilTheRecord("siblings", "{a}3");
    spoilTheLog();
    before.run();
    allAreBack();
    cluster.runFor(120 * SECOND);
    for (int i = 0; i < 6; i++) {
      for (int node = 1; node <= 3; node += 2) {
        List<String> values = script.values(node, "{a}" + i, new Level(2, 2, 0));
        assertEquals(List.of("v" + i), values, "key " + i + " at node " + node);
      }
    }
    assertEquals(List.of("late"), script.values(1, "{a}late", Script.ONE));
  }

  @Test
  void aRecordThatAnotherCannotDecodeIsNotDropped() throws IOException {
    takenOverFromSpoilt(() -> {});
  }

  @Test
  void anEmptyReplicaTakesFromAThirdWhatItsSourceCannotDecode() throws IOException {
    takenOverFromSpoilt(() -> cluster.disk(1).wipe());
  }
}
