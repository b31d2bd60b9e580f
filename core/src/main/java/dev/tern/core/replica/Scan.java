package dev.tern.core.replica;

import dev.tern.core.topology.Slots;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.ScanCursor;
import dev.tern.core.wire.ScanPage;
import dev.tern.core.wire.ScannedKey;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One step of a scan over this store; runs on a worker.
///
/// Keys are taken in the order in which their records lie: by slot, then by hash. So a page begins
/// with one seek at its cursor. Keys of one hash are never parted: a page that has one of them has
/// all, however many it was to have.
final class Scan {
  /// Bytes of keys on a page, about: pages of several replicas and the answer of a door stay small.
  static final int MAX_BYTES = 4 << 20;

  private final Store store;
  private final ColumnFamily data;
  private final int set;
  private final int keyspace;
  private final long sequence;
  private final long nowMillis;

  /// Partitions where it ends, null for none.
  private final @Nullable BitSet but;

  private final List<ScannedKey> keys = new ArrayList<>();

  /// Of these keys.
  private long bytes;

  /// On the store's loop; the keyspace was in an adopted view.
  Scan(Store store, int keyspace, long sequence, long nowMillis, @Nullable BitSet but) {
    this.store = store;
    this.data = store.data(keyspace);
    this.set = store.set(keyspace);
    this.keyspace = keyspace;
    this.sequence = sequence;
    this.nowMillis = nowMillis;
    this.but = but;
  }

  ScanPage run(long cursor, int limit) throws IOException {
    IteratorOptions options = IteratorOptions.all().maxSequence(sequence);
    try (LsmIterator records = store.lsm().iterator(data, options)) {
      int slot = ScanCursor.slot(cursor);
      int hash = ScanCursor.hash(cursor);
      while (slot < Slots.COUNT && store.holds(slot, but)) {
        seek(records, RecordKey.first(set, slot, keyspace, hash));
        if (slot(records, slot, limit)) {
          return new ScanPage(keys, behindLast());
        }
        // Behind the keyspace's records in the slot: at the next slot that has any, or where ours
        // end.
        slot = nextOwned(slot + 1, slotOf(records, slot + 1));
        hash = 0;
      }
      return new ScanPage(keys, ScanCursor.of(slot, 0));
    }
  }

  /// Only if it is not there yet: where no other keyspace has records it is.
  private static void seek(LsmIterator records, byte[] to) throws IOException {
    boolean before = records.valid() && Arrays.compareUnsigned(records.key(), to) < 0;
    if (before || !records.valid()) {
      records.seek(to);
    }
  }

  /// The slot where the iterator is, `least` at least.
  private int slotOf(LsmIterator records, int least) {
    boolean here = records.valid() && RecordKey.set(records.key()) == set;
    return here ? Math.max(least, RecordKey.slot(records.key())) : Slots.COUNT;
  }

  private int nextOwned(int from, int to) {
    for (int slot = from; slot < to; slot++) {
      if (!store.holds(slot, but)) {
        return slot;
      }
    }
    return to;
  }

  /// Takes keys of one slot; whether the page is full before the slot ends.
  private boolean slot(LsmIterator records, int slot, int limit) throws IOException {
    for (; records.valid(); records.next()) {
      byte[] recordKey = records.key();
      boolean ours =
          RecordKey.set(recordKey) == set
              && RecordKey.slot(recordKey) == slot
              && RecordKey.keyspace(recordKey) == keyspace;
      if (!ours) {
        return false;
      }
      long hash = Integer.toUnsignedLong(RecordKey.hash(recordKey));
      boolean full = keys.size() >= limit || bytes >= MAX_BYTES;
      if (full && !keys.isEmpty() && !keys.getLast().isAt(slot, hash)) {
        return true;
      }
      Siblings record = store.records().decode(recordKey, records.value());
      Rank rank = record.newest().rank();
      byte[] key = RecordKey.userKey(recordKey);
      bytes += key.length;
      keys.add(new ScannedKey(slot, hash, key, rank, record.liveAt(nowMillis)));
    }
    return false;
  }

  private long behindLast() {
    ScannedKey last = keys.getLast();
    return ScanCursor.after(last.slot(), last.hash());
  }
}
