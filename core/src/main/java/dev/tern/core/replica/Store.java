package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.store.PartitionRecords;
import dev.tern.core.store.RecordKey;
import dev.tern.core.store.RecordStore;
import dev.tern.core.store.RowKeys;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Topology;
import dev.tern.core.version.DotView;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Stamp;
import dev.tern.core.wire.TreeRange;
import dev.tern.env.ByteReader;
import dev.tern.env.CoverageMarks;
import dev.tern.env.DecodeException;
import dev.tern.env.DiskFull;
import dev.tern.env.Events;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.StagedTable;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What a shard's replicas keep on disk besides their records, and in memory of it: dots and clocks
/// of its partitions with their journal, tombstones, expiries, hints, hash trees, and the numbers
/// it may give out. The records lie in the [RecordStore] below; whoever changes one writes what is
/// known of it in the same batch.
///
/// Invariants: the replica id is the record store's id; counters and stamps given out lie below a
/// reservation that was on disk first, and an opening skips to the end of the last one, so that
/// none is ever given out twice, whatever a crash took.
///
/// Threads: the shard's loop, but where said.
public final class Store implements AutoCloseable {
  /// Counters reserved at a time, for all partitions together.
  private static final long COUNTER_BLOCK = 1 << 20;

  /// Of [#snapshotFamilies], the places of those of records below, and of the others.
  static final int DATA_FAMILIES = 2;

  static final int DOTS_FAMILY = 2;
  static final int GRAVES_FAMILY = 3;
  static final int EXPIRIES_FAMILY = 4;

  private final Lsm lsm;
  private final RecordStore records;
  private final ColumnFamily meta;
  private final ColumnFamily dots;
  private final ColumnFamily graves;
  private final ColumnFamily expiries;
  private final Hints hints;
  private final Journal journal;
  private final RecordDecoder decoder;

  /// By the record store's count of groups: the partitions of this shard, by number.
  private Partition[][] partitions = new Partition[0][];

  /// Where the counters of partitions begin that have none.
  private long firstCounter;

  /// Ids of keyspaces where the last write wins.
  private final BitSet newest = new BitSet();

  /// Counts partitions that lost what they held, see [#emptied()].
  private int emptied;

  /// Where the walk over the hash trees was.
  private long walkedTo;

  /// Whether [#distrustId] was called in this life.
  private boolean distrusted;

  private HybridClock hlc = new HybridClock(0, 0);
  private long reservedCounter;
  private boolean reserving;

  /// Lets go of the groups that no keyspace is in any more.
  private final DroppedGroups dropped = new DroppedGroups(this);

  /// What the opening could not make durable; null if it could.
  private @Nullable Pending opening;

  /// What is erased of a dropped keyspace besides its records.
  private final RecordStore.Erasure erasure =
      new RecordStore.Erasure() {
        @Override
        public void slot(PartitionRecords of, WriteBatch batch) {
          forgetHashes(partition(of), batch);
        }

        @Override
        public void whole(PartitionRecords of) {
          journal().change(partition(of));
        }
      };

  /// Numbers that may be given out once they are on disk.
  ///
  /// @param counter no partition's counter reaches it
  /// @param stamp no stamp reaches it
  record Reservation(long counter, long stamp) {}

  /// A reservation that waits for the disk.
  record Pending(long sequence, Reservation wanted) {}

  private Store(RecordStore records) throws IOException {
    this.records = records;
    this.lsm = records.lsm();
    this.meta = records.meta();
    this.decoder = new RecordDecoder(records.shard(), records.events());
    this.dots = lsm.columnFamily("dots", CompactionStyle.LEVELED);
    this.hints = new Hints(lsm, lsm.columnFamily("hints", CompactionStyle.LEVELED));
    this.graves = lsm.columnFamily("graves", CompactionStyle.LEVELED);
    this.expiries = lsm.columnFamily("expiries", CompactionStyle.LEVELED);
    this.journal = new Journal(lsm, meta, dots, graves, expiries);
  }

  /// Reads what the store knows and reserves the next block of numbers, durably.
  ///
  /// @param partitions of the cluster
  /// @param events told of what happens to the store
  /// @throws IOException if the store cannot be read or belongs to other settings
  public static Store open(
      Lsm lsm, int partitions, int shard, int shards, Randomness randomness, Events events)
      throws IOException {
    RecordStore records = RecordStore.over(lsm, partitions, shard, shards, randomness, events);
    return RecordStore.decoding(shard, () -> opened(records));
  }

