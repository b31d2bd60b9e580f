package dev.tern.core.store;

import dev.tern.core.topology.Slots;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.LsmIterator;
import java.io.IOException;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// Visits the records of one keyspace in the order in which they lie: by slot, then by the hash of
/// the key. So a scan begins with one seek, wherever it begins. It ends at the first slot that this
/// store does not keep, or where its visitor ends it.
///
/// Threads: made on the store's loop, run on a worker.
public final class RecordScan {
  /// The visitor ended the scan.
  public static final int ENDED = -1;

  private final RecordStore store;
  private final ColumnFamily data;
  private final int set;
  private final int keyspace;
  private final long sequence;
  private final @Nullable BitSet but;

  /// Takes records.
  public interface Visitor {
    /// Whether the scan ends before a record.
    ///
    /// @param hash of its key
    boolean endsBefore(int slot, long hash);

    /// Takes a record.
    ///
    /// @throws IOException if its bytes are none
    void record(byte[] recordKey, byte[] bytes) throws IOException;
  }

  /// Of a keyspace that was in an adopted view.
  ///
  /// @param sequence of the last write that is seen
  /// @param but partitions where it ends, null for none
  public RecordScan(RecordStore store, int keyspace, long sequence, @Nullable BitSet but) {
    this.store = store;
    this.data = store.data(keyspace);
    this.set = store.set(keyspace);
    this.keyspace = keyspace;
    this.sequence = sequence;
    this.but = but;
  }

  /// Visits records from a slot and a hash on.
  ///
  /// @return the first slot that was not looked at, [#ENDED] if the visitor ended the scan
  /// @throws IOException if records cannot be read
  public int run(int fromSlot, int fromHash, Visitor visitor) throws IOException {
    IteratorOptions options = IteratorOptions.all().maxSequence(sequence);
    try (LsmIterator records = store.lsm().iterator(data, options)) {
      int slot = fromSlot;
      int hash = fromHash;
      while (slot < Slots.COUNT && store.holds(slot, but)) {
        seek(records, RecordKey.first(set, slot, keyspace, hash));
        if (slot(records, slot, visitor)) {
          return ENDED;
        }
        // Behind the keyspace's records in the slot: at the next slot that has any, or where ours
        // end.
        slot = nextOwned(slot + 1, slotOf(records, slot + 1));
        hash = 0;
      }
      return slot;
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

  /// The first slot of some that this store does not keep, `to` if it keeps all. A partition is
  /// kept whole or not at all.
  private int nextOwned(int from, int to) {
    int slots = store.slotsOfPartition();
    for (int slot = from; slot < to; slot += slots - slot % slots) {
      if (!store.holds(slot, but)) {
        return slot;
      }
    }
    return to;
  }

  /// Visits the records of one slot; whether the visitor ended it before the slot's end.
  private boolean slot(LsmIterator records, int slot, Visitor visitor) throws IOException {
    for (; records.valid(); records.next()) {
      byte[] recordKey = records.key();
      boolean ours =
          RecordKey.set(recordKey) == set
              && RecordKey.slot(recordKey) == slot
              && RecordKey.keyspace(recordKey) == keyspace;
      if (!ours) {
        return false;
      }
      if (visitor.endsBefore(slot, Integer.toUnsignedLong(RecordKey.hash(recordKey)))) {
        return true;
      }
      visitor.record(recordKey, records.value());
    }
    return false;
  }
}
