package dev.tern.core.replica;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.ring.ZonePolicy;
import dev.tern.core.store.Bed;
import dev.tern.core.store.RecordKey;
import dev.tern.core.store.RowKeys;
import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.Slots;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import dev.tern.env.Events;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// What a store keeps of replica groups whose last keyspace was dropped, and for how long.
class DroppedGroupsTest {
  private static final int PARTITIONS = 4;
  private static final int SLOT = 5;
  private static final long WHILE = DroppedGroups.QUIET_NANOS;

  private final TopologyState founded = founding().state().apply(found()).state();
  private final TopologyState made = create(founded);
  private final TopologyState dropped = drop(made);
  private final TopologyState madeAgain = create(dropped);
  private final Bed bed = new Bed(7, 1 << 20);
  private Store store = open(made);

  DroppedGroupsTest() throws IOException {}

  private static Founding founding() {
    Member.Ports ports = Member.Ports.NONE.with("internode", 1).with("redis", 2);
    Member member = new Member(1, "%040x".formatted(1), "a", "one", ports);
    return new Founding(PARTITIONS, List.of(MemberEntry.of(member)), List.of(settings("kept")));
  }

  private static Proposed found() {
    return new Proposed(0, founding().command(new ClusterId(1, 2)));
  }

  private static KeyspaceSettings settings(String name) {
    return KeyspaceSettings.usual(name)
        .with(KeyspaceProperty.N, 1)
        .with(KeyspaceProperty.R, 1)
        .with(KeyspaceProperty.W, 1);
  }

  /// With a keyspace of a policy of its own.
  private static TopologyState create(TopologyState before) {
    KeyspaceSettings own = settings("own").with(KeyspaceProperty.ZONES, ZonePolicy.IGNORE);
    KeyHash hash = KeyHash.derived(new byte[5], 5);
    return before.apply(new Proposed(0, before.create(own, hash))).state();
  }

  private static TopologyState drop(TopologyState before) {
    return before.apply(new Proposed(0, new Command.DropKeyspace("own"))).state();
  }

  private Store open(TopologyState state) throws IOException {
    Store opened = Store.open(bed.open(), PARTITIONS, 0, 1, Randomness.of(3), Events.NONE);
    ClusterView view = ClusterView.of(state);
    assertNull(opened.problem(view, 1));
    opened.adopt(view, 1);
    return opened;
  }

  private void adopt(TopologyState state) {
    store.adopt(ClusterView.of(state), 1);
  }

  private int keyspace() {
    return Objects.requireNonNull(made.keyspace("own")).id();
  }

  private int set() {
    return Objects.requireNonNull(ClusterView.of(made).groups(keyspace())).number();
  }

  /// Stores a record of the keyspace, as a replica does.
  private void write(String name) {
    Partition partition = store.partition(keyspace(), SLOT);
    byte[] key = store.records().recordKey(keyspace(), SLOT, name.getBytes(US_ASCII));
    Version version = Version.put(9, name.length(), 1L << 50, 1L << 50, new byte[3]);
    ColumnFamily data = store.records().data(keyspace());
    store.lsm().append(new WriteBatch().put(data, key, Siblings.of(version).encoded()));
    store.journal().note(partition, version, key, true);
    store.journal().noteCounts(partition, keyspace(), 1, 1, 4);
    store.counted(partition, keyspace(), 1, 1, 4);
    store.journal().endGroup(0);
  }

  private void erase() {
    while (store.records().erases()) {
      WriteBatch batch = new WriteBatch();
      store.eraseSome(batch);
      store.lsm().append(batch);
    }
    store.journal().endGroup(0);
  }

  /// Rows of the set, in all families.
  private int rows() throws IOException {
    int rows = 0;
    byte[] end = RecordKey.first(set(), Slots.COUNT);
    for (ColumnFamily family : store.familiesOfPartitions()) {
      try (LsmIterator all = store.lsm().iterator(family, IteratorOptions.all())) {
        all.seek(RecordKey.first(set(), 0));
        for (; all.valid(); all.next()) {
          rows += java.util.Arrays.compareUnsigned(all.key(), end) < 0 ? 1 : 0;
        }
      }
    }
    return rows;
  }

