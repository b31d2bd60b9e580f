package dev.tern.lsm;

import dev.tern.env.Offload;
import dev.tern.lsm.cache.Loan;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.read.MergingCursor;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.BlockLookup;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// What readers see, and how they look: the present state, the sequence of the last entry, open
/// snapshots and iterators. Readers take no lock for a point read.
///
/// Invariant: `written` never falls. A reader takes the state first, so the tables of that state
/// hold nothing newer than the sequence that the reader finds in `written` behind it.
final class Readers {
  private final Tools tools;
  private final Tables tables;
  private final Offload background;
  private final Lifetime lifetime;
  private final ReentrantLock lock;
  private final Epochs<BlockLookup> epochs;

  /// Guarded by the lock.
  private final Set<Snapshot> snapshots = new LinkedHashSet<>();

  /// Guarded by the lock.
  private final Set<LsmIterator> iterators = new LinkedHashSet<>();

  /// Replaced by [Publication] alone, under the lock.
  volatile ReadState state;

  /// The sequence of the last entry that was written; set by the writer, under the lock.
  volatile long written;

  Readers(Tools tools, Tables tables, Offload background, Lifetime lifetime, Recovery recovered) {
    this.tools = tools;
    this.tables = tables;
    this.background = background;
    this.lifetime = lifetime;
    this.lock = lifetime.lock;
    this.epochs = tools.epochs();
    this.state = recovered.state();
    this.written = recovered.lastSequence();
  }

  /// The value of a key, lent; null if it has none.
  @Nullable Loan lend(ColumnFamily family, byte[] key) throws IOException {
    Epochs.Reader<BlockLookup> inside = epochs.enter();
    BlockLookup lookup = inside.own;
    try {
      ReadState now = state;
      long visible = Math.max(written, now.flushedSequence);
      int outcome = find(family.in(now, tables), lookup, key, visible, true);
      return outcome == Lookup.FOUND ? lookup.lend(tools.clock(), tools.buffers()) : null;
    } finally {
      lookup.end();
      inside.exit();
    }
  }

  /// The newest values of several keys, in their order, null where there is none.
  byte[] @Nullable [] multiGet(ColumnFamily family, byte[][] keys) throws IOException {
    byte[] @Nullable [] values = new byte[keys.length][];
    Epochs.Reader<BlockLookup> reader = epochs.enter();
    try {
      ReadState now = state;
      long visible = Math.max(written, now.flushedSequence);
      for (int i = 0; i < keys.length; i++) {
        values[i] = lookup(family.in(now, tables), reader.own, keys[i], visible, true);
      }
      return values;
    } finally {
      reader.exit();
    }
  }

  /// The value of a key; null if it has none, [Lsm#NOT_CACHED] if a block would have to be read.
  ///
  /// @param snapshot sees exactly this if it is not null, whatever `maxSequence` says
  byte @Nullable [] lookup(
      ColumnFamily family,
      byte[] key,
      long maxSequence,
      @Nullable Snapshot snapshot,
      boolean mayRead)
      throws IOException {
    Epochs.Reader<BlockLookup> reader = epochs.enter();
    try {
      ReadState now = state;
      // The state first: what it holds is not newer than what is read of `written` behind it.
      long newest = Math.max(Math.min(maxSequence, written), now.flushedSequence);
      // A snapshot that is open behind the choice of the state kept all that it sees in it.
      long visible = snapshot != null ? snapshot.visible(this) : newest;
      return lookup(family.in(now, tables), reader.own, key, visible, mayRead);
    } finally {
      reader.exit();
    }
  }

  private byte @Nullable [] lookup(
      ReadState.Family family, BlockLookup lookup, byte[] key, long visible, boolean mayRead)
      throws IOException {
    try {
      int outcome = find(family, lookup, key, visible, mayRead);
      if (outcome == Lookup.NOT_CACHED) {
        return Lsm.NOT_CACHED;
      }
      return outcome == Lookup.FOUND ? lookup.value(tools.clock()) : null;
    } finally {
      lookup.end();
    }
  }

