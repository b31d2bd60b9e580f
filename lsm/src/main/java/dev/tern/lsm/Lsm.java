package dev.tern.lsm;

import dev.tern.env.ByteWriter;
import dev.tern.env.Clock;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A store in one directory. Any thread may call any method; writers take turns on one lock,
/// readers take none.
///
/// Sequences: every entry written gets the next one. `written >= logged >= synced`: in memory, with
/// the operating system, on the disk. A reader names the sequence up to which it wants to see, and
/// sees at least what is in tables, which is durable always.
///
/// An fsync that fails is final: what the disk holds is unknown, every later write is refused, and
/// the store must be opened anew.
public final class Lsm implements AutoCloseable {
  /// What [#getCached] returns where a block would have to be read; compare by identity.
  @SuppressWarnings("MutablePublicArray")
  public static final byte[] NOT_CACHED = new byte[0];

  /// Memtables waiting for their flush before writers are slowed, and before they are refused.
  private static final int SLOW_IMMUTABLE = 3;

  private static final int MAX_IMMUTABLE = 6;
  private static final long SLOW_NANOS = 1_000_000;
  private static final long RETRY_MILLIS = 100;

  private final FileSystem files;
  private final Offload background;
  private final String directory;
  private final LsmOptions options;
  private final BlockCache cache;
  private final AutoCloseable directoryLock;

  /// Guards what follows it but the volatiles' reads.
  private final ReentrantLock lock = new ReentrantLock();

  private final List<LogFile.Writer> unsynced = new ArrayList<>();
  private LogFile.Writer log;
  private volatile ReadState state;
  private volatile long written;
  private volatile long logged;
  private volatile long synced;
  private volatile @Nullable IOException failed;
  private volatile boolean closed;

  /// The operating system did not take the log's last bytes.
  private volatile boolean stalled;

  private Runnable groupEnd = () -> {};
  private boolean rotating;
  private boolean flushing;
  private boolean compacting;
  private long retryFailedAfterWrites;

  /// One fsync of the log at a time.
  private final ReentrantLock syncLock = new ReentrantLock();

  final Tables tables;

  private final LongAdder flushes = new LongAdder();
  private final LongAdder compactions = new LongAdder();
  private final LongAdder logSyncs = new LongAdder();
  private final LongAdder logBytes = new LongAdder();
  private final LongAdder backgroundFailures = new LongAdder();
  private final AtomicInteger immutables = new AtomicInteger();

  private Lsm(
      FileSystem files,
      Offload background,
      String directory,
      LsmOptions options,
      AutoCloseable directoryLock,
      BlockCache cache,
      Recovery recovered)
      throws IOException {
    this.files = files;
    this.background = background;
    this.directory = directory;
    this.options = options;
    this.directoryLock = directoryLock;
    this.cache = cache;
    this.tables = recovered.tables();
    this.state = recovered.state();
    this.written = recovered.lastSequence();
    this.logged = written;
    this.synced = written;
    this.log = newLog(tables.newNumber());
    log.loggedSequence = written;
    log.bufferedSequence = written;
    unsynced.add(log);
  }

  /// Opens or creates a store and brings it back to where it was: all that was synced, and of the
  /// rest a prefix without holes.
  ///
  /// @param background where flushes and compactions run
  /// @param clock not used yet; expiry and pacing will
  /// @param randomness not used yet
  /// @throws CorruptionException if a file holds what cannot have been written
  /// @throws IOException if the directory cannot be used, or is in use
  public static Lsm open(
      FileSystem files,
      Offload background,
      Clock clock,
      Randomness randomness,
      String directory,
      LsmOptions options)
      throws IOException {
    files.createDirectories(directory);
    AutoCloseable directoryLock = files.lock(directory + "/LOCK");
    BlockCache cache = new BlockCache(options.cacheBytes());
    try {
      Recovery recovered = Recovery.run(files, directory, options, cache);
      return new Lsm(files, background, directory, options, directoryLock, cache, recovered);
    } catch (IOException | RuntimeException e) {
      release(directoryLock);
      throw e;
    }
  }

  private static void release(AutoCloseable directoryLock) throws IOException {
    try {
      directoryLock.close();
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException("the directory's lock could not be released", e);
    }
  }

  private LogFile.Writer newLog(long number) throws IOException {
    FileSystem.WritableFile file = files.create(Recovery.logPath(directory, number));
    files.forceDirectory(directory);
    return new LogFile.Writer(number, file);
  }

