package dev.tern.core.store;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Slots;
import dev.tern.env.DecodeException;
import dev.tern.env.Events;
import dev.tern.env.NodeEvent;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// Where the records of a shard lie and what they count: column families, record keys, partitions
/// of the known replica groups, figures, and whose store it is. What the bytes of a record say, and
/// how records of several nodes are kept alike, is the business of whoever stands on it.
///
/// Writes go to the engine ([#lsm]) as batches of their owner, so that what the owner knows of its
/// records commits with them. Rows in `meta` are keyed by [RowKeys].
///
/// Invariants: the id is minted once for a directory and never used by another; a partition of a
/// known group stays known, and is the same object until the store is closed.
///
/// Threads: the shard's loop, but where said.
public final class RecordStore implements AutoCloseable {
  /// Of the records and of what is kept beside them.
  public static final int FORMAT = 5;

  /// Where the rows of the store and of its partitions lie.
  public static final String META = "meta";

  /// Slots of a dropped keyspace that are erased at one time.
  private static final int ERASED_AT_ONCE = 64;

  private static final String LEVELED = "data";
  private static final String SIZE_TIERED = "data-size-tiered";

  /// Where records lie.
  public static final List<String> DATA_FAMILIES = List.of(LEVELED, SIZE_TIERED);

  private final Lsm lsm;
  private final ColumnFamily leveled;
  private final ColumnFamily sizeTiered;
  private final ColumnFamily meta;
  private final int shard;
  private final int shards;
  private final int slotsOfPartition;
  private final int partitions;
  private final Ownership ownership;
  private final Events events;
  private final Randomness randomness;

  /// By the store's own count of groups: the partitions of this shard, by number.
  private PartitionRecords[][] groups = new PartitionRecords[0][];

  /// What the topology calls them.
  private int[] groupNumbers = new int[0];

  /// The groups that were let go of: their partitions are [#nowhere].
  private final BitSet gone = new BitSet();

  /// No partition of a group is here.
  private final PartitionRecords[] nowhere;

  /// By keyspace id: the group, -1 where none is known.
  private int[] groupOfKeyspace = new int[0];

  /// By keyspace id, null where none is known.
  private @Nullable KeyHash[] hashOfKeyspace = new KeyHash[0];

  /// What the partitions count, for other threads.
  private final CountTable counts;

  /// Keyspace ids whose tables are [#sizeTiered].
  private final BitSet tiered = new BitSet();

  /// Dropped keyspaces whose records are still here, in the order in which they are erased: the
  /// first one stays the first until it is gone, whatever is dropped meanwhile.
  private final LinkedHashSet<Integer> doomed = new LinkedHashSet<>();

  /// Keyspaces that the adopted view has dropped; their ids are not given out again.
  private final BitSet dropped = new BitSet();

  /// Where the first of [#doomed] is gone already: slots below.
  private int erasedTo;

  /// Never 0.
  private int id;

  private RecordStore(
      Lsm lsm, int partitions, int shard, int shards, Randomness randomness, Events events)
      throws IOException {
    this.lsm = lsm;
    this.events = events;
    this.randomness = randomness;
    this.shard = shard;
    this.shards = shards;
    this.partitions = partitions;
    this.slotsOfPartition = Slots.COUNT / partitions;
    this.nowhere = new PartitionRecords[partitions];
    this.counts = new CountTable(partitions);
    this.leveled = lsm.columnFamily(LEVELED, CompactionStyle.LEVELED);
    this.sizeTiered = lsm.columnFamily(SIZE_TIERED, CompactionStyle.SIZE_TIERED);
    this.meta = lsm.columnFamily(META, CompactionStyle.LEVELED);
    this.ownership = new Ownership(lsm, meta, shard);
  }

