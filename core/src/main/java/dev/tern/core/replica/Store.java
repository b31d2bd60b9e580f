package dev.tern.core.replica;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.Slots;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.TreeRange;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.DiskFull;
import dev.tern.env.Events;
import dev.tern.env.NodeEvent;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What a shard keeps on disk and the figures it keeps of it in memory: its records, the rows of
/// its partitions, its identity, and the numbers it may give out.
///
/// Invariants: the replica id is minted once for a directory and never used by another; counters
/// and stamps given out lie below a reservation that was on disk first, and an opening skips to the
/// end of the last one, so that none is ever given out twice, whatever a crash took.
public final class Store implements AutoCloseable {
  /// Counters reserved at a time, for all partitions together.
  private static final long COUNTER_BLOCK = 1 << 20;

  /// Of the records and of what is kept beside them.
  static final int FORMAT = 5;

  /// Slots of a dropped keyspace that are erased at one time.
  private static final int ERASED_AT_ONCE = 64;

  /// Where the rows of the store and of its partitions lie.
  static final String META = "meta";

  private static final String LEVELED = "data";
  private static final String SIZE_TIERED = "data-size-tiered";

  /// Where records lie.
  static final List<String> DATA_FAMILIES = List.of(LEVELED, SIZE_TIERED);

  private final Lsm lsm;
  private final ColumnFamily leveled;
  private final ColumnFamily sizeTiered;
  private final ColumnFamily meta;
  private final ColumnFamily dots;
  private final ColumnFamily graves;
  private final ColumnFamily expiries;
  private final Hints hints;
  private final int shard;
  private final int shards;
  private final int slotsOfPartition;
  private final int partitions;
  private final Journal journal;
  private final Ownership ownership;
  private final StoredRecords records;
  private final Events events;

  /// By the store's own count of groups: the partitions of this shard, by number.
  private Partition[][] groups = new Partition[0][];

  /// What the topology calls them.
  private int[] groupNumbers = new int[0];

  /// By keyspace id: the group, -1 where none is known.
  private int[] groupOfKeyspace = new int[0];

  /// By keyspace id, null where none is known.
  private @Nullable KeyHash[] hashOfKeyspace = new KeyHash[0];

  /// Where the counters of partitions begin that have none.
  private long firstCounter;

  /// What the partitions count, for other threads.
  private final CountTable counts;

  /// Keyspace ids whose tables are [#sizeTiered].
  private final BitSet tiered = new BitSet();

  /// Ids of keyspaces where the last write wins.
  private final BitSet newest = new BitSet();

  /// Dropped keyspaces whose records are still here.
  private final TreeSet<Integer> doomed = new TreeSet<>();

  /// Where the first of them is gone already: slots below.
  private int erasedTo;

  /// Counts partitions that lost what they held, see [#emptied()].
  private int emptied;

  /// Where the walk over the hash trees was.
  private long walkedTo;

  private int replicaId;

  /// Whether [#distrustId] was called in this life.
  private boolean distrusted;

  private final Randomness randomness;
  private HybridClock hlc = new HybridClock(0, 0);
  private long reservedCounter;
  private boolean reserving;

  /// What the opening could not make durable; null if it could.
  private @Nullable Pending opening;

  /// Numbers that may be given out once they are on disk.
  ///
  /// @param counter no partition's counter reaches it
  /// @param stamp no stamp reaches it
  record Reservation(long counter, long stamp) {}

  /// A reservation that waits for the disk.
  record Pending(long sequence, Reservation wanted) {}

