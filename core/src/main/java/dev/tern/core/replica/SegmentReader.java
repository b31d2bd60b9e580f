package dev.tern.core.replica;

import dev.tern.core.store.RecordKey;
import dev.tern.core.version.RecordHash;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.TreeRange;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import org.jspecify.annotations.Nullable;

/// Reads the segments of one partition from the store, some bytes at a time, and hashes them.
///
/// [Trees] lets it step; between two steps it may be looked at on the loop, and in a step it is a
/// worker's alone. One that reads all segments reads them as they are at its first step, and counts
/// the records for a [Recount]; another one sees what was written up to each step.
public final class SegmentReader {
  /// Bytes and records that are read in one step, about.
  static final int STEP_BYTES = 1 << 20;

  private static final int STEP_RECORDS = 8_192;

  /// Stands for the hash of a segment that cannot be read: an empty one has 0.
  private static final long UNREADABLE = -1;

  private final Store store;
  final Partition partition;
  private final SortedMap<Integer, ColumnFamily> families;
  private final RecordHash hasher = new RecordHash();

  /// The segments to be read, a bit each.
  private final long wanted;

  private final long[] hashes;
  private long unreadable;
  private @Nullable Recount recount;

  /// Where it is: all segments before this one are done.
  private int segment;

  private int family;

  /// Within the segment and family; null at the beginning.
  private byte @Nullable [] from;

  private long hash;

  /// The segments before this one were looked at by [#learnt].
  private int told;

  private int bytes;
  private int records;

  /// @param hashes by segment, of those that are not wanted
  SegmentReader(
      Store store,
      Partition partition,
      SortedMap<Integer, ColumnFamily> families,
      long wanted,
      long[] hashes) {
    this.store = store;
    this.partition = partition;
    this.families = families;
    this.wanted = wanted;
    this.hashes = hashes;
    skip();
  }

  /// Whether all that was wanted is read.
  public boolean isDone() {
    return segment == hashes.length;
  }

  /// By segment, once done. One that cannot be read has a hash that no other segment has, so that
  /// who lacks all its records asks for those beside what cannot be read.
  public long[] hashes() {
    return hashes;
  }

  /// Segments that cannot be read, a bit each: a file holds what cannot have been written.
  public long unreadable() {
    return unreadable;
  }

  /// One hash for all, once done. Nobody else has it if a segment cannot be read.
  public long root() {
    long root = RecordHash.of(hashes);
    return unreadable == 0 ? root : ~root;
  }

  /// On the loop, before a step.
  void begins(Replica replica) {
    if (recount != null) {
      return;
    }
    if (Long.bitCount(wanted) == hashes.length) {
      recount = Recount.begin(replica, partition, families);
    }
    boolean within = family > 0 || from != null;
    long here = 1L << segment;
    partition.tree().reads(wanted & ~(here - 1) & ~(within ? here : 0), segment);
  }

  /// On the loop, after a step: tells the segments that were done in it.
  void learnt(java.util.function.IntConsumer each) {
    for (; told < segment; told++) {
      if (((wanted & ~unreadable) >>> told & 1) != 0 && partition.tree().isUntouched(told)) {
        each.accept(told);
      }
    }
  }

  /// On the loop, when all is read or nothing more will be.
  ///
  /// @param done whether all is
  void ends(boolean done) {
    if (recount != null) {
      recount.end(done && unreadable == 0);
      recount = null;
    }
  }

  /// On a worker; the bytes that were read.
  int step() throws IOException {
    bytes = 0;
    records = 0;
    List<ColumnFamily> all = store.records().dataFamilies();
    LsmIterator[] iterators = new LsmIterator[all.size()];
    IteratorOptions current = IteratorOptions.all().withoutFillingCache();
    IteratorOptions options = recount == null ? current : current.at(recount.snapshot());
    try {
      for (int i = 0; i < iterators.length; i++) {
        iterators[i] = store.lsm().iterator(all.get(i), options);
      }
      while (!isDone() && !full()) {
        try {
          read(all, iterators);
        } catch (CorruptionException | UnreadableRecordException e) {
          if (e instanceof CorruptionException rot) {
            store.decoder().rotten(rot);
          }
          unreadable |= 1L << segment;
          hash = UNREADABLE;
          ended();
        }
      }
    } finally {
      for (LsmIterator iterator : iterators) {
        if (iterator != null) {
          iterator.close();
        }
      }
    }
    return bytes;
  }

  private boolean full() {
    return bytes >= STEP_BYTES || records >= STEP_RECORDS;
  }

  /// Reads on in the segment and family where it is.
  private void read(List<ColumnFamily> all, LsmIterator[] iterators) throws IOException {
    TreeRange range = store.range(partition, segment, family);
    LsmIterator iterator = iterators[family];
    for (iterator.seek(from == null ? range.from() : from); iterator.valid(); iterator.next()) {
      byte[] key = iterator.key();
      if (Arrays.compareUnsigned(key, range.to()) >= 0) {
        break;
      }
      if (full()) {
        from = key;
        return;
      }
      byte[] value = iterator.value();
      bytes += key.length + value.length;
      records++;
      if (families.get(RecordKey.keyspace(key)) == all.get(family)) {
        Siblings record = store.decoder().decode(key, value);
        hash ^= hasher.withoutDeletes(key, record);
        if (recount != null) {
          recount.record(key, record);
        }
      }
    }
    from = null;
    family++;
    if (family == all.size()) {
      ended();
    }
  }

  /// With the segment where it is.
  private void ended() {
    hashes[segment] = hash;
    hash = 0;
    family = 0;
    from = null;
    segment++;
    skip();
  }

  private void skip() {
    while (!isDone() && (wanted >>> segment & 1) == 0) {
      segment++;
    }
  }
}