  private static int find(
      ReadState.Family family, BlockLookup lookup, byte[] key, long visible, boolean mayRead)
      throws IOException {
    lookup.begin(key, Keys.hash(key), visible, mayRead);
    return family.find(lookup);
  }

  /// A snapshot of this moment.
  Snapshot snapshot() {
    lock.lock();
    try {
      lifetime.checkOpen();
      Snapshot snapshot = new Snapshot(this, written, tools.clock().monotonicNanos());
      snapshots.add(snapshot);
      return snapshot;
    } finally {
      lock.unlock();
    }
  }

  void release(Snapshot snapshot) {
    lock.lock();
    try {
      snapshots.remove(snapshot);
    } finally {
      lock.unlock();
    }
  }

  /// The sequences that open snapshots see, ascending.
  long[] snapshotSequences() {
    lock.lock();
    try {
      return snapshots.stream().mapToLong(Snapshot::sequence).sorted().distinct().toArray();
    } finally {
      lock.unlock();
    }
  }

  /// An iterator over the keys there are now; it stands on no key yet.
  ///
  /// @param skipped told when the iterator has stepped over many dead entries
  LsmIterator iterator(
      ColumnFamily family, IteratorOptions options, BiConsumer<ReadState, ColumnFamily> skipped) {
    LsmIterator iterator =
        new LsmIterator(
            this, lifetime, skipped, family, options, tools.clock(), view(family, options));
    lock.lock();
    try {
      iterators.add(iterator);
    } finally {
      lock.unlock();
    }
    return iterator;
  }

  void forget(LsmIterator iterator) {
    lock.lock();
    try {
      iterators.remove(iterator);
    } finally {
      lock.unlock();
    }
  }

  LsmIterator.View view(ColumnFamily columnFamily, IteratorOptions options) {
    Snapshot snapshot = options.snapshot();
    ReadState now = acquire();
    boolean done = false;
    try {
      ReadState.Family family = columnFamily.in(now, tables);
      long newest = Math.max(Math.min(options.maxSequence(), written), now.flushedSequence);
      // A snapshot that is open behind the choice of the state kept all that it sees in it.
      long visible = snapshot != null ? snapshot.visible(this) : newest;
      family.active().order(lock);
      List<Cursor> sources = family.cursors(epochs, visible, options.fillCache());
      LsmIterator.View view =
          new LsmIterator.View(
              now,
              new MergingCursor(sources),
              family.deletions(visible),
              visible,
              tools.clock().monotonicNanos());
      done = true;
      return view;
    } finally {
      if (!done) {
        letGo(now);
      }
    }
  }

  void close(LsmIterator.View view) {
    view.cursor().close();
    letGo(view.state());
  }

  /// The present state of memtables and tables, retained for the caller.
  ReadState acquire() {
    Epochs.Reader<BlockLookup> reader = epochs.enter();
    try {
      ReadState now = state;
      now.retain();
      return now;
    } finally {
      reader.exit();
    }
  }

  void letGo(ReadState old) {
    if (old.release()) {
      List<Table> free = tables.release(old);
      if (lifetime.isClosed()) {
        tables.delete(free, false);
      } else if (!free.isEmpty()) {
        background.<Boolean>offload(() -> delete(free), (done, failure) -> {});
      }
    }
  }

  /// [#close] waits for a deletion: whoever opens the store next may delete the same files.
  private boolean delete(List<Table> free) {
    boolean open = lifetime.begin();
    try {
      tables.delete(free, open);
    } finally {
      if (open) {
        lifetime.end();
      }
    }
    return true;
  }

  /// How long each open snapshot has been open; under the lock.
  long[] snapshotAges(long nanos) {
    assert lock.isHeldByCurrentThread();
    return snapshots.stream().mapToLong(s -> nanos - s.takenNanos()).toArray();
  }

  /// How long each open iterator has looked at its state; under the lock.
  long[] iteratorAges(long nanos) {
    assert lock.isHeldByCurrentThread();
    return iterators.stream().mapToLong(i -> nanos - i.openedNanos()).toArray();
  }
}