  private Store(
      Lsm lsm, int partitions, int shard, int shards, Randomness randomness, Events events)
      throws IOException {
    this.events = events;
    this.records = new StoredRecords(shard, events);
    this.lsm = lsm;
    this.randomness = randomness;
    this.shard = shard;
    this.shards = shards;
    this.leveled = lsm.columnFamily(LEVELED, CompactionStyle.LEVELED);
    this.sizeTiered = lsm.columnFamily(SIZE_TIERED, CompactionStyle.SIZE_TIERED);
    this.meta = lsm.columnFamily(META, CompactionStyle.LEVELED);
    this.dots = lsm.columnFamily("dots", CompactionStyle.LEVELED);
    this.hints = new Hints(lsm, lsm.columnFamily("hints", CompactionStyle.LEVELED));
    this.graves = lsm.columnFamily("graves", CompactionStyle.LEVELED);
    this.partitions = partitions;
    this.counts = new CountTable(partitions);
    this.slotsOfPartition = Slots.COUNT / partitions;
    this.expiries = lsm.columnFamily("expiries", CompactionStyle.LEVELED);
    this.journal = new Journal(lsm, meta, dots, graves, expiries);
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

  /// Reads what the store knows and reserves the next block of numbers, durably.
  ///
  /// @param partitions of the cluster
  /// @param events told of what happens to the store
  /// @throws IOException if the store cannot be read or belongs to other settings
  public static Store open(
      Lsm lsm, int partitions, int shard, int shards, Randomness randomness, Events events)
      throws IOException {
    return decoding(shard, () -> opened(lsm, partitions, shard, shards, randomness, events));
  }

  /// Reads rows of a store's own.
  private interface Decoding<T> {
    T read() throws IOException;
  }

  private static <T> T decoding(int shard, Decoding<T> reading) throws IOException {
    try {
      return reading.read();
    } catch (DecodeException | IndexOutOfBoundsException | NullPointerException e) {
      throw new IOException(
          "shard %d: a row of the store's own cannot be decoded: %s; move the directory away and start with an empty one: the other nodes fill it (alone: restore a backup)"
              .formatted(shard, e.getMessage()),
          e);
    }
  }

  private static Store opened(
      Lsm lsm, int partitions, int shard, int shards, Randomness randomness, Events events)
      throws IOException {
    Store store = new Store(lsm, partitions, shard, shards, randomness, events);
    WriteBatch batch = new WriteBatch();
    store.identify(batch);
    byte[] row = lsm.get(store.meta, Rows.RESERVATION, Long.MAX_VALUE);
    Reservation last = row == null ? new Reservation(0, 0) : MetaRows.reservation(row);
    store.load(last.counter());
    store.hlc = new HybridClock(last.stamp(), 0);
    store.forEachPartition(partition -> Ballots.restarted(partition, last.stamp()));
    // The time is not known yet: what one's own clock says may be wrong for ever on disk.
    Reservation next = java.util.Objects.requireNonNull(store.wantReservation(0));
    batch.put(store.meta, Rows.RESERVATION, MetaRows.encoded(next));
    store.journal.writeRows(batch, 0);
    long sequence = lsm.append(batch);
    try {
      lsm.flushLog();
      lsm.syncLog();
    } catch (IOException e) {
      if (lsm.failure() != null || !DiskFull.is(e)) {
        throw e;
      }
    }
    if (lsm.syncedSequence() >= sequence) {
      store.reserved(next);
    } else {
      // The disk is full: the store is read, and gives out no number before this is on it.
      store.opening = new Pending(sequence, next);
    }
    return store;
  }

  private void mintId(WriteBatch batch) {
    replicaId = (int) randomness.nextLong() | 1;
    MetaRows.Identity identity = new MetaRows.Identity(replicaId, shards, partitions, FORMAT);
    batch.put(meta, Rows.IDENTITY, identity.encoded());
  }

  /// Takes another replica id from the next version on. To be called when others know of dots of
  /// this one that this store never gave out: it was restored, or its disk lost what it had forced.
  public void takeNewId() {
    WriteBatch batch = new WriteBatch();
    mintId(batch);
    lsm.append(batch);
    events.happened(new NodeEvent.ReplicaIdTaken(shard, replicaId));
  }

  private void identify(WriteBatch batch) throws IOException {
    MetaRows.Identity then = Ownership.identity(lsm, meta, shards, partitions);
    if (then == null) {
      mintId(batch);
    } else {
      replicaId = then.replica();
    }
  }

  private void load(long firstCounter) throws IOException {
    reservedCounter = firstCounter;
    this.firstCounter = firstCounter;
    byte[] numbers = lsm.get(meta, Rows.GROUPS, Long.MAX_VALUE);
    if (numbers != null) {
      for (int number : MetaRows.groups(numbers)) {
        addGroup(number);
      }
    }
    loadPartitions();
    byte[] place = lsm.get(meta, Rows.WALK, Long.MAX_VALUE);
    walkedTo = place == null ? 0 : MetaRows.number(place);
    journal.load(this::known, this::counted);
  }

  private void loadPartitions() throws IOException {
    try (LsmIterator rows = lsm.iterator(meta, IteratorOptions.all())) {
      for (rows.seek(Rows.PARTITIONS); rows.valid(); rows.next()) {
        ByteReader key = new ByteReader(rows.key());
        int set = key.readUnsignedShort();
        int slot = key.readUnsignedShort();
        Partition partition = known(set, partitionOf(slot));
        if (MetaRows.load(partition, slot, segments(), key, rows.value())) {
          for (int keyspace : partition.keyspaces()) {
            tell(partition, keyspace, 1);
          }
        }
      }
    }
  }

  /// A partition that a row of the store's own names.
  private Partition known(int set, int number) {
    Partition partition = partitionOfGroup(set, number);
    if (partition == null) {
      throw new DecodeException("a row of partition %d of groups %d".formatted(number, set));
    }
    return partition;
  }

  /// A partition has all that its other replicas had.
  public void filled(Partition partition) {
    if (!partition.filled) {
      partition.filled = true;
      lsm.append(new WriteBatch().put(meta, Rows.of(partition, Rows.FILLED), MetaRows.filled()));
    }
  }

  /// A partition lacks what it has told another replica that it has: its directory was set back.
  public void unfilled(Partition partition) {
    if (partition.filled) {
      partition.filled = false;
      lsm.append(new WriteBatch().delete(meta, Rows.of(partition, Rows.FILLED)));
    }
  }

  /// The stamp that what is absent in a slot's partition counts as deleted at.
  public Stamp floor(int keyspace, int slot) {
    return partition(keyspace, slot).floor;
  }

  /// Counts the deletes stripped from a slot's partition since the start.
  public long strips(int keyspace, int slot) {
    return partition(keyspace, slot).strips;
  }

  /// Another replica of a partition has stripped deletes up to a stamp. A replica that was rebuilt
  /// knows from this what its absent records count as.
  public void learnFloor(Partition partition, Stamp floor) {
    if (floor.compareTo(partition.floor) > 0) {
      WriteBatch batch = new WriteBatch();
      raiseFloor(partition, floor, batch);
      partition.floorSequence = lsm.append(batch);
      follow(floor.time());
    }
  }

  /// A replica of a slot's partition has stripped deletes up to a stamp.
  public void learnFloor(int keyspace, int slot, Stamp floor) {
    learnFloor(partition(keyspace, slot), floor);
  }

  /// A delete is stripped with this batch: what is absent counts as deleted at its stamp at least.
  void raiseFloor(Partition partition, Stamp stamp, WriteBatch batch) {
    if (stamp.compareTo(partition.floor) > 0) {
      partition.floor = stamp;
      // So that the other replicas are told soon.
      partition.turns++;
      batch.put(meta, Rows.of(partition, Rows.FLOOR), MetaRows.floor(stamp));
    }
  }

  private int addGroup(int number) {
    int group = groups.length;
    groups = Arrays.copyOf(groups, group + 1);
    groupNumbers = Arrays.copyOf(groupNumbers, group + 1);
    groupNumbers[group] = number;
    groups[group] = new Partition[partitions];
    for (int p = shard; p < partitions; p += shards) {
      groups[group][p] = new Partition(number, p, firstSlot(p), new DotSet(), firstCounter);
    }
    return group;
  }

  /// The partition of a slot, in the group of a keyspace that was in an adopted view.
  Partition partition(int keyspace, int slot) {
    return groups[groupOfKeyspace[keyspace]][slot / slotsOfPartition];
  }

  /// The partition of a group as the topology numbers it, null if none is here.
  public @Nullable Partition partitionOfGroup(int groupNumber, int partition) {
    for (int group = 0; group < groups.length; group++) {
      if (groupNumbers[group] == groupNumber && partition >= 0 && partition < partitions) {
        return groups[group][partition];
      }
    }
    return null;
  }

  /// What the topology calls a partition's group.
  public int groupNumber(Partition partition) {
    return partition.set;
  }

  /// Where the record of a user key lies, of a keyspace that was in an adopted view.
  byte[] recordKey(int keyspace, int slot, byte[] key) {
    int hash = java.util.Objects.requireNonNull(hashOfKeyspace[keyspace]).of(key);
    return RecordKey.of(set(keyspace), slot, keyspace, hash, key);
  }

  /// The number of the groups of a keyspace, 0 if it was in no adopted view.
  int set(int keyspace) {
    boolean known = keyspace < groupOfKeyspace.length && groupOfKeyspace[keyspace] >= 0;
    return known ? groupNumbers[groupOfKeyspace[keyspace]] : 0;
  }

  /// Whether a row of a partition that names a record's key names one of that partition.
  boolean isKeyOf(Partition partition, byte[] recordKey) {
    return RecordKey.isOne(recordKey)
        && RecordKey.set(recordKey) == partition.set
        && partitionOf(RecordKey.slot(recordKey)) == partition.number
        && RecordKey.keyspace(recordKey) > 0;
  }

  /// Tells all partitions of this store.
  public void forEachPartition(Consumer<Partition> told) {
    for (Partition[] group : groups) {
      for (int p = shard; p < partitions; p += shards) {
        told.accept(group[p]);
      }
    }
  }

  /// Whether this store keeps that slot's partition.
  public boolean holds(int slot) {
    return slot / slotsOfPartition % shards == shard;
  }

  /// Whether this store keeps that slot's partition and it is not among some.
  boolean holds(int slot, @Nullable BitSet but) {
    return holds(slot) && (but == null || !but.get(slot / slotsOfPartition));
  }

  /// Where this shard reports what happens to it.
  public Events events() {
    return events;
  }

  /// The number of the shard on its node.
  int shard() {
    return shard;
  }

  /// Decodes what is stored.
  public StoredRecords records() {
    return records;
  }

  /// What keeps the rows of the partitions.
  Journal journal() {
    return journal;
  }

  /// When the last group of writes was committed, hybrid time: see [Journal]. On the loop.
  public long lastCommit() {
    return journal.lastCommit();
  }

  /// What a partition holds of a keyspace came to be more or less, see [WriteCounts].
  void counted(Partition partition, int keyspace, long keys, long expiring, long bytes) {
    partition.count(keyspace, keys, expiring, bytes);
    counts.add(keyspace, partition.number, keys, expiring, bytes);
  }

  /// A partition is about to lose all that it counts.
  void untell(Partition partition) {
    for (int keyspace : partition.keyspaces()) {
      tell(partition, keyspace, -1);
    }
  }

  /// Adds what a partition counts of a keyspace to what other threads see, or takes it away.
  ///
  /// @param times 1 or -1
  private void tell(Partition partition, int keyspace, int times) {
    counts.add(
        keyspace,
        partition.number,
        times * partition.keys(keyspace),
        times * partition.expiring(keyspace),
        times * partition.bytes(keyspace));
  }

  /// What a partition of this store holds of a keyspace; any thread.
  public CountOutcome.Count count(int keyspace, int partition) {
    return counts.of(keyspace, partition);
  }

  /// Why this store is not the one of a member of a cluster; null if it may be.
  public @Nullable String problem(ClusterView view, int self) {
    return ownership.problem(view, self);
  }

  /// Goes by other keyspaces and groups from now on. Keyspaces that were dropped are erased little
  /// by little, replicas of another admission at once ([ReplicaAdmissions]).
  ///
  /// @param self the member whose store it is
  public void adopt(ClusterView view, int self) {
    WriteBatch batch = new WriteBatch();
    ownership.claim(view, self, batch);
    int known = groups.length;
    for (KeyspaceConfig keyspace : view.keyspaces()) {
      tiered.set(keyspace.id(), keyspace.compaction() == CompactionStyle.SIZE_TIERED);
      newest.set(keyspace.id(), keyspace.resolution() == Resolution.LWW);
      ReplicaGroups of = java.util.Objects.requireNonNull(view.groups(keyspace.id()));
      assign(keyspace.id(), group(of.number()), keyspace.hash());
      for (Partition partition : groups[group(of.number())]) {
        if (partition != null) {
          partition.replicated = of.lists().list(partition.number).length > 1;
        }
      }
    }
    if (groups.length > known) {
      batch.put(meta, Rows.GROUPS, MetaRows.groups(groupNumbers));
    }
    emptied += new ReplicaAdmissions(this).adopt(view, self, batch);
    if (batch.entries() > 0) {
      lsm.append(batch);
    }
    forEachPartition(
        partition -> {
          for (int keyspace : partition.keyspaces()) {
            if (view.dropped(keyspace)) {
              doomed.add(keyspace);
            }
          }
        });
  }

  private int group(int number) {
    for (int group = 0; group < groups.length; group++) {
      if (groupNumbers[group] == number) {
        return group;
      }
    }
    return addGroup(number);
  }

  private void assign(int keyspace, int group, KeyHash hash) {
    int before = groupOfKeyspace.length;
    if (keyspace >= before) {
      groupOfKeyspace = Arrays.copyOf(groupOfKeyspace, keyspace + 1);
      Arrays.fill(groupOfKeyspace, before, keyspace + 1, -1);
      hashOfKeyspace = Arrays.copyOf(hashOfKeyspace, keyspace + 1);
    }
    groupOfKeyspace[keyspace] = group;
    hashOfKeyspace[keyspace] = hash;
  }

  /// Whether there is something to erase.
  boolean erases() {
    return !doomed.isEmpty();
  }

  /// Adds the removal of some slots' records of a dropped keyspace. After a crash it begins anew.
  void eraseSome(WriteBatch batch) {
    int keyspace = doomed.first();
    for (int ranges = 0; ranges < ERASED_AT_ONCE && erasedTo < Slots.COUNT; erasedTo++) {
      Partition partition = knowing(keyspace, erasedTo / slotsOfPartition);
      if (partition == null) {
        continue;
      }
      byte[] from = RecordKey.first(partition.set, erasedTo, keyspace);
      byte[] to = RecordKey.first(partition.set, erasedTo, keyspace + 1);
      batch.deleteRange(leveled, from, to).deleteRange(sizeTiered, from, to);
      ranges++;
      if (partition.tree.known() != 0) {
        byte[] row = Rows.segment(partition, 0);
        byte[] last = Rows.segment(partition, HashTree.SEGMENTS);
        batch.deleteRange(meta, row, last);
      }
      partition.tree.forget();
      if ((erasedTo + 1) % slotsOfPartition == 0) {
        tell(partition, keyspace, -1);
        partition.forget(keyspace);
        journal.change(partition);
      }
    }
    if (erasedTo == Slots.COUNT) {
      erasedTo = 0;
      doomed.remove(keyspace);
    }
  }

  private @Nullable Partition knowing(int keyspace, int number) {
    for (Partition[] group : groups) {
      if (group[number] != null && group[number].knows(keyspace)) {
        return group[number];
      }
    }
    return null;
  }

  /// Whether a version was stored here, pending or superseded as it may be; on the loop.
  public boolean knows(int keyspace, int slot, int replica, long counter) {
    return partition(keyspace, slot).clock.contains(replica, counter);
  }

  /// Whether this replica's word counts beside those of others, see [Partition#isBehind].
  public boolean vouches(int keyspace, int slot) {
    return !partition(keyspace, slot).isBehind();
  }

  /// Partitions of a keyspace's group, by number, whose replicas here are behind; null for none.
  @Nullable BitSet behind(int keyspace) {
    BitSet behind = null;
    for (Partition partition : groups[groupOfKeyspace[keyspace]]) {
      if (partition != null && partition.isBehind()) {
        behind = behind == null ? new BitSet() : behind;
        behind.set(partition.number);
      }
    }
    return behind;
  }

  /// To be called before a version is minted by a replica that is behind: its directory may be an
  /// old copy, whose next dots others have seen already.
  public void distrustId() {
    if (!distrusted) {
      distrusted = true;
      takeNewId();
    }
  }

  /// Whether more numbers should be reserved before these run out.
  boolean reservationIsLow(long counter, long physicalMillis) {
    return !reserving
        && (counter + COUNTER_BLOCK / 2 > reservedCounter || hlc.isLow(physicalMillis));
  }

  @Nullable Reservation wantReservation(long physicalMillis) {
    if (reserving) {
      return null;
    }
    reserving = true;
    return new Reservation(reservedCounter + COUNTER_BLOCK, hlc.wanted(physicalMillis));
  }

  void reserved(Reservation reservation) {
    reserving = false;
    reservedCounter = reservation.counter();
    hlc.reserved(reservation.stamp());
  }

  /// What the opening could not make durable, for lack of room; null if it could.
  @Nullable Pending opening() {
    return opening;
  }

  long reservedCounter() {
    return reservedCounter;
  }

  HybridClock hlc() {
    return hlc;
  }

  /// Learns of a stamp that another replica has accepted, so that the next one minted here lies
  /// above it.
  public void follow(long stamp) {
    hlc.follow(stamp);
  }

  /// The id that this store's versions carry.
  public int replicaId() {
    return replicaId;
  }

  /// Whether a clock knows of dots of this store that it did not give out.
  public boolean isAheadOfUs(Partition partition, DotSet clock) {
    return clock.highest(replicaId) > partition.counter;
  }

  public Lsm lsm() {
    return lsm;
  }

  /// Where a keyspace's records are.
  ColumnFamily data(int keyspace) {
    return tiered.get(keyspace) ? sizeTiered : leveled;
  }

  /// Ids of the keyspaces where the last write wins; a copy.
  BitSet lastWriteWins() {
    return (BitSet) newest.clone();
  }

  ColumnFamily meta() {
    return meta;
  }

  /// All families of records.
  List<ColumnFamily> dataFamilies() {
    return List.of(leveled, sizeTiered);
  }

  /// All families that hold rows of partitions: in each, those of one are a range.
  List<ColumnFamily> familiesOfPartitions() {
    return List.of(leveled, sizeTiered, meta, dots, graves, expiries);
  }

  /// Counts the partitions that were emptied: a record that was read before may be one of theirs.
  int emptied() {
    return emptied;
  }

  /// The dots of which a replica has what there is of a key: its clock, and while it is rebuilt
  /// what the rebuild has passed. Do not change it.
  DotSet seen(Partition partition, int keyspace, byte[] storageKey) {
    return partition.seen(dataFamilies().indexOf(data(keyspace)), storageKey);
  }

  /// Where the records of the keyspaces of a partition's group lie, by keyspace id.
  SortedMap<Integer, ColumnFamily> families(Partition partition) {
    TreeMap<Integer, ColumnFamily> families = new TreeMap<>();
    for (int keyspace = 0; keyspace < groupOfKeyspace.length; keyspace++) {
      if (set(keyspace) == partition.set) {
        families.put(keyspace, data(keyspace));
      }
    }
    return families;
  }

  int partitionOf(int slot) {
    return slot / slotsOfPartition;
  }

  /// The first slot of a partition; its last is that of the next, less one.
  int firstSlot(int partition) {
    return partition * slotsOfPartition;
  }

  /// Segments of each partition's hash tree.
  int segments() {
    return Math.min(HashTree.SEGMENTS, slotsOfPartition);
  }

  /// Where the records of a segment lie in one of [#dataFamilies].
  TreeRange range(Partition partition, int segment, int family) {
    int slots = slotsOfPartition / segments();
    int first = firstSlot(partition.number) + segment * slots;
    return new TreeRange(
        family,
        RecordKey.first(partition.set, first),
        RecordKey.first(partition.set, first + slots));
  }

  /// The segment of a storage key.
  int segment(byte[] storageKey) {
    return RecordKey.slot(storageKey) % slotsOfPartition * segments() / slotsOfPartition;
  }

  /// A record is written with this batch: its segment's hash is not known from then on.
  void touch(Partition partition, byte[] storageKey, WriteBatch batch) {
    int segment = segment(storageKey);
    if (partition.tree.touch(segment)) {
      batch.delete(meta, Rows.segment(partition, segment));
    }
  }

  /// A segment was read.
  void learn(SegmentReader reader, int segment, WriteBatch batch) {
    Partition partition = reader.partition;
    long hash = reader.hashes()[segment];
    if (!partition.tree.isKnown(segment) || partition.tree.hash(segment) != hash) {
      byte[] row = Rows.segment(partition, segment);
      batch.put(meta, row, MetaRows.number(hash));
    }
    partition.tree.learn(segment, hash);
  }

  long walkedTo() {
    return walkedTo;
  }

  void walkTo(long place) {
    walkedTo = place;
    lsm.append(new WriteBatch().put(meta, Rows.WALK, MetaRows.number(place)));
  }

  /// For each dot here that some replica may still lack, the storage key of its record.
  ColumnFamily dots() {
    return dots;
  }

  /// Versions by the time at which they go, see [Expired].
  ColumnFamily expiries() {
    return expiries;
  }

  /// What is held for replicas that are away.
  public Hints hints() {
    return hints;
  }

  /// For each delete here that is not stripped, the storage key of its record.
  ColumnFamily graves() {
    return graves;
  }

  @Override
  public void close() throws IOException {
    lsm.close();
  }
}
