package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.CountOutcome.Count;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.ring.ZonePolicy;
import dev.tern.core.store.Bed;
import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.ValueType;
import dev.tern.env.Events;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// A store whose partitions' rows are of another admission than the topology says.
///
/// The views are of two foundings. In both the groups of keyspace `b` are number 2; their replicas
/// have the ids 9 to 16 in the first, which has one member, and 17 to 32 in the second, where
/// members 1 and 2 each hold all partitions.
class ReplicaAdmissionsTest {
  private static final long SECOND = 1_000_000_000;
  private static final int PARTITIONS = 8;
  private static final int SET = 2;
  private static final int KEYSPACE = 2;

  private final ClusterView first = view(1);
  private final ClusterView second = view(2);

  /// By partition: the last counter that the store gave out.
  private final long[] given = new long[PARTITIONS];

  private static ClusterView view(int members) {
    List<MemberEntry> entries = new ArrayList<>();
    for (int number = 1; number <= members; number++) {
      entries.add(Bed.member(number));
    }
    List<KeyspaceSettings> keyspaces =
        List.of(settings("a", ZonePolicy.SPREAD), settings("b", ZonePolicy.IGNORE));
    return ClusterView.of(new Founding(PARTITIONS, entries, keyspaces).state());
  }

  private static KeyspaceSettings settings(String name, ZonePolicy zones) {
    return Bed.keyspace(name)
        .with(KeyspaceProperty.N, 2)
        .with(KeyspaceProperty.ZONES, zones)
        .with(KeyspaceProperty.DURABILITY, Durability.OS);
  }

  private static Bed bed(long seed) {
    return new Bed(seed, 1 << 18);
  }

  private static Store open(Bed bed, ClusterView view) throws IOException {
    return Replicas.open(bed, view);
  }

  private final class Put implements Mutation {
    private final int i;

    Put(int i) {
      this.i = i;
    }

    @Override
    public Draft over(@Nullable Siblings base) {
      boolean delete = i % 10 == 9;
      ValueType type = delete ? ValueType.NONE : ValueType.BYTES;
      long expiry = i % 3 == 0 && !delete ? 1L << 50 : 0;
      return new Draft(type, delete ? null : new byte[30], expiry, null, null, false);
    }

    @Override
    public void minted(Siblings record, long dot) {
      int partition = slot(i) * PARTITIONS / 16384;
      assertTrue(dot > given[partition], "a dot was given out twice");
      given[partition] = dot;
    }

    @Override
    public void durable() {
      // Nobody waits.
    }

    @Override
    public void refused(Unanswered.Refused why) {
      throw new IllegalStateException(why.toString());
    }
  }

  private Replica replica(Bed bed, Store store) {
    return Replicas.over(bed, store, PlantedBug.NONE);
  }

  private void put(Bed bed, Replica replica, int keys) {
    for (int i = 0; i < keys; i++) {
      put(replica, i);
      if (i % 20 == 0) {
        bed.world.runUntil(bed.world.nanos() + SECOND / 1000);
      }
    }
  }

  private void put(Replica replica, int i) {
    KeyspaceConfig keyspace = Objects.requireNonNull(first.keyspace(KEYSPACE));
    byte[] key = {(byte) i, (byte) (i >> 8)};
    replica.minting().mutate(keyspace, slot(i), key, new Put(i));
  }

  private static int slot(int key) {
    return (key * 163) & 16383;
  }

  private static Count count(Store store) {
    Count all = Count.NONE;
    for (int number = 0; number < PARTITIONS; number++) {
      all = all.plus(store.records().count(KEYSPACE, number));
    }
    return all;
  }

  private static Partition partition(Store store, int number) {
    return Objects.requireNonNull(store.partitionOfGroup(SET, number));
  }

  private static void right(Store store) throws IOException {
    for (int number = 0; number < PARTITIONS; number++) {
      assertNull(new Inspection(store).wrongCount(partition(store, number)));
    }
  }

  /// Rows of the set, but for the partitions' own.
  private static int rows(Store store) throws IOException {
    int rows = 0;
    Lsm lsm = store.lsm();
    for (ColumnFamily family : lsm.columnFamilies()) {
      try (LsmIterator all = lsm.iterator(family, IteratorOptions.all())) {
        for (all.seek(new byte[] {0, SET}); all.valid() && all.key()[1] == SET; all.next()) {
          rows += family.name().equals("meta") && all.key()[4] == 1 ? 0 : 1;
        }
      }
    }
    return rows;
  }

  private void isEmpty(Store store) throws IOException {
    assertEquals(0, rows(store));
    assertEquals(Count.NONE, count(store));
    for (int number = 0; number < PARTITIONS; number++) {
      assertTrue(partition(store, number).clock().isEmpty());
      assertTrue(partition(store, number).synced().isEmpty());
      assertFalse(partition(store, number).isFilled());
      int[] list = Objects.requireNonNull(second.groupsNumbered(SET)).lists().list(number);
      int place = list[0] == 1 ? 0 : 1;
      int id = Objects.requireNonNull(second.groupsNumbered(SET)).replicaId(number, place);
      assertEquals(id, partition(store, number).admission());
    }
  }

