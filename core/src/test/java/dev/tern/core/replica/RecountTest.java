package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.CountOutcome.Count;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterView;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Figures of a partition that a disk has made wrong are right again after its records were read.
class RecountTest {
  private static final long SECOND = 1_000_000_000;
  private static final int PARTITIONS = 1;
  private static final int KEYS = 200;
  private static final int VALUE_BYTES = 30_000;

  private final ClusterView view = Bed.view(PARTITIONS, Bed.keyspace("a"));
  private final KeyspaceConfig keyspace = Objects.requireNonNull(view.keyspace(1));
  private final Bed bed = new Bed(7, 1 << 20);

  private static final QuietWrite DELETE = new QuietWrite(-1, 0, null);

  private static int slot(int key) {
    return (key * 163) & 16383;
  }

  private Store open() throws IOException {
    return Replicas.open(bed, view);
  }

  private Replica replica(Store store, PlantedBug planted) {
    return Replicas.over(bed, store, planted);
  }

  private void write(Replica replica, int key, QuietWrite write) {
    replica.minting().mutate(keyspace, slot(key), new byte[] {(byte) key}, write);
    bed.world.runUntil(bed.world.nanos() + SECOND / 10);
  }

  private static @Nullable String wrong(Store store) throws IOException {
    return new Inspection(store).wrongCount(partition(store));
  }

  private static Partition partition(Store store) {
    return Objects.requireNonNull(store.partitionOfGroup(1, 0));
  }

  /// Writes a store, loses some of its records and brings others back below its counts.
  private void damaged() throws IOException {
    Store store = open();
    Replica replica = replica(store, PlantedBug.NONE);
    for (int key = 0; key < KEYS; key++) {
      write(replica, key, new QuietWrite(VALUE_BYTES, key % 3 == 0 ? 1L << 50 : 0, null));
    }
    TreeMap<byte[], byte[]> deleted = new TreeMap<>(Arrays::compareUnsigned);
    for (int key = 0; key < 20; key++) {
      byte[] at = store.records().recordKey(1, slot(key), new byte[] {(byte) key});
      deleted.put(at, Objects.requireNonNull(store.lsm().get(store.records().data(1), at)));
      write(replica, key, DELETE);
    }
    assertNull(wrong(store));
    List<byte[]> lost = new ArrayList<>();
    for (int key = 100; key < 150; key++) {
      lost.add(store.records().recordKey(1, slot(key), new byte[] {(byte) key}));
    }
    store.close();
    try (Lsm lsm = bed.open()) {
      ColumnFamily data = lsm.columnFamily("data", CompactionStyle.LEVELED);
      WriteBatch batch = new WriteBatch();
      deleted.forEach((key, record) -> batch.put(data, key, record));
      lost.forEach(key -> batch.delete(data, key));
      lsm.write(batch, Durability.SYNC);
    }
  }

  /// Reads all records, while keys that were read and keys that were not are written.
  ///
  /// @return steps
  private int read(Replica replica) {
    return read(
        replica,
        steps -> {
          // In a step, and between two.
          for (int i = 0; i < 2; i++) {
            write(replica, (7 * steps + 31 * i) % KEYS, DELETE);
            write(replica, (11 * steps + 50 * i) % KEYS, new QuietWrite(100, 0, null));
            write(replica, KEYS + steps % 50, new QuietWrite(steps, 1L << 50, null));
          }
        });
  }

  /// Reads all records while nobody writes.
  ///
  /// @param once happens in the first step
  private void readQuietly(Replica replica, Runnable once) {
    read(
        replica,
        steps -> {
          if (steps == 0) {
            bed.world.runUntil(bed.world.nanos() + SECOND);
            once.run();
          }
        });
  }

