package dev.tern.core.replica;

import dev.tern.core.topology.Slots;
import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One step of a scan over this store; runs on a worker.
///
/// Within a slot keys are taken in order of their hash, so that a place can be named in 39 bits.
/// The records lie in order of the keys, so a slot is passed over once for each page taken from it;
/// a page takes at least a [#PASSES]th of the slot, which bounds the passes.
final class Scan {
  private static final int PASSES = 64;

  /// Bytes of keys on a page, about: pages of several replicas and the answer of a door stay small.
  static final int MAX_BYTES = 4 << 20;

  private final Lsm lsm;
  private final Store store;
  private final ColumnFamily data;
  private final int keyspace;
  private final long sequence;
  private final long nowMillis;

  /// Partitions where it ends, null for none.
  private final @Nullable BitSet but;

  private final List<ScannedKey> keys = new ArrayList<>();

  /// Of these keys.
  private long bytes;

  Scan(
      Lsm lsm,
      Store store,
      ColumnFamily data,
      int keyspace,
      long sequence,
      long nowMillis,
      @Nullable BitSet but) {
    this.lsm = lsm;
    this.store = store;
    this.data = data;
    this.keyspace = keyspace;
    this.sequence = sequence;
    this.nowMillis = nowMillis;
    this.but = but;
  }

  ScanPage run(long cursor, int limit) throws IOException {
    try (LsmIterator records = lsm.iterator(data, IteratorOptions.all().maxSequence(sequence))) {
      int slot = ScanCursor.slot(cursor);
      long position = ScanCursor.position(cursor);
      while (slot < Slots.COUNT && store.holds(slot, but)) {
        records.seek(StorageKey.first(slot, keyspace));
        int found = records.valid() ? StorageKey.slot(records.key()) : Slots.COUNT;
        if (found > slot) {
          // Nothing of this slot: go on at the slot of the next record, or where ours end.
          slot = nextOwned(slot, found);
          position = 0;
          continue;
        }
        long next = slot(records, slot, position, limit - keys.size());
        if (ScanCursor.slot(next) == slot || keys.size() >= limit || bytes >= MAX_BYTES) {
          return new ScanPage(keys, next);
        }
        slot++;
        position = 0;
      }
      return new ScanPage(keys, ScanCursor.of(slot, 0));
    }
  }

  private void add(List<ScannedKey> some) {
    keys.addAll(some);
    some.forEach(key -> bytes += key.key().length);
  }

  /// How many of a slot's keys the page has room for; one at least.
  private int fitting(List<ScannedKey> here) {
    long sum = bytes;
    int count = 0;
    while (count < here.size() && (count == 0 || sum < MAX_BYTES)) {
      sum += here.get(count++).key().length;
    }
    return count;
  }

  private int nextOwned(int from, int to) {
    for (int slot = from; slot < to; slot++) {
      if (!store.holds(slot, but)) {
        return slot;
      }
    }
    return to;
  }

  /// Takes keys of one slot; where to go on.
  private long slot(LsmIterator records, int slot, long position, int limit) throws IOException {
    List<ScannedKey> here = new ArrayList<>();
    int met = 0;
    for (; records.valid(); records.next()) {
      byte[] storageKey = records.key();
      if (StorageKey.slot(storageKey) != slot || StorageKey.keyspace(storageKey) != keyspace) {
        break;
      }
      met++;
      byte[] key = StorageKey.userKey(storageKey);
      long place = ScanCursor.positionOf(key);
      if (place >= position) {
        Siblings record = store.records().decode(storageKey, records.value());
        Rank rank = record.newest().rank();
        here.add(new ScannedKey(slot, place, key, rank, record.liveAt(nowMillis)));
      }
    }
    here.sort(Comparator.comparingLong(ScannedKey::position));
    int take = Math.min(fitting(here), Math.max(Math.max(limit, 1), met / PASSES));
    if (here.size() <= take) {
      add(here);
      return ScanCursor.of(slot + 1, 0);
    }
    while (take < here.size() && here.get(take).position() == here.get(take - 1).position()) {
      take++;
    }
    add(here.subList(0, take));
    return take == here.size()
        ? ScanCursor.of(slot + 1, 0)
        : ScanCursor.of(slot, here.get(take - 1).position() + 1);
  }
}