  /// Looks at a store before it is opened, and writes nothing: whether it is the one of a shard of
  /// a member, in a format that this version reads.
  ///
  /// @param found open read-only at least
  /// @param self the member
  /// @throws IOException if it is not, with what to do
  public static void look(Lsm found, ClusterView view, int self, int shard, int shards)
      throws IOException {
    decoding(
        shard,
        () -> {
          Ownership.look(found, view, self, shard, shards);
          return found;
        });
  }

  /// Makes the families of a store. [#identify] and [#loadGroups] must follow before anything else
  /// is asked of it.
  ///
  /// @param partitions of the cluster
  /// @param events told of what happens to the store
  /// @throws IOException if the engine cannot make them
  public static RecordStore over(
      Lsm lsm, int partitions, int shard, int shards, Randomness randomness, Events events)
      throws IOException {
    return new RecordStore(lsm, partitions, shard, shards, randomness, events);
  }

  /// Reads rows of a store's own.
  public interface Decoding<T> {
    /// What the rows say.
    T read() throws IOException;
  }

  /// Reads rows of a store's own at its opening.
  ///
  /// @throws IOException if they cannot be read or decoded, with what to do
  public static <T> T decoding(int shard, Decoding<T> reading) throws IOException {
    try {
      return reading.read();
    } catch (DecodeException | IndexOutOfBoundsException | NullPointerException e) {
      throw new IOException(
          "shard %d: a row of the store's own cannot be decoded: %s; move the directory away and start with an empty one: the other nodes fill it (alone: restore a backup)"
              .formatted(shard, e.getMessage()),
          e);
    }
  }

  /// Reads what the store says of itself. Blocks.
  ///
  /// @param opening gets what must be written before anything else is
  /// @throws IOException if the store cannot be read or belongs to other settings
  public void identify(WriteBatch opening) throws IOException {
    ownership.load();
    StoreRows.Identity then = Ownership.identity(lsm, meta, shards, partitions);
    if (then == null) {
      mintId(opening);
    } else {
      id = then.id();
    }
  }

  /// Finds the partitions of the groups that the store knows. Their figures are nothing: whoever
  /// keeps them in its rows reads them. Blocks.
  ///
  /// @throws IOException if the store cannot be read
  public void loadGroups() throws IOException {
    byte[] numbers = lsm.get(meta, RowKeys.GROUPS, Long.MAX_VALUE);
    if (numbers != null) {
      for (int number : StoreRows.groups(numbers)) {
        addGroup(number);
      }
    }
  }

  private void mintId(WriteBatch batch) {
    int before = id;
    do {
      id = (int) randomness.nextLong() | 1;
    } while (id == before);
    batch.put(
        meta, RowKeys.IDENTITY, new StoreRows.Identity(id, shards, partitions, FORMAT).encoded());
  }

  /// The id of this store, which the versions that it mints carry as their replica id.
  public int id() {
    return id;
  }

  /// Takes another id from the next version on. To be called when others know of versions of this
  /// store that it never gave out: it was restored, or its disk lost what it had forced.
  public void takeNewId() {
    WriteBatch batch = new WriteBatch();
    mintId(batch);
    lsm.append(batch);
    events.happened(new NodeEvent.ReplicaIdTaken(shard, id));
  }

  private int addGroup(int number) {
    assert Arrays.stream(groupNumbers).noneMatch(known -> known == number)
        : "groups %d for the second time".formatted(number);
    int group = groups.length;
    groups = Arrays.copyOf(groups, group + 1);
    groupNumbers = Arrays.copyOf(groupNumbers, group + 1);
    groupNumbers[group] = number;
    groups[group] = new PartitionRecords[partitions];
    for (int p = shard; p < partitions; p += shards) {
      groups[group][p] = PartitionRecords.of(number, p, firstSlot(p), slotsOfPartition);
    }
    return group;
  }