  private boolean isKept() {
    return store.partitionOfGroup(set(), 0) != null;
  }

  private void restart(TopologyState state) throws IOException {
    store.lsm().flushLog();
    store.lsm().syncLog();
    store.close();
    bed.powerCut();
    store = open(state);
  }

  @Test
  void groupsOfADroppedKeyspaceGoWhenTheyAreQuiet() throws IOException {
    write("a");
    adopt(dropped);
    store.letGoOfDropped(0);
    store.letGoOfDropped(2 * WHILE);
    assertTrue(isKept(), "it still holds a record");
    erase();
    store.letGoOfDropped(3 * WHILE);
    store.letGoOfDropped(4 * WHILE - 1);
    assertTrue(isKept(), "not quiet for long");
    assertTrue(rows() > 0);
    store.letGoOfDropped(4 * WHILE);
    assertFalse(isKept());
    assertEquals(0, rows());
    assertArrayEquals(new int[] {1}, store.records().sets());
    restart(dropped);
    assertFalse(isKept());
    assertEquals(0, rows());
    assertNotNull(store.partitionOfGroup(1, 0));
    assertEquals(0, store.records().count(keyspace(), 0).keys());
  }

  /// Over a restart, too, and beside new groups of the same policy.
  @Test
  void theSamePolicyBeginsAnewBesideThem() throws IOException {
    write("a");
    adopt(dropped);
    adopt(madeAgain);
    int again =
        Objects.requireNonNull(
                ClusterView.of(madeAgain)
                    .groups(Objects.requireNonNull(madeAgain.keyspace("own")).id()))
            .number();
    assertEquals(set() + 1, again);
    restart(madeAgain);
    assertTrue(isKept());
    erase();
    store.letGoOfDropped(0);
    store.letGoOfDropped(WHILE);
    assertFalse(isKept());
    assertNotNull(store.partitionOfGroup(again, 0));
    restart(madeAgain);
    assertFalse(isKept());
    assertNotNull(store.partitionOfGroup(again, 0));
  }

  /// Nothing of it is there for long, and nothing ends an opening.
  @Test
  void whatComesLateIsRemovedAgain() throws IOException {
    adopt(dropped);
    store.letGoOfDropped(0);
    store.letGoOfDropped(WHILE);
    assertFalse(isKept());
    write("late");
    assertTrue(rows() > 0);
    store.letGoOfDropped(WHILE + 1);
    store.letGoOfDropped(2 * WHILE + 1);
    assertEquals(0, rows());
    // A crash before that.
    write("later");
    restart(dropped);
    assertFalse(isKept());
    store.letGoOfDropped(0);
    store.letGoOfDropped(WHILE);
    assertEquals(0, rows());
    restart(dropped);
    assertArrayEquals(new int[] {1}, store.records().sets());
  }

  /// It was accepted before the drop and waited, say for the disk.
  @Test
  void aWriteUnderWayAtTheDropKeepsNothing() throws IOException {
    adopt(dropped);
    write("late");
    assertTrue(store.records().erases());
    erase();
    assertEquals(0, store.records().count(keyspace(), 1).keys());
    store.letGoOfDropped(0);
    store.letGoOfDropped(WHILE);
    assertFalse(isKept());
    assertEquals(0, rows());
  }

  /// The slot that it is written to was erased before.
  @Test
  void aWriteBehindTheErasingKeepsNothing() throws IOException {
    write("a");
    adopt(dropped);
    WriteBatch batch = new WriteBatch();
    store.eraseSome(batch);
    store.lsm().append(batch);
    assertTrue(store.records().erases(), "half-way");
    write("late");
    erase();
    assertEquals(0, records());
    store.letGoOfDropped(0);
    store.letGoOfDropped(WHILE);
    assertFalse(isKept());
    assertEquals(0, rows());
  }