  /// The column family of that name, created durably if there is none.
  public ColumnFamily columnFamily(String name, CompactionStyle style) throws IOException {
    return tables.family(
        name,
        style,
        id -> {
          lock.lock();
          try {
            ReadState now = state;
            ReadState.Family[] families =
                Arrays.copyOf(now.families, Math.max(now.families.length, id + 1));
            families[id] = new ReadState.Family(new Memtable(), List.of(), List.of());
            publish(families, now.flushedSequence);
          } finally {
            lock.unlock();
          }
        });
  }

  /// What is written between two calls of [#flushLog] is one group: a crash keeps all of it or
  /// nothing. `last` is called before a group ends, by the thread that ends it, and may write more.
  public void beforeGroupEnds(Runnable last) {
    groupEnd = last;
  }

  /// Appends a batch to the log's buffer and the memtables: readable at once at the sequence that
  /// is returned, durable later. No I/O.
  ///
  /// @throws IllegalStateException if the store is closed or an fsync has failed
  public long write(WriteBatch batch) {
    lock.lock();
    try {
      if (closed || failed != null) {
        throw new IllegalStateException(
            closed ? "the store is closed" : "the store has failed: " + failed);
      }
      long first = written + 1;
      ByteWriter encoded = batch.encoded(first);
      long last = written + batch.entries();
      log.add(encoded.array(), encoded.length(), last);
      ReadState now = state;
      WriteBatch.visit(
          new dev.tern.env.ByteReader(encoded.array(), 0, encoded.length()),
          (family, sequence, kind, array, key, value) -> {
            ReadState.Family target = java.util.Objects.requireNonNull(now.families[family]);
            target.active().add(array, key, value, sequence, kind);
          });
      written = last;
      logBytes.add(encoded.length());
      rotateIfFull(now);
      return last;
    } finally {
      lock.unlock();
    }
  }

  private void rotateIfFull(ReadState now) {
    if (retryFailedAfterWrites > 0) {
      if (--retryFailedAfterWrites == 0) {
        startFlush();
      }
      return;
    }
    if (rotating
        || immutables.get() >= MAX_IMMUTABLE
        || memtableBytes(now) < options.memtableBytes()) {
      return;
    }
    rotating = true;
    background.offload(() -> newLog(tables.newNumber()), this::rotate);
  }

  private static long memtableBytes(ReadState now) {
    long bytes = 0;
    for (ReadState.Family family : now.families) {
      bytes += family == null ? 0 : family.active().bytes();
    }
    return bytes;
  }

  private void rotate(LogFile.@Nullable Writer next, @Nullable Throwable failure) {
    lock.lock();
    try {
      rotating = false;
      if (next == null || closed) {
        noteFailure(failure);
        return;
      }
      handOver();
      next.loggedSequence = written;
      next.bufferedSequence = written;
      log = next;
      unsynced.add(next);
      ReadState now = state;
      ReadState.Family[] families = now.families.clone();
      for (int i = 0; i < families.length; i++) {
        ReadState.Family family = families[i];
        if (family != null) {
          List<Memtable> immutable = new ArrayList<>();
          immutable.add(family.active());
          immutable.addAll(family.immutable());
          families[i] = new ReadState.Family(new Memtable(), immutable, family.tables());
        }
      }
      immutables.incrementAndGet();
      tables.rotated(next.number, written);
      publish(families, now.flushedSequence);
      startFlush();
    } catch (IOException e) {
      noteFailure(e);
    } finally {
      lock.unlock();
    }
  }

  /// Tries again what failed in the background, for instance because the disk was full; the owner
  /// calls it now and then.
  public void retry() {
    lock.lock();
    try {
      if (retryFailedAfterWrites > 0 && failed == null) {
        retryFailedAfterWrites = 0;
        startFlush();
        startCompaction();
      }
    } finally {
      lock.unlock();
    }
  }

  private void noteFailure(@Nullable Throwable failure) {
    if (failure != null) {
      backgroundFailures.increment();
      retryFailedAfterWrites = 1000;
    }
  }

  /// Called under the lock.
  private void startFlush() {
    if (flushing || immutables.get() == 0 || closed) {
      return;
    }
    flushing = true;
    background.<Boolean>offload(
        () -> {
          if (options.planted() != LsmBug.TABLE_NOT_FORCED) {
            syncLog();
          }
          flushOldest();
          return true;
        },
        (done, failure) -> {
          lock.lock();
          try {
            flushing = false;
            noteFailure(failure);
            if (failure == null) {
              flushes.increment();
              startFlush();
              startCompaction();
            }
          } finally {
            lock.unlock();
          }
        });
  }