  /// Goes by other keyspaces and groups from now on.
  ///
  /// @param self the member whose store it is
  /// @param batch gets what must be written before anything else is
  public void adopt(ClusterView view, int self, WriteBatch batch) {
    ownership.claim(view, self, batch);
    int known = groups.length;
    for (KeyspaceConfig keyspace : view.keyspaces()) {
      tiered.set(keyspace.id(), keyspace.compaction() == CompactionStyle.SIZE_TIERED);
      int number = Objects.requireNonNull(view.groups(keyspace.id())).number();
      int found = groupOfSet(number);
      assign(keyspace.id(), found < 0 ? addGroup(number) : found, keyspace.hash());
    }
    if (groups.length > known) {
      writeGroups(batch);
    }
  }

  private void writeGroups(WriteBatch batch) {
    batch.put(meta, RowKeys.GROUPS, StoreRows.groups(sets()));
  }

  /// What the topology calls the groups that are here, in the order of the store's count.
  public int[] sets() {
    return IntStream.range(0, groups.length)
        .filter(group -> !gone.get(group))
        .map(group -> groupNumbers[group])
        .toArray();
  }

  /// Forgets a group and removes all its rows, of all families. No keyspace may be in it, and none
  /// ever will. Its place in the store's count stays until the next opening.
  ///
  /// @param families all that have rows of partitions
  public void letGo(int group, List<ColumnFamily> families, WriteBatch batch) {
    assert IntStream.range(0, groupOfKeyspace.length)
            .allMatch(keyspace -> groupOfKeyspace[keyspace] != group || dropped.get(keyspace))
        : "groups %d still have a keyspace".formatted(groupNumbers[group]);
    groups[group] = nowhere;
    gone.set(group);
    writeGroups(batch);
    eraseSet(groupNumbers[group], families, batch);
  }

  /// Removes all rows of the partitions of a set from some families.
  public void eraseSet(int set, List<ColumnFamily> families, WriteBatch batch) {
    byte[] from = RecordKey.first(set, 0);
    byte[] to = RecordKey.first(set, Slots.COUNT);
    families.forEach(family -> batch.deleteRange(family, from, to));
  }

  /// Whether a group was let go of.
  ///
  /// @param group by the store's count
  public boolean isGone(int group) {
    return gone.get(group);
  }

  private void assign(int keyspace, int group, KeyHash hash) {
    int before = groupOfKeyspace.length;
    if (keyspace >= before) {
      groupOfKeyspace = Arrays.copyOf(groupOfKeyspace, keyspace + 1);
      Arrays.fill(groupOfKeyspace, before, keyspace + 1, -1);
      hashOfKeyspace = Arrays.copyOf(hashOfKeyspace, keyspace + 1);
    }
    assert groupOfKeyspace[keyspace] < 0 || groupOfKeyspace[keyspace] == group
        : "keyspace %d lies elsewhere than before".formatted(keyspace);
    groupOfKeyspace[keyspace] = group;
    hashOfKeyspace[keyspace] = hash;
  }

  /// Why this store is not the one of a member of a cluster; null if it may be.
  public @Nullable String problem(ClusterView view, int self) {
    return ownership.problem(view, self);
  }

  /// How many groups are known. They are counted from 0 in the order they came to be known.
  public int groups() {
    return groups.length;
  }

  /// The partitions of a group, by number; null where another shard has it. Do not change.
  ///
  /// @param group by the store's count
  public @Nullable PartitionRecords[] partitions(int group) {
    return groups[group];
  }

  /// The group of a keyspace that was in an adopted view, by the store's count.
  public int group(int keyspace) {
    return groupOfKeyspace[keyspace];
  }

  /// The group that the topology gives a number, by the store's count; -1 if it is not known.
  public int groupOfSet(int set) {
    for (int group = 0; group < groups.length; group++) {
      if (groupNumbers[group] == set && !gone.get(group)) {
        return group;
      }
    }
    return -1;
  }

  /// Tells all partitions of this store.
  public void forEachPartition(Consumer<PartitionRecords> told) {
    for (PartitionRecords[] group : groups) {
      for (int p = shard; p < partitions; p += shards) {
        if (group[p] != null) {
          told.accept(group[p]);
        }
      }
    }
  }

