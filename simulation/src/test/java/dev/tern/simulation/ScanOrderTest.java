package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.store.RecordKey;
import dev.tern.core.topology.Slots;
import dev.tern.env.ByteWriter;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// Scans go through a slot in the order of hashes, and stores of former formats are refused.
class ScanOrderTest {
  private static final long SECOND = Cluster.SECOND;
  private static final Level ALL = new Level(3, 3, 0);

  private final Cluster cluster = new Cluster(3);
  private final Script script = new Script(cluster, 3);

  private Set<String> scan(int node, int count) {
    Set<String> found = new TreeSet<>();
    long cursor = 0;
    do {
      List<ScanOutcome> pages = new ArrayList<>();
      long from = cursor;
      cluster.world.schedule(
          0,
          node,
          () ->
              cluster.node(node).keyspace(0, "data").scan(from, count, Scope.CLUSTER, pages::add));
      cluster.within(10 * SECOND, () -> !pages.isEmpty());
      ScanOutcome.Page page = assertInstanceOf(ScanOutcome.Page.class, pages.getFirst());
      page.keys().forEach(key -> found.add(new String(key, US_ASCII)));
      assertTrue(page.next() == 0 || page.next() > cursor && page.next() < 1L << 46);
      cursor = page.next();
    } while (cursor != 0);
    return found;
  }

  /// At one node six keys have one hash, and others of their slot other hashes.
  @Test
  void keysOfOneHashAreNotLostBetweenPages() throws IOException {
    Set<String> all = new TreeSet<>();
    for (int i = 0; i < 30; i++) {
      all.add("{x}k" + i);
      script.put(1, "{x}k" + i, "v", ALL);
    }
    cluster.runFor(SECOND);
    cluster.end(2);
    KeyspaceConfig data = Objects.requireNonNull(cluster.node(1).view().keyspace("data"));
    byte[] first = "{x}k0".getBytes(US_ASCII);
    int slot = Slots.of(first);
    int hash = data.hash().of(first);
    try (Lsm lsm = cluster.store(2, slot / (Slots.COUNT / 16) % 2)) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      byte[] record =
          Objects.requireNonNull(lsm.get(family, RecordKey.of(1, slot, data.id(), hash, first)));
      for (int i = 0; i < 5; i++) {
        all.add("{x}same" + i);
        byte[] key = ("{x}same" + i).getBytes(US_ASCII);
        WriteBatch batch = new WriteBatch();
        batch.put(family, RecordKey.of(1, slot, data.id(), hash, key), record);
        lsm.write(batch, Durability.SYNC);
      }
    }
    cluster.start(2);
    cluster.within(20 * SECOND, cluster::allSeen);
    for (int count : new int[] {1, 2, 3, 7, 100}) {
      assertEquals(all, scan(2, count), "pages of " + count);
    }
  }

  @Test
  void aStoreOfFormatThreeIsRefused() throws IOException {
    cluster.runFor(SECOND);
    cluster.end(2);
    for (int shard = 0; shard < 2; shard++) {
      try (Lsm lsm = cluster.store(2, shard)) {
        ColumnFamily meta = lsm.columnFamily("meta", CompactionStyle.LEVELED);
        byte[] identity =
            new ByteWriter().writeInt(7).writeInt(2).writeInt(16).writeInt(3).toByteArray();
        WriteBatch batch = new WriteBatch();
        batch.delete(meta, new byte[] {0, 0, 1}).put(meta, new byte[] {2}, identity);
        lsm.write(batch, Durability.SYNC);
      }
    }
    Throwable refusal = assertThrows(Throwable.class, () -> cluster.start(2));
    while (refusal.getCause() != null) {
      refusal = refusal.getCause();
    }
    String why = String.valueOf(refusal.getMessage());
    assertTrue(why.contains("is of format 3, this version reads format 5 only"), why);
  }
}