  /// Reads all records.
  ///
  /// @param beside told the steps so far, while one is under way
  /// @return steps
  private int read(Replica replica, IntConsumer beside) {
    SegmentReader reader = replica.trees().reader(partition(replica.store()), /* afresh= */ true);
    int steps = 0;
    while (!reader.isDone()) {
      int[] read = {0};
      replica
          .trees()
          .step(
              reader,
              (bytes, failure) -> {
                assertNull(failure);
                read[0] = Objects.requireNonNull(bytes);
              });
      beside.accept(steps);
      bed.world.runUntil(bed.world.nanos() + SECOND);
      assertTrue(read[0] > 0, "nothing was read");
      steps++;
    }
    return steps;
  }

  @Test
  void figuresThatADiskMadeWrongAreRightAfterAReadingBesideWrites() throws IOException {
    damaged();
    Store store = open();
    Replica replica = replica(store, PlantedBug.NONE);
    // Over a record that was lost, and over one that came back.
    write(replica, 110, new QuietWrite(10, 0, null));
    write(replica, 5, new QuietWrite(10, 0, null));
    assertNotNull(wrong(store), "nothing was damaged");
    assertTrue(read(replica) > 3, "the writes came before or after");
    assertNull(wrong(store));
    assertEquals(0, store.lsm().statistics().oldestSnapshotMillis());
    // The correction is as durable as the next write.
    write(replica, 1, DELETE);
    Count counted = store.records().count(1, 0);
    bed.powerCut();
    store = open();
    assertNull(wrong(store));
    assertEquals(counted, store.records().count(1, 0));
    store.close();
  }

  @Test
  void theMistakeIsSeen() throws IOException {
    damaged();
    Store store = open();
    Replica replica = replica(store, PlantedBug.COUNTS_NOT_CORRECTED);
    read(replica);
    assertNotNull(wrong(store));
    store.close();
  }

  /// What was dropped meanwhile is not counted again.
  @Test
  void aPartitionThatWasEmptiedMeanwhileCountsNothing() throws IOException {
    damaged();
    Store store = open();
    Replica replica = replica(store, PlantedBug.NONE);
    SegmentReader reader = replica.trees().reader(partition(store), /* afresh= */ true);
    replica.trees().step(reader, (bytes, failure) -> {});
    bed.world.runUntil(bed.world.nanos() + SECOND);
    store.records().emptied(partition(store).records());
    partition(store).empty();
    while (!reader.isDone()) {
      replica.trees().step(reader, (bytes, failure) -> {});
      bed.world.runUntil(bed.world.nanos() + SECOND);
    }
    assertEquals(Count.NONE, store.records().count(1, 0));
    store.close();
  }

  @Test
  void aKeyspaceThatWasDroppedMeanwhileDoesNotKeepTheFiguresOfOthersWrong() throws IOException {
    damaged();
    Store store = open();
    Replica replica = replica(store, PlantedBug.NONE);
    write(replica, 110, new QuietWrite(10, 0, null));
    assertNotNull(wrong(store), "nothing was damaged");
    readQuietly(replica, () -> store.records().forget(partition(store).records(), 2));
    assertNull(wrong(store));
    store.close();
  }

  @Test
  void whatWasDroppedMeanwhileIsNotCounted() throws IOException {
    damaged();
    Store store = open();
    Replica replica = replica(store, PlantedBug.NONE);
    readQuietly(replica, () -> store.records().forget(partition(store).records(), 1));
    assertEquals(Count.NONE, store.records().count(1, 0));
    store.close();
  }

  @Test
  void figuresThatCannotBeCorrectedStayUncertain() throws IOException {
    damaged();
    Store store = open();
    Replica replica = replica(store, PlantedBug.NONE);
    write(replica, 110, new QuietWrite(10, 0, null));
    SegmentReader broken = replica.trees().reader(partition(store), /* afresh= */ true);
    replica.trees().step(broken, (bytes, failure) -> {});
    bed.world.runUntil(bed.world.nanos() + SECOND);
    broken.ends(false);
    assertTrue(partition(store).records().isUncertain());
    assertNotNull(wrong(store));
    readQuietly(replica, () -> {});
    assertTrue(!partition(store).records().isUncertain());
    assertNull(wrong(store));
    store.close();
  }
}