  private int records() throws IOException {
    try (LsmIterator all =
        store.lsm().iterator(store.records().data(keyspace()), IteratorOptions.all())) {
      int records = 0;
      for (all.seek(RecordKey.first(set(), 0)); all.valid(); all.next()) {
        records++;
      }
      return records;
    }
  }

  /// What comes then is refused: a partition that knows nothing would give out its dots anew, and
  /// would take its own for those of a life that the store forgot.
  @Test
  void afterTheDropNothingIsMintedOrJudged() {
    Replica replica = Replicas.over(bed, store, PlantedBug.NONE);
    KeyspaceConfig own = Objects.requireNonNull(ClusterView.of(made).keyspace(keyspace()));
    Version before = own(store.partition(keyspace(), SLOT).nextCounter());
    List<Unanswered.Refused> refusals = new ArrayList<>();
    adopt(dropped);
    write(replica, own, before, refusals);
    assertEquals(2, refusals.size(), "before the groups are let go of");
    store.letGoOfDropped(0);
    store.letGoOfDropped(WHILE);
    assertFalse(isKept());
    write(replica, own, before, refusals);
    assertEquals(4, refusals.size());
    assertEquals(Unanswered.Reason.INVALID, refusals.getLast().reason());
    assertEquals(before.replica(), store.replicaId());
  }

  private Version own(long counter) {
    Stamp stamp = Stamp.put(1L << 40, store.replicaId());
    return new Version(store.replicaId(), counter, stamp, 0, ValueType.BYTES, new byte[] {1});
  }

  private void write(
      Replica replica,
      KeyspaceConfig keyspace,
      Version arriving,
      List<Unanswered.Refused> refusals) {
    replica
        .writes()
        .apply(
            keyspace,
            SLOT,
            new byte[] {7},
            Siblings.of(arriving),
            new Applied() {
              @Override
              public void durable() {
                // Told by the number of refusals.
              }

              @Override
              public void superseded(Version by) {
                throw new IllegalStateException(by.toString());
              }

              @Override
              public void refused(Unanswered.Refused why) {
                refusals.add(why);
              }
            });
    replica
        .minting()
        .mutate(
            keyspace,
            SLOT,
            new byte[] {8},
            new Mutation() {
              private final QuietWrite write = new QuietWrite(10, 0, new DotSet());

              @Override
              public Draft over(@Nullable Siblings base) {
                return write.over(base);
              }

              @Override
              public void minted(Siblings record, long dot) {
                // Told by the number of refusals.
              }

              @Override
              public void durable() {
                // Nobody waits.
              }

              @Override
              public void refused(Unanswered.Refused why) {
                refusals.add(why);
              }
            });
    bed.world.runUntil(bed.world.nanos() + 100_000_000);
  }

  /// A topology that has not given out the number is older than the store.
  @Test
  void nothingGoesOnTheWordOfAnOlderTopology() throws IOException {
    write("a");
    restart(founded);
    store.letGoOfDropped(0);
    store.letGoOfDropped(WHILE);
    assertTrue(isKept());
    restart(made);
    assertTrue(store.partition(keyspace(), SLOT).clock().contains(9, 1));
  }

  /// Rows of groups that are not among the store's, and that the topology has: a row of the store
  /// was lost.
  @Test
  void rowsOfGroupsThatAreThereAreAnError() throws IOException {
    write("a");
    store.journal().writeRows(new WriteBatch(), 0);
    WriteBatch lost = new WriteBatch().delete(store.records().meta(), RowKeys.GROUPS);
    store.lsm().append(lost);
    store.lsm().flushLog();
    store.lsm().syncLog();
    store.close();
    bed.powerCut();
    Store opened = Store.open(bed.open(), PARTITIONS, 0, 1, Randomness.of(3), Events.NONE);
    String problem = opened.problem(ClusterView.of(made), 1);
    assertTrue(String.valueOf(problem).contains("a row of groups"), problem);
    opened.close();
  }
}