  /// Partitions of the cluster.
  public int partitions() {
    return partitions;
  }

  /// The number of the partition that has a slot.
  public int partitionOf(int slot) {
    return slot / slotsOfPartition;
  }

  /// The first slot of a partition; its last is that of the next, less one.
  public int firstSlot(int partition) {
    return partition * slotsOfPartition;
  }

  /// Slots of each partition.
  public int slotsOfPartition() {
    return slotsOfPartition;
  }

  /// Whether this store keeps that slot's partition; any thread.
  public boolean holds(int slot) {
    return slot / slotsOfPartition % shards == shard;
  }

  /// Whether this store keeps that slot's partition and it is not among some; any thread.
  public boolean holds(int slot, @Nullable BitSet but) {
    return holds(slot) && (but == null || !but.get(slot / slotsOfPartition));
  }

  /// Where the record of a user key lies, of a keyspace that was in an adopted view.
  public byte[] recordKey(int keyspace, int slot, byte[] key) {
    int hash = Objects.requireNonNull(hashOfKeyspace[keyspace]).of(key);
    return RecordKey.of(set(keyspace), slot, keyspace, hash, key);
  }

  /// The number of the groups of a keyspace, 0 if it was in no adopted view.
  public int set(int keyspace) {
    boolean known = keyspace < groupOfKeyspace.length && groupOfKeyspace[keyspace] >= 0;
    return known ? groupNumbers[groupOfKeyspace[keyspace]] : 0;
  }

  /// Where a keyspace's records are.
  public ColumnFamily data(int keyspace) {
    return tiered.get(keyspace) ? sizeTiered : leveled;
  }

  /// All families of records.
  public List<ColumnFamily> dataFamilies() {
    return List.of(leveled, sizeTiered);
  }

  /// Where the records of the keyspaces of a partition's group lie, by keyspace id.
  public SortedMap<Integer, ColumnFamily> families(PartitionRecords partition) {
    TreeMap<Integer, ColumnFamily> families = new TreeMap<>();
    for (int keyspace = 0; keyspace < groupOfKeyspace.length; keyspace++) {
      if (set(keyspace) == partition.set()) {
        families.put(keyspace, data(keyspace));
      }
    }
    return families;
  }

  /// Where rows beside the records lie, keyed by [RowKeys].
  public ColumnFamily meta() {
    return meta;
  }

  /// The engine that everything is written to and read from; reads on any thread.
  public Lsm lsm() {
    return lsm;
  }

  /// The number of the shard on its node.
  public int shard() {
    return shard;
  }

  /// Where this shard reports what happens to it.
  public Events events() {
    return events;
  }

  /// What a partition holds of a keyspace came to be more or less. It is as durable as the row in
  /// which the caller keeps the figures.
  public void counted(
      PartitionRecords partition, int keyspace, long keys, long expiring, long bytes) {
    partition.count(keyspace, keys, expiring, bytes);
    counts.add(keyspace, partition.number(), keys, expiring, bytes);
    assert isTold(partition, keyspace);
    if (dropped.get(keyspace)) {
      condemn(keyspace);
    }
  }

  /// Whether the adopted view has dropped a keyspace: nothing more is to be written of it.
  public boolean isDropped(int keyspace) {
    return dropped.get(keyspace);
  }

  /// A record was written of a dropped keyspace: all of it is erased, from the first slot on.
  private void condemn(int keyspace) {
    if (!doomed.isEmpty() && doomed.getFirst() == keyspace) {
      erasedTo = 0;
    }
    doomed.add(keyspace);
  }

  /// The figures of a partition were read from its row.
  public void loaded(PartitionRecords partition) {
    for (int keyspace : partition.keyspaces()) {
      tell(partition, keyspace, 1);
    }
  }

  /// A partition loses all that it counts: its records are dropped.
  public void emptied(PartitionRecords partition) {
    for (int keyspace : partition.keyspaces()) {
      tell(partition, keyspace, -1);
    }
    partition.empty();
  }

