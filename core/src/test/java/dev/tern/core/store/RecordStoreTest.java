package dev.tern.core.store;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.CountOutcome.Count;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Events;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import dev.tern.world.SimulatedLoop;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// A record store alone, as the state machine of a Raft group would use it: records of bytes, and
/// in the same batch a row with the index of the entry that wrote them and the figures after it. No
/// dots, no clocks of replicas, no journal, no tombstones.
class RecordStoreTest {
  private static final int PARTITIONS = 8;
  private static final long SECOND = 1_000_000_000;

  /// Kind of this owner's row of a partition.
  private static final int APPLIED = 100;

  private static final int LEVELED = 1;
  private static final int TIERED = 2;

  private final ClusterView view = view(PARTITIONS);
  private final Bed bed = new Bed(11, 1 << 14);

  /// What is in the store, by keyspace and key.
  private final TreeMap<String, String> model = new TreeMap<>();

  private long applied;

  private static ClusterView view(int partitions) {
    KeyspaceSettings tiered =
        Bed.keyspace("tiered").with(KeyspaceProperty.COMPACTION, CompactionStyle.SIZE_TIERED);
    return Bed.view(partitions, Bed.keyspace("leveled"), tiered);
  }

  private ClusterView without(Integer... keyspaces) {
    List<Integer> dropped = List.of(keyspaces);
    TopologyState of = view.state();
    return ClusterView.of(
        new TopologyState(
            of.cluster(),
            of.epoch(),
            of.level(),
            of.founding(),
            of.members(),
            of.keyspaces().stream().filter(each -> !dropped.contains(each.id())).toList(),
            of.groups(),
            of.voters(),
            of.nextMember(),
            of.nextKeyspace(),
            of.nextReplica(),
            of.nextSet(),
            of.lives(),
            of.movesHeld()));
  }

  private RecordStore open() throws IOException {
    WriteBatch opening = new WriteBatch();
    RecordStore store =
        RecordStore.over(bed.open(), PARTITIONS, 0, 1, Randomness.of(3), Events.NONE);
    RecordStore.decoding(
        0,
        () -> {
          store.identify(opening);
          store.loadGroups();
          return store;
        });
    store.adopt(view, 1, opening);
    if (opening.entries() > 0) {
      store.lsm().append(opening);
    }
    try (LsmIterator rows = store.lsm().iterator(store.meta(), IteratorOptions.all())) {
      for (rows.seek(RowKeys.PARTITIONS); rows.valid(); rows.next()) {
        ByteReader key = new ByteReader(rows.key());
        int group = store.groupOfSet(key.readUnsignedShort());
        int slot = key.readUnsignedShort();
        PartitionRecords partition =
            Objects.requireNonNull(store.partitions(group)[store.partitionOf(slot)]);
        ByteReader row = new ByteReader(rows.value());
        applied = Math.max(applied, row.readLong());
        partition.decodeCounts(row);
        row.expectEnd();
        store.loaded(partition);
      }
    }
    return store;
  }

  private static byte[] key(int i) {
    return ("key-" + i).getBytes(US_ASCII);
  }

  private static String name(int keyspace, byte[] key) {
    return keyspace + "/" + new String(key, US_ASCII);
  }

  /// Applies an entry: puts a value, or deletes the key.
  ///
  /// @return the sequence of the engine
  private long apply(RecordStore store, int keyspace, int i, String value) throws IOException {
    byte[] key = key(i);
    int slot = Slots.of(key);
    byte[] recordKey = store.recordKey(keyspace, slot, key);
    byte[] before = store.lsm().get(store.data(keyspace), recordKey);
    PartitionRecords partition =
        Objects.requireNonNull(store.partitions(store.group(keyspace))[store.partitionOf(slot)]);
    int keys = (value.isEmpty() ? 0 : 1) - (before == null ? 0 : 1);
    int bytes = value.length() - (before == null ? 0 : before.length) + keys * key.length;
    store.counted(partition, keyspace, keys, 0, bytes);
    WriteBatch batch = new WriteBatch();
    if (value.isEmpty()) {
      batch.delete(store.data(keyspace), recordKey);
      model.remove(name(keyspace, key));
    } else {
      batch.put(store.data(keyspace), recordKey, value.getBytes(US_ASCII));
      model.put(name(keyspace, key), value);
    }
    ByteWriter row = new ByteWriter().writeLong(++applied);
    partition.encodeCounts(row);
    batch.put(store.meta(), RowKeys.of(partition, APPLIED), row.toByteArray());
    return store.lsm().append(batch);
  }