  /// Writes the oldest immutable memtable of each family to a table and lets its log go.
  private void flushOldest() throws IOException {
    ReadState from = acquire();
    try {
      tables.flush(
          from,
          (changed, flushedSequence) -> {
            lock.lock();
            try {
              ReadState now = state;
              ReadState.Family[] families = now.families.clone();
              for (int i = 0; i < families.length; i++) {
                ReadState.Family family = families[i];
                if (family != null && !family.immutable().isEmpty()) {
                  List<Memtable> immutable =
                      family.immutable().subList(0, family.immutable().size() - 1);
                  families[i] =
                      new ReadState.Family(family.active(), List.copyOf(immutable), changed.get(i));
                }
              }
              immutables.decrementAndGet();
              publish(families, flushedSequence);
            } finally {
              lock.unlock();
            }
          });
    } finally {
      letGo(from);
    }
  }

  /// Called under the lock.
  private void startCompaction() {
    if (compacting || closed || !tables.wantsCompaction()) {
      return;
    }
    compacting = true;
    background.<Boolean>offload(
        () -> {
          compact();
          return true;
        },
        (done, failure) -> {
          lock.lock();
          try {
            compacting = false;
            noteFailure(failure);
            if (failure == null) {
              compactions.increment();
              startCompaction();
            }
          } finally {
            lock.unlock();
          }
        });
  }

  private void compact() throws IOException {
    ReadState from = acquire();
    try {
      tables.compact(
          (changed, id) -> {
            lock.lock();
            try {
              ReadState now = state;
              ReadState.Family[] families = now.families.clone();
              ReadState.Family family = java.util.Objects.requireNonNull(families[id]);
              families[id] = new ReadState.Family(family.active(), family.immutable(), changed);
              publish(families, now.flushedSequence);
            } finally {
              lock.unlock();
            }
          });
    } finally {
      letGo(from);
    }
  }

  /// Replaces what readers see; called under the lock.
  private void publish(ReadState.@Nullable Family[] families, long flushedSequence) {
    ReadState before = state;
    ReadState next = new ReadState(families, flushedSequence);
    tables.retain(next);
    state = next;
    letGo(before);
  }

  private ReadState acquire() {
    while (true) {
      ReadState now = state;
      if (now.retain()) {
        return now;
      }
    }
  }

  private void letGo(ReadState old) {
    if (old.release()) {
      tables.release(old);
    }
  }

  /// Hands what is buffered to the operating system, in one call.
  ///
  /// @throws IOException if that fails, for instance because the disk is full; nothing is lost, and
  ///   the next call goes on where this one ended
  public void flushLog() throws IOException {
    lock.lock();
    try {
      handOver();
    } finally {
      lock.unlock();
    }
  }

  private void handOver() throws IOException {
    groupEnd.run();
    stalled = true;
    log.handOver();
    stalled = false;
    logged = log.loggedSequence;
  }

  /// Forces to the disk all that was handed to the operating system before the call; blocks.
  ///
  /// @throws IOException if the disk refuses; the store has then failed for good
  public void syncLog() throws IOException {
    syncLock.lock();
    try {
      List<LogFile.Writer> todo;
      long[] ends;
      long target;
      lock.lock();
      try {
        if (failed != null) {
          throw new IOException("the store has failed before", failed);
        }
        todo = List.copyOf(unsynced);
        ends = todo.stream().mapToLong(writer -> writer.handedOver).toArray();
        target = log.loggedSequence;
      } finally {
        lock.unlock();
      }
      force(todo);
      lock.lock();
      try {
        for (int i = 0; i < ends.length; i++) {
          todo.get(i).syncedOffset = ends[i];
        }
        List<LogFile.Writer> done = todo.subList(0, todo.size() - 1);
        unsynced.removeAll(done);
        for (LogFile.Writer writer : done) {
          writer.file.close();
        }
        synced = Math.max(synced, target);
      } finally {
        lock.unlock();
      }
    } finally {
      syncLock.unlock();
    }
  }

  private void force(List<LogFile.Writer> writers) throws IOException {
    for (LogFile.Writer writer : writers) {
      try {
        if (options.planted() != LsmBug.SKIP_FSYNC) {
          writer.file.force();
        }
        logSyncs.increment();
      } catch (IOException e) {
        failed = e;
        throw e;
      }
    }
  }

  /// Writes a batch and waits until it is as durable as asked. Threads that wait together share an
  /// fsync.
  public void write(WriteBatch batch, Durability durability) throws IOException {
    long sequence = write(batch);
    if (durability != Durability.NONE) {
      flushLog();
    }
    while (durability == Durability.SYNC && synced < sequence) {
      syncLog();
    }
  }

  /// The newest value of a key up to a sequence, null if it has none. May read files.
  ///
  /// @param maxSequence `Long.MAX_VALUE` for the latest
  public byte @Nullable [] get(ColumnFamily family, byte[] key, long maxSequence)
      throws IOException {
    return lookup(family, key, maxSequence, true);
  }