  private static Store opened(RecordStore records) throws IOException {
    Store store = new Store(records);
    Lsm lsm = records.lsm();
    WriteBatch batch = new WriteBatch();
    records.identify(batch);
    byte[] row = lsm.get(store.meta, Rows.RESERVATION, Long.MAX_VALUE);
    Reservation last = row == null ? new Reservation(0, 0) : MetaRows.reservation(row);
    store.load(last.counter());
    store.hlc = new HybridClock(last.stamp(), 0);
    store.forEachPartition(partition -> Ballots.restarted(partition, last.stamp()));
    // The time is not known yet: what one's own clock says may be wrong for ever on disk.
    Reservation next = Objects.requireNonNull(store.wantReservation(0));
    batch.put(store.meta, Rows.RESERVATION, MetaRows.encoded(next));
    store.endInstalls(batch);
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
      assert CoverageMarks.reach(CoreMark.OPENED_ON_FULL_DISK);
      store.opening = new Pending(sequence, next);
    }
    return store;
  }

  private void load(long firstCounter) throws IOException {
    reservedCounter = firstCounter;
    this.firstCounter = firstCounter;
    records.loadGroups();
    addPartitions();
    loadPartitions();
    byte[] place = lsm.get(meta, Rows.WALK, Long.MAX_VALUE);
    walkedTo = place == null ? 0 : MetaRows.number(place);
    journal.load(this::known, this::counted);
  }

  /// Goes on with snapshots that were taken in, where a crash came before that was written down;
  /// gives up those that were not.
  private void endInstalls(WriteBatch batch) throws IOException {
    try (LsmIterator rows = lsm.iterator(meta, IteratorOptions.all())) {
      for (rows.seek(Rows.INSTALLED_FIRST); rows.valid(); rows.next()) {
        if (!Rows.isInstalled(rows.key())) {
          break;
        }
        ByteReader key = new ByteReader(rows.key(), 3, 4);
        Partition partition =
            known(key.readUnsignedShort(), records.partitionOf(key.readUnsignedShort()));
        if (partition != null) {
          MetaRows.Installed row = MetaRows.installed(rows.value(), partition.records());
          if (row.admission() == partition.admission()) {
            assert CoverageMarks.reach(CoreMark.INSTALL_ENDED_AT_START);
            installed(partition, row, batch);
          } else {
            notInstalled(partition, batch);
          }
        }
        batch.delete(meta, rows.key().clone());
      }
    }
    try {
      for (StagedTable staged : List.copyOf(lsm.staged())) {
        lsm.abandonStaged(staged.label());
      }
    } catch (IOException e) {
      if (!DiskFull.is(e)) {
        throw e;
      }
      // They take room and do no harm; the next opening gives them up.
    }
  }

  /// A snapshot's rows are readable, and are of another admission than the partition: adds their
  /// removal. Nothing was written to it since they are.
  void notInstalled(Partition partition, WriteBatch batch) {
    for (ColumnFamily family : snapshotFamilies()) {
      batch.deleteRange(family, partition.records().first(), partition.records().end());
    }
    batch.delete(meta, Rows.installed(partition));
  }

  /// A snapshot's rows are readable: its clock holds, and the partition counts what it says. Adds
  /// what is to be written of it.
  void installed(Partition partition, MetaRows.Installed row, WriteBatch batch) {
    records.emptied(partition.records());
    for (int keyspace : row.counts().keyspaces()) {
      counted(
          partition,
          keyspace,
          row.counts().keys(keyspace),
          row.counts().expiring(keyspace),
          row.counts().bytes(keyspace));
    }
    byte[] segments = Rows.segment(partition, 0);
    batch.deleteRange(meta, segments, Rows.segment(partition, HashTree.SEGMENTS));
    partition.install(row.clock(), row.trimmed());
    batch.put(meta, Rows.of(partition, Rows.TRIMMED), partition.trimmed().encoded());
    raiseFloor(partition, row.floor(), batch);
    batch.delete(meta, Rows.installed(partition));
    hlc.follow(row.stamp());
    journal.change(partition);
    emptied++;
  }

  /// Makes the partitions of the groups that the record store knows and this store does not yet.
  private void addPartitions() {
    for (int group = partitions.length; group < records.groups(); group++) {
      @Nullable PartitionRecords[] of = records.partitions(group);
      Partition[] made = new Partition[of.length];
      for (int p = 0; p < of.length; p++) {
        if (of[p] != null) {
          made[p] = new Partition(of[p], firstCounter);
        }
      }
      partitions = Arrays.copyOf(partitions, group + 1);
      partitions[group] = made;
    }
  }

  private void loadPartitions() throws IOException {
    try (LsmIterator rows = lsm.iterator(meta, IteratorOptions.all())) {
      for (rows.seek(RowKeys.PARTITIONS); rows.valid(); rows.next()) {
        ByteReader key = new ByteReader(rows.key());
        int set = key.readUnsignedShort();
        int slot = key.readUnsignedShort();
        Partition partition = known(set, records.partitionOf(slot));
        if (partition == null) {
          continue;
        }
        if (MetaRows.load(partition, slot, segments(), key, rows.value())) {
          records.loaded(partition.records());
        }
      }
    }
  }

  /// A partition that a row of the store's own names; null if its groups were let go of.
  private @Nullable Partition known(int set, int number) {
    Partition partition = partitionOfGroup(set, number);
    if (partition == null && records.groupOfSet(set) < 0) {
      dropped.found(set);
    } else if (partition == null) {
      throw new DecodeException("a row of partition %d of groups %d".formatted(number, set));
    }
    return partition;
  }

  /// Where the records lie, and what they count.
  public RecordStore records() {
    return records;
  }

  /// A partition has all that its other replicas had.
  public void filled(Partition partition) {
    if (!partition.isFilled()) {
      partition.filled(true);
      lsm.append(new WriteBatch().put(meta, Rows.of(partition, Rows.FILLED), MetaRows.filled()));
    }
  }

  /// A partition lacks what it has told another replica that it has: its directory was set back.
  public void unfilled(Partition partition) {
    if (partition.isFilled()) {
      partition.filled(false);
      lsm.append(new WriteBatch().delete(meta, Rows.of(partition, Rows.FILLED)));
    }
  }

  /// The stamp that what is absent in a slot's partition counts as deleted at.
  public Stamp floor(int keyspace, int slot) {
    return partition(keyspace, slot).floor();
  }

  /// Counts the deletes stripped from a slot's partition since the start.
  public long strips(int keyspace, int slot) {
    return partition(keyspace, slot).strips();
  }

  /// Another replica of a partition has stripped deletes up to a stamp. A replica that was rebuilt
  /// knows from this what its absent records count as.
  public void learnFloor(Partition partition, Stamp floor) {
    if (floor.compareTo(partition.floor()) > 0) {
      WriteBatch batch = new WriteBatch();
      raiseFloor(partition, floor, batch);
      partition.floorWritten(lsm.append(batch));
      follow(floor.time());
    }
  }

  /// A replica of a slot's partition has stripped deletes up to a stamp.
  public void learnFloor(int keyspace, int slot, Stamp floor) {
    learnFloor(partition(keyspace, slot), floor);
  }

  /// A delete is stripped with this batch: what is absent counts as deleted at its stamp at least.
  void raiseFloor(Partition partition, Stamp stamp, WriteBatch batch) {
    if (stamp.compareTo(partition.floor()) > 0) {
      partition.raiseFloor(stamp);
      batch.put(meta, Rows.of(partition, Rows.FLOOR), MetaRows.floor(stamp));
    }
  }

  /// The partition of a slot, in the group of a keyspace that was in an adopted view. If the group
  /// was let go of since, it is one that nobody keeps ([DroppedGroups#late]).
  Partition partition(int keyspace, int slot) {
    int group = records.group(keyspace);
    return records.isGone(group)
        ? dropped.late(records.set(keyspace), slot)
        : partitions[group][records.partitionOf(slot)];
  }

  /// A partition that nobody keeps, of groups that were let go of.
  Partition partitionOfNobody(int set, int slot) {
    int number = records.partitionOf(slot);
    PartitionRecords of =
        PartitionRecords.of(set, number, records.firstSlot(number), records.slotsOfPartition());
    return new Partition(of, firstCounter);
  }

  /// Forgets a group and all that its partitions have on disk. What is written at the same time
  /// must be appended before anything else is.
  void letGo(int group, WriteBatch batch) {
    for (Partition partition : partitions[group]) {
      if (partition != null) {
        // Its row counts as written: who still holds it writes none.
        partition.change();
      }
    }
    partitions[group] = new Partition[0];
    records.letGo(group, familiesOfPartitions(), batch);
  }

  /// Why the store is not one of a member of a cluster; null if it may be.
  public @Nullable String problem(ClusterView view, int self) {
    String problem = records.problem(view, self);
    return problem == null ? dropped.problem(view) : problem;
  }

  /// Lets go of what no keyspace has any more and nobody works with; called a few times a second.
  ///
  /// @param nanos of the monotonic clock
  void letGoOfDropped(long nanos) {
    dropped.beat(nanos);
  }

  private Partition partition(PartitionRecords of) {
    return Objects.requireNonNull(partitionOfGroup(of.set(), of.number()));
  }

  /// The partition of a group as the topology numbers it, null if none is here.
  public @Nullable Partition partitionOfGroup(int groupNumber, int partition) {
    int group = records.groupOfSet(groupNumber);
    boolean known = group >= 0 && partition >= 0 && partition < records.partitions();
    return known ? partitions[group][partition] : null;
  }

  /// What the topology calls a partition's group.
  public int groupNumber(Partition partition) {
    return partition.set();
  }

  /// Tells all partitions of this store.
  public void forEachPartition(Consumer<Partition> told) {
    for (Partition[] group : partitions) {
      for (Partition partition : group) {
        if (partition != null) {
          told.accept(partition);
        }
      }
    }
  }

  /// Decodes what is stored.
  public RecordDecoder decoder() {
    return decoder;
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
    records.counted(partition.records(), keyspace, keys, expiring, bytes);
  }

  /// Goes by other keyspaces and groups from now on. Keyspaces that were dropped are erased little
  /// by little, replicas of another admission at once ([ReplicaAdmissions]).
  ///
  /// @param self the member whose store it is
  public void adopt(ClusterView view, int self) {
    WriteBatch batch = new WriteBatch();
    records.adopt(view, self, batch);
    addPartitions();
    for (KeyspaceConfig keyspace : view.keyspaces()) {
      newest.set(keyspace.id(), keyspace.resolution() == Resolution.LWW);
      ReplicaGroups of = Objects.requireNonNull(view.groups(keyspace.id()));
      for (Partition partition : partitions[records.group(keyspace.id())]) {
        if (partition != null) {
          ReplicaSet replicas = of.replicaSet(partition.number());
          partition.replicated(replicas.size() > 1);
          Topology topology = Objects.requireNonNull(view.topology(keyspace.id()));
          long writableFrom = topology.writableFrom(partition.number());
          partition.enter(writableFrom, replicas.isPending(self));
        }
      }
    }
    emptied += new ReplicaAdmissions(this).adopt(view, self, batch);
    if (batch.entries() > 0) {
      lsm.append(batch);
    }
    records.condemnDropped(view);
    if (records.problem(view, self) == null) {
      dropped.adopt(view);
    }
  }

  /// Whether something lies here of a partition for which this member has had a replica, as its
  /// view knows. A view of before that admission says nothing.
  public boolean holdsForNobody(Partition partition, ClusterView view) {
    int admission = partition.admission();
    return admission > 0 && admission < view.state().nextReplica() && !partition.isBlank();
  }

  /// Drops what lies here of a partition that this member is no replica of any more.
  public void leave(Partition partition) {
    WriteBatch batch = new WriteBatch();
    new ReplicaAdmissions(this).leave(partition, batch);
    emptied++;
    lsm.append(batch);
  }

  /// Adds the removal of some slots' records of a dropped keyspace, and of what is known of them.
  void eraseSome(WriteBatch batch) {
    records.eraseSome(batch, erasure);
  }

  private void forgetHashes(Partition partition, WriteBatch batch) {
    if (partition.tree().known() != 0) {
      byte[] row = Rows.segment(partition, 0);
      byte[] last = Rows.segment(partition, HashTree.SEGMENTS);
      batch.deleteRange(meta, row, last);
    }
    partition.tree().forget();
  }

  /// Whether a version was stored here, pending or superseded as it may be; on the loop.
  public boolean knows(int keyspace, int slot, int replica, long counter) {
    return partition(keyspace, slot).clock().contains(replica, counter);
  }

  /// Whether this replica's word counts beside those of others, see [Partition#isBehind].
  public boolean vouches(int keyspace, int slot) {
    Partition partition = partition(keyspace, slot);
    return !partition.isBehind() && !partition.isPending();
  }

  /// Partitions of a keyspace's group, by number, whose replicas here are behind; null for none.
  @Nullable BitSet behind(int keyspace) {
    BitSet behind = null;
    for (Partition partition : partitions[records.group(keyspace)]) {
      if (partition != null && partition.isBehind()) {
        behind = behind == null ? new BitSet() : behind;
        behind.set(partition.number());
      }
    }
    return behind;
  }

  /// To be called when the directory may be an old copy, whose next dots others have seen already:
  /// before a version is minted by a replica that is behind, and when other nodes know of a later
  /// life of this one. That life's clients may keep contexts with its dots, also of partitions that
  /// no other node has. Takes another id once a life, at most.
  ///
  /// @return whether it took one now
  public boolean distrustId() {
    if (distrusted) {
      return false;
    }
    distrusted = true;
    records.takeNewId();
    return true;
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
    return records.id();
  }

  /// Whether a clock knows of dots of this store that it did not give out.
  public boolean isAheadOfUs(Partition partition, DotView clock) {
    return clock.highest(replicaId()) > partition.counter();
  }

  /// The engine below; reads on any thread.
  public Lsm lsm() {
    return lsm;
  }

  /// Ids of the keyspaces where the last write wins; a copy.
  BitSet lastWriteWins() {
    return (BitSet) newest.clone();
  }

  /// All families that hold rows of partitions: in each, those of one are a range.
  List<ColumnFamily> familiesOfPartitions() {
    List<ColumnFamily> data = records.dataFamilies();
    return List.of(data.get(0), data.get(1), meta, dots, graves, expiries);
  }

  /// The families of which a snapshot of a partition has the rows, in order.
  List<ColumnFamily> snapshotFamilies() {
    List<ColumnFamily> data = records.dataFamilies();
    return List.of(data.get(0), data.get(1), dots, graves, expiries);
  }

  /// Counts the partitions that were emptied: a record that was read before may be one of theirs.
  int emptied() {
    return emptied;
  }

  /// The dots of which a replica has what there is of a key: its clock, and while it is rebuilt
  /// what the rebuild has passed. Do not change it.
  DotView seen(Partition partition, int keyspace, byte[] storageKey) {
    return partition.seen(records.dataFamilies().indexOf(records.data(keyspace)), storageKey);
  }

  /// Segments of each partition's hash tree.
  int segments() {
    return Math.min(HashTree.SEGMENTS, records.slotsOfPartition());
  }

  /// Where the records of a segment lie in one of [RecordStore#dataFamilies].
  TreeRange range(Partition partition, int segment, int family) {
    int slots = records.slotsOfPartition() / segments();
    int first = partition.records().firstSlot() + segment * slots;
    return new TreeRange(
        family,
        RecordKey.first(partition.set(), first),
        RecordKey.first(partition.set(), first + slots));
  }

  /// The segment of a storage key.
  int segment(byte[] storageKey) {
    int slots = records.slotsOfPartition();
    return RecordKey.slot(storageKey) % slots * segments() / slots;
  }

  /// A record is written with this batch: its segment's hash is not known from then on.
  void touch(Partition partition, byte[] storageKey, WriteBatch batch) {
    int segment = segment(storageKey);
    if (partition.tree().touch(segment)) {
      batch.delete(meta, Rows.segment(partition, segment));
    }
  }

  /// A segment was read.
  void learn(SegmentReader reader, int segment, WriteBatch batch) {
    HashTree tree = reader.partition.tree();
    long hash = reader.hashes()[segment];
    if (!tree.isKnown(segment) || tree.hash(segment) != hash) {
      batch.put(meta, Rows.segment(reader.partition, segment), MetaRows.number(hash));
    }
    tree.learn(segment, hash);
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
    records.close();
  }
}