  private Map<String, String> scanned(RecordStore store) throws IOException {
    Map<String, String> found = new TreeMap<>();
    for (int keyspace : new int[] {LEVELED, TIERED}) {
      int end =
          new RecordScan(store, keyspace, Long.MAX_VALUE, null)
              .run(
                  0,
                  0,
                  new RecordScan.Visitor() {
                    @Override
                    public boolean endsBefore(int slot, long hash) {
                      return false;
                    }

                    @Override
                    public void record(byte[] recordKey, byte[] bytes) {
                      String value = new String(bytes, US_ASCII);
                      String name = name(keyspace, RecordKey.userKey(recordKey));
                      assertNull(found.put(name, value), "twice: " + name);
                    }
                  });
      assertEquals(Slots.COUNT, end);
    }
    return found;
  }

  /// Records and figures are those of the model.
  private void check(RecordStore store) throws IOException {
    assertEquals(model, scanned(store));
    for (int keyspace : new int[] {LEVELED, TIERED}) {
      Count told = Count.NONE;
      for (int number = 0; number < PARTITIONS; number++) {
        told = told.plus(store.count(keyspace, number));
      }
      int keys = 0;
      int bytes = 0;
      for (var each : model.entrySet()) {
        if (each.getKey().startsWith(keyspace + "/")) {
          keys++;
          bytes += each.getKey().length() - 2 + each.getValue().length();
        }
      }
      assertEquals(new Count(keys, 0, bytes), told);
    }
  }

  private Commits commits(RecordStore store) {
    SimulatedLoop loop = new SimulatedLoop(bed.world, 1, bed.disk);
    return new Commits(store.lsm(), loop, false, sequence -> {}, failure -> assertNull(failure));
  }

  @Test
  void recordsAndFiguresComeBackWithoutDots() throws IOException {
    RecordStore store = open();
    int id = store.id();
    assertNotEquals(0, id);
    Commits commits = commits(store);
    int[] durable = {0};
    for (int i = 0; i < 2_000; i++) {
      int keyspace = i % 3 == 0 ? TIERED : LEVELED;
      String value = i % 7 == 6 ? "" : "v".repeat(1 + i % 50);
      long sequence = apply(store, keyspace, i % 700, value);
      commits.await(sequence, Durability.SYNC, () -> durable[0]++);
      if (i % 20 == 0) {
        bed.world.runUntil(bed.world.nanos() + SECOND / 100);
      }
    }
    bed.world.runUntil(bed.world.nanos() + SECOND);
    assertEquals(2_000, durable[0]);
    assertTrue(model.size() > 300, "few records: " + model.size());
    check(store);
    store.lsm().flush();
    for (int life = 0; life < 3; life++) {
      store.close();
      bed.powerCut();
      applied = 0;
      store = open();
      assertEquals(id, store.id());
      assertEquals(2_000 + life, applied);
      check(store);
      long sequence = apply(store, LEVELED, 10_000 + life, "more");
      boolean[] done = {false};
      commits(store).await(sequence, Durability.SYNC, () -> done[0] = true);
      bed.world.runUntil(bed.world.nanos() + SECOND);
      assertTrue(done[0]);
    }
    store.close();
  }