  /// As [#get], without reading files: [#NOT_CACHED] where that would be needed.
  public byte @Nullable [] getCached(ColumnFamily family, byte[] key, long maxSequence)
      throws IOException {
    return lookup(family, key, maxSequence, false);
  }

  private byte @Nullable [] lookup(
      ColumnFamily columnFamily, byte[] key, long maxSequence, boolean mayRead) throws IOException {
    ReadState now = acquire();
    try {
      ReadState.Family family = now.family(columnFamily);
      long visible = Math.max(maxSequence, now.flushedSequence);
      long hash = Bloom.hash(key);
      int version = family.active().find(key, hash, visible);
      if (version != 0) {
        return valueOf(family.active(), version);
      }
      for (Memtable memtable : family.immutable()) {
        version = memtable.find(key, hash, visible);
        if (version != 0) {
          return valueOf(memtable, version);
        }
      }
      return family.tables().isEmpty()
          ? null
          : lookup(family.tables(), key, hash, visible, mayRead);
    } finally {
      letGo(now);
    }
  }

  private static byte @Nullable [] valueOf(Memtable memtable, int version) {
    return memtable.kind(version) == WriteBatch.DELETE ? null : memtable.value(version);
  }

  private static byte @Nullable [] lookup(
      List<Table> tables, byte[] key, long hash, long visible, boolean mayRead) throws IOException {
    Table.Entry found = new Table.Entry();
    for (Table table : tables) {
      int outcome = table.find(key, hash, visible, mayRead, found);
      if (outcome < 0) {
        return NOT_CACHED;
      }
      if (outcome > 0) {
        return found.kind == WriteBatch.DELETE ? null : found.value;
      }
    }
    return null;
  }

  /// An iterator over what is there now.
  public LsmIterator iterator(ColumnFamily columnFamily, IteratorOptions iteratorOptions) {
    ReadState now = acquire();
    ReadState.Family family = now.family(columnFamily);
    List<Cursor> sources = new ArrayList<>();
    sources.add(family.active().cursor());
    for (Memtable memtable : family.immutable()) {
      sources.add(memtable.cursor());
    }
    for (Table table : family.tables()) {
      sources.add(table.cursor());
    }
    long visible = Math.max(iteratorOptions.maxSequence(), now.flushedSequence);
    return new LsmIterator(new MergingCursor(sources), visible, () -> letGo(now));
  }

  /// Why the store has failed for good, null while it has not.
  public @Nullable IOException failure() {
    return failed;
  }

  /// Whether a writer should wait or refuse; asked before each write.
  public WritePressure pressure() {
    if (failed != null) {
      return new WritePressure(0, RETRY_MILLIS * 10);
    }
    if (stalled) {
      return new WritePressure(0, RETRY_MILLIS);
    }
    int waiting = immutables.get();
    if (waiting < SLOW_IMMUTABLE) {
      return WritePressure.NONE;
    }
    return waiting < MAX_IMMUTABLE
        ? new WritePressure(SLOW_NANOS, 0)
        : new WritePressure(0, RETRY_MILLIS);
  }

  /// The last sequence given.
  public long writtenSequence() {
    return written;
  }

  /// Everything up to it is with the operating system.
  public long loggedSequence() {
    return logged;
  }

  /// Everything up to it is on the disk.
  public long syncedSequence() {
    return synced;
  }

  public LsmStatistics statistics() {
    ReadState now = acquire();
    try {
      int count = 0;
      long bytes = 0;
      for (ReadState.Family family : now.families) {
        if (family != null) {
          count += family.tables().size();
          bytes += family.tables().stream().mapToLong(table -> table.sizeBytes).sum();
        }
      }
      return new LsmStatistics(
          memtableBytes(now),
          immutables.get(),
          count,
          bytes,
          cache.bytes(),
          flushes.sum(),
          compactions.sum(),
          logBytes.sum(),
          logSyncs.sum(),
          cache.hits(),
          cache.misses(),
          backgroundFailures.sum());
    } finally {
      letGo(now);
    }
  }

  /// Hands the log to the disk and lets the files go. Nobody may use the store meanwhile or later.
  @Override
  public void close() throws IOException {
    if (closed) {
      return;
    }
    try {
      if (failed == null) {
        flushLog();
        syncLog();
      }
    } finally {
      closed = true;
      tables.close();
      lock.lock();
      try {
        for (LogFile.Writer writer : unsynced) {
          writer.file.close();
        }
        letGo(state);
      } finally {
        lock.unlock();
      }
      release(directoryLock);
    }
  }
}