  /// A partition has no records of a dropped keyspace any more, and will have none.
  public void forget(PartitionRecords partition, int keyspace) {
    tell(partition, keyspace, -1);
    partition.forget(keyspace);
  }

  /// Adds what a partition counts of a keyspace to what other threads see, or takes it away.
  ///
  /// @param times 1 or -1
  private void tell(PartitionRecords partition, int keyspace, int times) {
    counts.add(
        keyspace,
        partition.number(),
        times * partition.keys(keyspace),
        times * partition.expiring(keyspace),
        times * partition.bytes(keyspace));
  }

  /// Whether other threads see what a partition of this store counts.
  private boolean isTold(PartitionRecords partition, int keyspace) {
    CountOutcome.Count told = counts.of(keyspace, partition.number());
    return groupOfSet(partition.set()) < 0
        || told.keys() == Math.max(0, partition.keys(keyspace))
            && told.expiring() == Math.max(0, partition.expiring(keyspace))
            && told.bytes() == Math.max(0, partition.bytes(keyspace));
  }

  /// What a partition of this store holds of a keyspace; any thread.
  public CountOutcome.Count count(int keyspace, int partition) {
    return counts.of(keyspace, partition);
  }

  /// Finds the keyspaces that a view has dropped and that have records here: they are to be erased
  /// little by little ([#eraseSome]). What was under way then may still be written and counted; it
  /// is erased, too.
  public void condemnDropped(ClusterView view) {
    for (int keyspace = 0; keyspace < groupOfKeyspace.length; keyspace++) {
      assert !dropped.get(keyspace) || view.dropped(keyspace)
          : "keyspace %d was given out again".formatted(keyspace);
      dropped.set(keyspace, view.dropped(keyspace));
    }
    forEachPartition(
        partition -> {
          for (int keyspace : partition.keyspaces()) {
            if (view.dropped(keyspace)) {
              // Also one of groups that were let go of before this store was opened.
              dropped.set(keyspace);
              doomed.add(keyspace);
            }
          }
        });
  }

  /// Whether there is something to erase.
  public boolean erases() {
    return !doomed.isEmpty();
  }

  /// Is told what is erased.
  public interface Erasure {
    /// The records of a keyspace in one slot of a partition go with a batch.
    void slot(PartitionRecords partition, WriteBatch batch);

    /// A partition has no records of the keyspace any more: its figures have changed.
    void whole(PartitionRecords partition);
  }

  /// Adds the removal of some slots' records of a dropped keyspace. After a crash it begins anew.
  public void eraseSome(WriteBatch batch, Erasure told) {
    int keyspace = doomed.getFirst();
    assert dropped.get(keyspace) : "keyspace %d is not dropped".formatted(keyspace);
    for (int ranges = 0; ranges < ERASED_AT_ONCE && erasedTo < Slots.COUNT; erasedTo++) {
      PartitionRecords partition = knowing(keyspace, erasedTo / slotsOfPartition);
      if (partition == null) {
        continue;
      }
      byte[] from = RecordKey.first(partition.set(), erasedTo, keyspace);
      byte[] to = RecordKey.first(partition.set(), erasedTo, keyspace + 1);
      batch.deleteRange(leveled, from, to).deleteRange(sizeTiered, from, to);
      ranges++;
      told.slot(partition, batch);
      if ((erasedTo + 1) % slotsOfPartition == 0) {
        forget(partition, keyspace);
        told.whole(partition);
      }
    }
    if (erasedTo == Slots.COUNT) {
      erasedTo = 0;
      doomed.remove(keyspace);
      counts.forget(keyspace);
    }
  }

  private @Nullable PartitionRecords knowing(int keyspace, int number) {
    for (PartitionRecords[] group : groups) {
      if (group[number] != null && group[number].knows(keyspace)) {
        return group[number];
      }
    }
    return null;
  }

  @Override
  public void close() throws IOException {
    lsm.close();
  }
}