  /// Everything of the store is of families that dots know nothing of.
  @Test
  void nothingButRecordsAndMetaIsMade() throws IOException {
    RecordStore store = open();
    apply(store, LEVELED, 1, "one");
    assertEquals(
        List.of("data", "data-size-tiered", "meta"),
        store.lsm().columnFamilies().stream().map(ColumnFamily::name).sorted().toList());
    store.close();
  }

  @Test
  void aScanEndsWhereItsVisitorSays() throws IOException {
    RecordStore store = open();
    for (int i = 0; i < 100; i++) {
      apply(store, LEVELED, i, "v");
    }
    int[] left = {10};
    RecordScan.Visitor ten =
        new RecordScan.Visitor() {
          @Override
          public boolean endsBefore(int slot, long hash) {
            return left[0] == 0;
          }

          @Override
          public void record(byte[] recordKey, byte[] bytes) {
            assertTrue(left[0]-- > 0);
          }
        };
    RecordScan scan = new RecordScan(store, LEVELED, Long.MAX_VALUE, null);
    assertEquals(RecordScan.ENDED, scan.run(0, 0, ten));
    assertEquals(0, left[0]);
    store.close();
  }

  /// Counts the partitions that are erased, of the tiered keyspace first.
  private static RecordStore.Erasure counting(int[] partitions) {
    return new RecordStore.Erasure() {
      @Override
      public void slot(PartitionRecords partition, WriteBatch with) {
        assertFalse(with.entries() == 0);
      }

      @Override
      public void whole(PartitionRecords partition) {
        assertFalse(partition.knows(TIERED));
        partitions[0]++;
      }
    };
  }

  private void drop(RecordStore store, Integer... keyspaces) {
    ClusterView dropped = without(keyspaces);
    for (int keyspace : keyspaces) {
      assertTrue(dropped.dropped(keyspace));
    }
    WriteBatch batch = new WriteBatch();
    store.adopt(dropped, 1, batch);
    store.condemnDropped(dropped);
  }

  /// Erases all that is dropped.
  ///
  /// @param afterOne done after the first step
  /// @return steps
  private static int erase(RecordStore store, int[] partitions, Runnable afterOne) {
    WriteBatch batch = new WriteBatch();
    int steps = 0;
    for (; store.erases(); steps++) {
      batch.clear();
      store.eraseSome(batch, counting(partitions));
      store.lsm().append(batch);
      if (steps == 0) {
        afterOne.run();
      }
    }
    return steps;
  }

  private RecordStore filled(int keys) throws IOException {
    RecordStore store = open();
    for (int i = 0; i < keys; i++) {
      apply(store, LEVELED, i, "v");
      apply(store, TIERED, i, "w");
    }
    return store;
  }

  /// The second has the smaller number, and comes while the first is half erased.
  @Test
  void aKeyspaceThatIsDroppedBesideAnotherIsErasedWhole() throws IOException {
    RecordStore store = filled(600);
    drop(store, TIERED);
    int[] partitions = {0};
    int steps = erase(store, partitions, () -> drop(store, TIERED, LEVELED));
    assertTrue(steps > 4, "the second drop came too late: " + steps);
    assertEquals(2 * PARTITIONS, partitions[0]);
    model.clear();
    check(store);
    store.close();
  }

  @Test
  void aKeyspaceThatWasDroppedIsErased() throws IOException {
    RecordStore store = filled(200);
    drop(store, TIERED);
    int[] partitions = {0};
    erase(store, partitions, () -> {});
    assertEquals(PARTITIONS, partitions[0]);
    model.keySet().removeIf(name -> name.startsWith(TIERED + "/"));
    check(store);
    store.close();
  }

  @Test
  void aStoreOfOtherSettingsIsRefused() throws IOException {
    RecordStore store = open();
    store.close();
    RecordStore other =
        RecordStore.over(bed.open(), PARTITIONS, 0, 2, Randomness.of(3), Events.NONE);
    IOException refused = assertThrows(IOException.class, () -> other.identify(new WriteBatch()));
    assertTrue(String.valueOf(refused.getMessage()).contains("with 1 shards"), refused.toString());
  }
}
