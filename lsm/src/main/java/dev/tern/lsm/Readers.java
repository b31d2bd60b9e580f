package dev.tern.lsm;

import dev.tern.env.Offload;
import dev.tern.lsm.cache.Loan;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.read.MergingCursor;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.BlockLookup;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.NavigableSet;
import java.util.Queue;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentLinkedQueue;
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

  /// Tables that nobody uses any more, until their files are deleted.
  private final Queue<Table> unused = new ConcurrentLinkedQueue<>();

  /// Guarded by the lock.
  private final Set<LsmIterator> iterators = new LinkedHashSet<>();

  /// Replaced by [Publication] alone, under the lock.
  volatile ReadState state;

  /// The sequence of the last entry that was written; set by the writer, under the lock.
  volatile long written;

  /// How many ingests were made visible; set by [Publication], under the lock, behind the state.
  volatile long generation;

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
    ReadState now = look(inside);
    try {
      long visible = Math.max(written, now.flushedSequence);
      int outcome = find(family.in(now, tables), lookup, key, visible, Long.MAX_VALUE, true);
      return outcome == Lookup.FOUND ? lookup.lend(tools.clock(), tools.buffers()) : null;
    } finally {
      lookup.end();
      leave(inside, now);
    }
  }

  /// The present state, through which a reader looks until [#leave].
  private ReadState look(Epochs.Reader<BlockLookup> inside) {
    ReadState now = state;
    inside.own.enter(inside, now);
    return now;
  }

  /// Leaves the epoch in which [#look] was called.
  private void leave(Epochs.Reader<BlockLookup> inside, ReadState seen) {
    boolean isRetained = inside.own.leave();
    inside.exit();
    if (isRetained) {
      letGo(seen);
    }
  }

  /// The newest values of several keys, in their order, null where there is none.
  byte[] @Nullable [] multiGet(ColumnFamily family, byte[][] keys) throws IOException {
    byte[] @Nullable [] values = new byte[keys.length][];
    Epochs.Reader<BlockLookup> reader = epochs.enter();
    ReadState now = look(reader);
    try {
      long visible = Math.max(written, now.flushedSequence);
      for (int i = 0; i < keys.length; i++) {
        values[i] =
            lookup(family.in(now, tables), reader.own, keys[i], visible, Long.MAX_VALUE, true);
      }
      return values;
    } finally {
      leave(reader, now);
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
    ReadState now = look(reader);
    try {
      // The state first: what it holds is not newer than what is read of `written` behind it.
      long newest = Math.max(Math.min(maxSequence, written), now.flushedSequence);
      // A snapshot that is open behind the choice of the state kept all that it sees in it.
      long visible = snapshot != null ? snapshot.visible(this) : newest;
      return lookup(
          family.in(now, tables), reader.own, key, visible, generation(snapshot), mayRead);
    } finally {
      leave(reader, now);
    }
  }

  /// The last ingest that a reader sees.
  private static long generation(@Nullable Snapshot snapshot) {
    return snapshot == null ? Long.MAX_VALUE : snapshot.generation();
  }

  private byte @Nullable [] lookup(
      ReadState.Family family,
      BlockLookup lookup,
      byte[] key,
      long visible,
      long newest,
      boolean mayRead)
      throws IOException {
    try {
      int outcome = find(family, lookup, key, visible, newest, mayRead);
      if (outcome == Lookup.NOT_CACHED) {
        return Lsm.NOT_CACHED;
      }
      return outcome == Lookup.FOUND ? lookup.value(tools.clock()) : null;
    } finally {
      lookup.end();
    }
  }

  /// @param newest the last ingest that is seen
  private static int find(
      ReadState.Family family,
      BlockLookup lookup,
      byte[] key,
      long visible,
      long newest,
      boolean mayRead)
      throws IOException {
    lookup.begin(key, Keys.hash(key), visible, mayRead);
    lookup.generation = newest;
    return family.find(lookup);
  }

  /// A snapshot of this moment.
  Snapshot snapshot() {
    lock.lock();
    try {
      lifetime.checkOpen();
      Snapshot snapshot = new Snapshot(this, written, generation, tools.clock().monotonicNanos());
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

  /// Whether a snapshot is open that was taken before an ingest became visible and sees sequences
  /// up to the ingest's.
  boolean isSeenBefore(long ingest, long sequence) {
    lock.lock();
    try {
      return snapshots.stream().anyMatch(s -> s.generation() < ingest && s.sequence() >= sequence);
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
            this,
            lifetime,
            skipped,
            family,
            options,
            tools.clock(),
            view(family, options, options.lower(), options.upper()));
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

  /// @param lower bound of the iterator, null for none
  /// @param upper bound of the iterator, null for none
  LsmIterator.View view(
      ColumnFamily columnFamily,
      IteratorOptions options,
      byte @Nullable [] lower,
      byte @Nullable [] upper) {
    Snapshot snapshot = options.snapshot();
    ReadState now = acquire();
    boolean done = false;
    try {
      ReadState.Family family = columnFamily.in(now, tables);
      long newest = Math.max(Math.min(options.maxSequence(), written), now.flushedSequence);
      // A snapshot that is open behind the choice of the state kept all that it sees in it.
      long visible = snapshot != null ? snapshot.visible(this) : newest;
      family.active().order(lock);
      List<Cursor> sources =
          family.cursors(epochs, visible, options.fillCache(), generation(snapshot), lower, upper);
      LsmIterator.View view =
          new LsmIterator.View(
              now,
              new MergingCursor(sources),
              family.deletions(visible, generation(snapshot)),
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

  /// See [Lsm#readableKeys].
  List<byte[]> readableKeys(ColumnFamily columnFamily, byte[] from, byte[] to, int limit)
      throws IOException {
    ReadState now = acquire();
    try {
      ReadState.Family family = columnFamily.in(now, tables);
      family.active().order(lock);
      TreeSet<byte[]> keys = new TreeSet<>(Arrays::compareUnsigned);
      for (Cursor source :
          family.cursors(epochs, Long.MAX_VALUE, false, Long.MAX_VALUE, from, to)) {
        try {
          addReadable(source, from, to, limit, keys);
        } finally {
          source.close();
        }
      }
      return List.copyOf(keys);
    } finally {
      letGo(now);
    }
  }

  /// Adds those of one source that are among the first of all.
  private static void addReadable(
      Cursor source, byte[] from, byte[] to, int limit, NavigableSet<byte[]> keys)
      throws IOException {
    byte[] at = from;
    while (at != null && Keys.compare(at, to) < 0) {
      try {
        for (source.seek(at); source.valid && source.compareKey(to, to.length) < 0; source.next()) {
          at =
              Arrays.copyOfRange(source.key, source.keyOffset, source.keyOffset + source.keyLength);
          keys.add(at);
          if (keys.size() > limit) {
            byte[] last = keys.removeLast();
            if (Keys.compare(last, at) <= 0) {
              return;
            }
          }
        }
        return;
      } catch (CorruptionException e) {
        at = e.readableFrom();
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

  /// Keeps tables that a state holds, and nothing else of the state, until they are let go.
  void hold(List<Table> held) {
    tables.holders.hold(held);
  }

  /// Ends what [#hold] began.
  void letGo(List<Table> held) {
    close(tables.holders.release(held));
  }

  void letGo(ReadState old) {
    if (old.release()) {
      close(tables.holders.release(old));
    }
  }

  /// Lets go of tables that nobody uses any more.
  private void close(List<Table> free) {
    if (!free.isEmpty()) {
      if (lifetime.isClosed()) {
        tables.holders.delete(free, false);
      } else {
        unused.addAll(free);
        background.<Boolean>offload(this::deleteOpen, (done, failure) -> {});
      }
    }
  }

  /// [#close] waits for a deletion: whoever opens the store next may delete the same files.
  private boolean deleteOpen() {
    boolean open = lifetime.begin();
    try {
      delete(open);
    } finally {
      if (open) {
        lifetime.end();
      }
    }
    return true;
  }

  /// Deletes what no job has deleted yet; when the store closes and no job is inside.
  void deleteUnused() {
    delete(true);
  }

  private void delete(boolean files) {
    for (Table table = unused.poll(); table != null; table = unused.poll()) {
      tables.holders.delete(List.of(table), files);
    }
  }

  boolean isReadOnly() {
    return lifetime.isReadOnly();
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
