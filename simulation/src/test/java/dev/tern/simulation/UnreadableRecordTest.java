package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.Limits;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.store.RecordKey;
import dev.tern.core.topology.Slots;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// A store holds bytes that are no record, with checksums that are right: what needs them fails
/// alone, others are asked, and the hash trees bring them back. No node ends.
class UnreadableRecordTest {
  private static final long SECOND = Cluster.SECOND;
  private static final byte[] JUNK = {0x30, 5, 9, 9};
  private static final Level ALL = new Level(3, 3, 0);
  private static final Level ONE = new Level(1, 1, 0);

  private Cluster cluster = new Cluster(3);
  private Script script = new Script(cluster, 3);

  private byte[] storageKey(String key) {
    byte[] user = key.getBytes(US_ASCII);
    KeyspaceConfig data = Objects.requireNonNull(cluster.node(1).view().keyspace("data"));
    return RecordKey.of(1, Slots.of(user), data.id(), data.hash().of(user), user);
  }

  /// At node 2, which is down.
  private void spoil(String key) throws IOException {
    byte[] at = storageKey(key);
    int partition = Slots.of(key.getBytes(US_ASCII)) / (Slots.COUNT / 16);
    try (Lsm lsm = cluster.store(2, partition % 2)) {
      ColumnFamily data = lsm.columnFamily("data", CompactionStyle.LEVELED);
      assertTrue(lsm.get(data, at) != null, key);
      lsm.write(new WriteBatch().put(data, at, JUNK), Durability.SYNC);
      lsm.flush();
    }
  }

  /// All rows of a family at node 2 name what is no key.
  private void spoilRows(String family) throws IOException {
    for (int shard = 0; shard < 2; shard++) {
      try (Lsm lsm = cluster.store(2, shard)) {
        ColumnFamily rows = lsm.columnFamily(family, CompactionStyle.LEVELED);
        WriteBatch batch = new WriteBatch();
        try (LsmIterator all = lsm.iterator(rows, IteratorOptions.all())) {
          for (all.seekToFirst(); all.valid(); all.next()) {
            batch.put(rows, all.key().clone(), JUNK);
          }
        }
        // And one of its own, as short as may be, and one that sorts first.
        batch.put(rows, new byte[] {0, 0, 0, 0, 0, 0, 0, 1, 7}, JUNK);
        lsm.write(batch, Durability.SYNC);
        lsm.flush();
      }
    }
  }

  private ReadOutcome read(int node, String key, Level level) {
    List<ReadOutcome> outcomes = new ArrayList<>();
    byte[] bytes = key.getBytes(US_ASCII);
    cluster.world.schedule(
        0, node, () -> cluster.node(node).keyspace(0, "data").read(bytes, level, outcomes::add));
    cluster.within(10 * SECOND, () -> !outcomes.isEmpty());
    return outcomes.getFirst();
  }

  private Set<String> scan(int node) {
    Set<String> found = new TreeSet<>();
    long cursor = 0;
    do {
      List<ScanOutcome> pages = new ArrayList<>();
      long from = cursor;
      cluster.world.schedule(
          0,
          node,
          () -> cluster.node(node).keyspace(0, "data").scan(from, 100, Scope.CLUSTER, pages::add));
      cluster.within(10 * SECOND, () -> !pages.isEmpty());
      ScanOutcome.Page page = assertInstanceOf(ScanOutcome.Page.class, pages.getFirst());
      page.keys().forEach(key -> found.add(new String(key, US_ASCII)));
      cursor = page.next();
    } while (cursor != 0);
    return found;
  }

  private void spoiled() throws IOException {
    for (int i = 0; i < 12; i++) {
      script.put(1, "k" + i, "v" + i, ALL);
    }
    cluster.runFor(SECOND);
    cluster.end(2);
    for (int i = 0; i < 6; i++) {
      spoil("k" + i);
    }
    cluster.start(2);
    cluster.within(20 * SECOND, cluster::allSeen);
  }

  @Test
  void whatNeedsItFailsAloneAndSaysWhichKey() throws IOException {
    spoiled();
    for (int node = 1; node <= 3; node++) {
      for (int i = 0; i < 12; i++) {
        assertEquals("v" + i, script.get(node, "k" + i, Level.DEFAULT));
      }
      assertEquals(12, scan(node).size());
    }
    Unanswered.Refused why = assertInstanceOf(Unanswered.Refused.class, read(1, "k3", ALL));
    assertTrue(why.message().contains("node 2 cannot read it"), why::message);
    assertTrue(why.message().contains("\"k3\""), why::message);
    assertTrue(cluster.node(2).unreadableRecords() > 0);
    assertTrue(String.valueOf(cluster.node(2).lastUnreadable()).contains("cannot be decoded"));
    UpdateOutcome written =
        script.update(2, "data", "k4", new Update.Append(new byte[] {'!'}), Level.DEFAULT);
    assertTrue(
        written instanceof UpdateOutcome.Done || written instanceof Unanswered, "" + written);
  }

  @Test
  void theHashTreesBringItBack() throws IOException {
    cluster = new Cluster(3, Limits.DEFAULT.withTreeRoundNanos(10 * SECOND));
    script = new Script(cluster, 3);
    spoiled();
    cluster.runFor(120 * SECOND);
    for (int i = 0; i < 12; i++) {
      assertEquals("v" + i, script.get(2, "k" + i, ONE));
      assertEquals("v" + i, script.get(2, "k" + i, ALL));
    }
  }

  @Test
  void rowsThatNameNoKeyArePassedOver() throws IOException {
    for (int i = 0; i < 12; i++) {
      Update.Put put =
          new Update.Put(
              new byte[1], cluster.clock(1).wallMillis() + 8_000, Update.Condition.NONE, false);
      script.update(1, "data", "e" + i, put, ALL);
      script.put(1, "d" + i, "v", ALL);
    }
    cluster.end(3);
    cluster.runFor(3 * SECOND);
    for (int i = 0; i < 12; i++) {
      script.delete(1, "d" + i, Level.DEFAULT);
    }
    cluster.end(2);
    for (String family : List.of("graves", "expiries", "dots")) {
      spoilRows(family);
    }
    cluster.start(2);
    cluster.start(3);
    cluster.within(30 * SECOND, cluster::allSeen);
    cluster.runFor(90 * SECOND);
    for (int node = 1; node <= 3; node++) {
      for (int i = 0; i < 12; i++) {
        assertInstanceOf(ReadOutcome.Missing.class, read(node, "d" + i, Level.DEFAULT));
        assertInstanceOf(ReadOutcome.Missing.class, read(node, "e" + i, Level.DEFAULT));
      }
    }
  }
}
