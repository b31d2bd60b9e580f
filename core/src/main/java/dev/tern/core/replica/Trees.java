package dev.tern.core.replica;

import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.RecordHash;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.RepairPage.RepairRecord;
import dev.tern.core.wire.TreeListing;
import dev.tern.core.wire.TreeRange;
import dev.tern.env.EventLoop;
import dev.tern.env.Offload;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.Arrays;
import java.util.SortedMap;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

/// The hash trees of a shard's partitions: reads them from the store, tells what another replica
/// holds otherwise, and takes back what was lost here.
///
/// Every call is made on the shard's loop; records are read on workers and completions told on the
/// loop.
public final class Trees {
  /// Hashes of one listing: 32 KiB of a message.
  static final int MAX_LISTED = 4_096;

  private static final long[] UNREAD = {};

  private final Replica replica;
  private final Store store;
  private final EventLoop loop;

  /// Of the partitions of a replica.
  Trees(Replica replica, EventLoop loop) {
    this.replica = replica;
    this.store = replica.store();
    this.loop = loop;
  }

  /// Begins to read a partition.
  ///
  /// @param afresh whether to read also the segments whose hashes are known
  public SegmentReader reader(Partition partition, boolean afresh) {
    int count = store.segments();
    long all = -1L >>> (Long.SIZE - count);
    long wanted = afresh ? all : all & ~partition.tree().known();
    long[] hashes = new long[count];
    for (int i = 0; i < count; i++) {
      hashes[i] = (wanted >>> i & 1) != 0 ? 0 : partition.tree().hash(i);
    }
    return new SegmentReader(
        store, partition, store.records().families(partition.records()), wanted, hashes);
  }

  /// Reads some more. One reader of a partition at a time, until it is done or fails: it may hold a
  /// snapshot of the store.
  ///
  /// @param done told the bytes that were read; nothing follows if that fails
  public void step(SegmentReader reader, Offload.Completion<Integer> done) {
    reader.begins(replica);
    loop.<Integer>offload(
        reader::step,
        (bytes, failure) -> {
          try {
            // What is not learnt now is learnt with a later step, or read again.
            if (failure == null && !store.lsm().pressure().refused()) {
              learn(reader);
            }
          } finally {
            if (failure != null || reader.isDone()) {
              reader.ends(failure == null);
            }
          }
          done.complete(bytes, failure);
        });
  }

  private void learn(SegmentReader reader) {
    WriteBatch batch = new WriteBatch();
    reader.learnt(segment -> store.learn(reader, segment, batch));
    if (batch.entries() > 0) {
      store.lsm().append(batch);
    }
  }

  /// Where the records of a segment lie.
  public TreeRange range(Partition partition, int segment, int family) {
    return store.range(partition, segment, family);
  }

  /// The families that a segment's records lie in.
  public int families() {
    return store.records().dataFamilies().size();
  }

  /// Reads the hashes of the records of a range, of its beginning if that is long.
  public void list(Partition partition, TreeRange range, Offload.Completion<TreeListing> done) {
    SortedMap<Integer, ColumnFamily> families = store.records().families(partition.records());
    loop.offload(() -> listed(range, families), done);
  }

  private TreeListing listed(TreeRange range, SortedMap<Integer, ColumnFamily> families)
      throws IOException {
    ColumnFamily family = store.records().dataFamilies().get(range.family());
    RecordHash hasher = new RecordHash();
    long[] hashes = new long[MAX_LISTED];
    int count = 0;
    int bytes = 0;
    try (LsmIterator all =
        store.lsm().iterator(family, IteratorOptions.all().withoutFillingCache())) {
      for (all.seek(range.from()); all.valid(); all.next()) {
        byte[] key = all.key();
        if (Arrays.compareUnsigned(key, range.to()) >= 0) {
          break;
        }
        if (count == MAX_LISTED || bytes >= SegmentReader.STEP_BYTES) {
          return new TreeListing(range.to(key), Arrays.copyOf(hashes, count), bytes);
        }
        byte[] value = all.value();
        bytes += key.length + value.length;
        if (families.get(RecordKey.keyspace(key)) == family) {
          hashes[count++] = hasher.whole(key, store.decoder().decode(key, value));
        }
      }
    }
    return new TreeListing(range, count == 0 ? UNREAD : Arrays.copyOf(hashes, count), bytes);
  }

  /// Gathers the records of a range that another replica does not have as they are on disk here.
  ///
  /// @param range wherever it lies: what is not the partition's is left out
  /// @param theirs hashes of the records there
  /// @param done told a page; its `next` says how far it goes, empty for all of the range
  public void others(
      Partition partition, TreeRange range, long[] theirs, Offload.Completion<RepairPage> done) {
    store.journal().synced(store.lsm().syncedSequence());
    DotSet clock = partition.synced().copy();
    Repair repair = replica.dotLog().repair(partition, clock, store.lsm().syncedSequence());
    byte[] first = partition.records().first();
    byte[] end = partition.records().end();
    TreeRange clamped =
        new TreeRange(
            Math.clamp(range.family(), 0, families() - 1),
            Arrays.compareUnsigned(range.from(), first) < 0 ? first : range.from(),
            Arrays.compareUnsigned(range.to(), end) > 0 ? end : range.to());
    long[] sorted = theirs.clone();
    Arrays.sort(sorted);
    loop.offload(() -> repair.ofOthers(clamped, sorted), done);
  }

  /// Takes from another replica what was lost here, or cannot come another way; see [Healing].
  ///
  /// @param clock that came with the record
  /// @param began the clock here before the partition was read
  /// @param ungiven dots that the other replica has and cannot give by its log of dots
  /// @param current whether nothing newer was heard of that replica's clock
  /// @param done told whether something that was lost here was stored
  public void heal(
      KeyspaceConfig keyspace,
      RepairRecord record,
      DotSet clock,
      DotSet began,
      DotSet ungiven,
      BooleanSupplier current,
      Consumer<Boolean> done) {
    new Healing(replica.writes(), keyspace, record, clock, began, ungiven, current, done).start();
  }

  /// The place where the walk over all partitions was, as [#moveTo] said; 0 at first.
  public long place() {
    return store.walkedTo();
  }

  /// Keeps the place of the walk, not durably at once.
  public void moveTo(long place) {
    store.walkTo(place);
  }
}