  private static ClusterView named(ClusterView view, ClusterId cluster) {
    TopologyState of = view.state();
    return ClusterView.of(Bed.of(of, cluster, of.epoch()));
  }

  /// Admissions of another cluster have higher ids here. Found by an attack: the topology of
  /// another cluster in a node's directory erased its store.
  @Test
  void aStoreLosesNothingOnTheWordOfAnotherCluster() throws IOException {
    ClusterView own = named(first, new ClusterId(1, 1));
    ClusterView other = named(second, new ClusterId(2, 1));
    Bed bed = bed(5);
    fill(bed, 300);
    Store store = open(bed, own);
    assertNull(store.records().problem(own, 1));
    bed.world.runUntil(bed.world.nanos() + SECOND);
    store.close();
    store = Store.open(bed.open(), PARTITIONS, 0, 1, Randomness.of(4), Events.NONE);
    String problem = Objects.requireNonNull(store.records().problem(other, 1));
    assertTrue(problem.contains("shard-0 belongs to node 1 of cluster"), problem);
    assertTrue(store.records().problem(own, 2) != null, "another member's store");
    problem = Objects.requireNonNull(store.records().problem(first, 1), "a topology without name");
    assertTrue(problem.contains("knows no cluster: put back the directory topology"), problem);
    Count before = count(store);
    store.adopt(other, 1);
    assertEquals(before, count(store));
    assertEquals(270, before.keys());
    right(store);
    store.close();
  }

  private void fill(Bed bed, int keys) throws IOException {
    Store store = open(bed, first);
    put(bed, replica(bed, store), keys);
    for (int number = 0; number < PARTITIONS; number++) {
      store.filled(partition(store, number));
    }
    bed.world.runUntil(bed.world.nanos() + SECOND);
    assertEquals(keys - keys / 10, count(store).keys());
    store.close();
  }

  @Test
  void aRowOfAnotherAdmissionIsAnEmptyReplica() throws IOException {
    Bed bed = bed(1);
    fill(bed, 500);
    Store again = open(bed, first);
    assertEquals(450, count(again).keys(), "a restart under the same admission drops nothing");
    assertTrue(partition(again, 3).isFilled());
    assertTrue(rows(again) > 600);
    again.close();
    Store store = open(bed, second);
    isEmpty(store);
    put(bed, replica(bed, store), 500);
    bed.world.runUntil(bed.world.nanos() + SECOND);
    right(store);
    store.close();
    Store later = open(bed, second);
    assertEquals(450, count(later).keys(), "it is the same admission as before");
    right(later);
    later.close();
  }

  @Test
  void anOlderViewDropsNothing() throws IOException {
    Bed bed = bed(2);
    open(bed, second).close();
    fill(bed, 500);
    Store store = open(bed, second);
    assertEquals(450, count(store).keys());
    store.close();
  }

  @Test
  void aPartitionOfWhichTheMemberIsNoReplicaStaysAsItIs() throws IOException {
    Bed bed = bed(3);
    fill(bed, 500);
    Store store = Store.open(bed.open(), PARTITIONS, 0, 1, Randomness.of(3), Events.NONE);
    store.adopt(second, 7);
    assertEquals(450, count(store).keys());
    right(store);
    store.close();
  }

  /// The rows come with the drop of what they told of, or neither does.
  @Test
  void aPowerCutLeavesAllOrNothing() throws IOException {
    int emptied = 0;
    int kept = 0;
    for (long seed = 0; seed < 40; seed++) {
      Bed bed = bed(seed);
      Arrays.fill(given, 0);
      fill(bed, 200);
      Store store = open(bed, second);
      if (seed % 2 == 0) {
        store.lsm().flushLog();
      }
      bed.powerCut();
      Store after = open(bed, first);
      boolean none = count(after).keys() == 0;
      assertTrue(none ? rows(after) == 0 : count(after).keys() == 180, "seed " + seed);
      right(after);
      emptied += none ? 1 : 0;
      kept += none ? 0 : 1;
      after.close();
      Store next = open(bed, second);
      isEmpty(next);
      next.close();
    }
    assertTrue(emptied > 2 && kept > 2, emptied + " emptied, " + kept + " kept");
  }

  /// The admission changes under a store that is open, with writes on their way to the disk.
  @Test
  void anAdmissionInTheSameLifeTakesNothingOver() throws IOException {
    Bed bed = bed(4);
    Store store = open(bed, first);
    Replica replica = replica(bed, store);
    put(bed, replica, 500);
    bed.world.runUntil(bed.world.nanos() + SECOND / 1000);
    assertEquals(450, count(store).keys());
    // A group that is not ended yet, over records that are in memory.
    for (int i = 490; i < 500; i++) {
      put(replica, i);
    }
    assertTrue(store.lsm().syncedSequence() < store.lsm().writtenSequence());
    store.adopt(second, 1);
    isEmpty(store);
    bed.world.runUntil(bed.world.nanos() + SECOND);
    store.lsm().syncLog();
    replica.beat();
    isEmpty(store);
    put(bed, replica, 300);
    bed.world.runUntil(bed.world.nanos() + SECOND);
    right(store);
    bed.powerCut();
    Store after = open(bed, second);
    right(after);
    after.close();
  }
}
