package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import dev.tern.lsm.cache.Loan;
import dev.tern.lsm.compaction.CompactionPicker;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.MergingCursor;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.BlockLookup;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A store in one directory. Any thread may call any method; writers take turns on one lock,
/// readers take none.
///
/// Sequences: every entry written gets the next one. `written >= logged >= synced`: in memory, with
/// the operating system, on the disk. A reader may name the sequence up to which it wants to see,
/// and sees at least what is in tables, which is durable always; a [Snapshot] sees exactly its
/// moment.
///
/// [#write] blocks until the batch is as durable as asked, held up smoothly while compactions are
/// behind. [#append], [#flushLog], [#syncLog] and [#pressure] never wait, for an event loop.
///
/// Once the store is closed every call is an [IllegalStateException], but for those that only tell
/// a figure: the sequences, [#failure], [#recovery], [#pressure] and [#busy].
///
/// An fsync of the log that fails is final: what the disk holds is unknown, every later write is
/// refused, and the store must be opened anew. A full disk is not: writes are refused, reads go on,
/// and writing resumes when space returns.
public final class Lsm implements AutoCloseable {
  /// What [#getCached] returns where a block would have to be read; compare by identity.
  @SuppressWarnings("MutablePublicArray")
  public static final byte[] NOT_CACHED = new byte[0];

  /// Bytes that a write with [Durability#NONE] may leave in the log's buffer.
  private static final int MAX_GATHERED_BYTES = 256 << 10;

  /// A group of batches is handed to the operating system before it has more bytes than this.
  private static final int MAX_GROUP_BYTES = 64 << 20;

  private final Tools tools;
  private final Offload background;
  private final AutoCloseable directoryLock;
  private final boolean readOnly;
  private final Epochs<BlockLookup> epochs;

  /// Guards the fields that follow; the volatile ones are read without it.
  private final ReentrantLock lock = new ReentrantLock();

  final Tables tables;
  private final WriteLog log;
  private final Upkeep upkeep;
  private final BatchEntries entries = new BatchEntries();
  private final Set<Snapshot> snapshots = new LinkedHashSet<>();
  private final Set<LsmIterator> iterators = new LinkedHashSet<>();
  volatile ReadState state;
  private volatile long written;
  private volatile boolean closed;

  /// Held while the store closes, so that a second call of [#close] waits for the first.
  private final ReentrantLock closeLock = new ReentrantLock();

  private volatile boolean closing;
  private Runnable groupEnd = () -> {};

  private final Publication publication;
  private final Throttle throttle;
  private final List<LogLoss> losses;

  private Lsm(
      Tools tools,
      Offload background,
      AutoCloseable directoryLock,
      Recovery recovered,
      boolean readOnly) {
    this.tools = tools;
    this.background = background;
    this.directoryLock = directoryLock;
    this.readOnly = readOnly;
    this.epochs = tools.epochs();
    this.tables = recovered.tables();
    this.state = recovered.state();
    this.written = recovered.lastSequence();
    boolean skipForce = tools.options().tuning().planted() == LsmBug.SKIP_FSYNC;
    LogFile.Writer first = recovered.log();
    this.losses = recovered.losses();
    this.log =
        new WriteLog(
            tools.files(), tools.directory(), lock, skipForce, tables.logs, first, written);
    this.publication = new Publication(this, tools, tables, log);
    this.upkeep = new Upkeep(this, tables, log, background, tools);
    this.throttle = new Throttle(this, log, upkeep, background, tools.directory());
  }

  /// Opens or creates a store and brings it back to where it was: all that was synced, and of the
  /// rest a prefix without holes.
  ///
  /// @param background where flushes and compactions run
  /// @param clock for expiry and pacing
  /// @param randomness for the lives of its files; see [dev.tern.env.FileLife]
  /// @throws dev.tern.lsm.file.CorruptionException if a file holds what cannot have been written
  /// @throws IOException if the directory cannot be used, or is in use
  public static Lsm open(
      FileSystem files,
      Offload background,
      Clock clock,
      Randomness randomness,
      String directory,
      LsmOptions options)
      throws IOException {
    return open(files, background, clock, randomness, directory, options, found -> {});
  }

  /// Looks at a store before it is opened.
  public interface FirstLook {
    /// @param found the store, read-only; not to be used, and not to be closed, after the return
    /// @throws IOException if the store must not be opened
    void at(Lsm found) throws IOException;
  }

  /// As [#open(FileSystem, Offload, Clock, Randomness, String, LsmOptions)]. If the look refuses
  /// the store, nothing in the directory was changed: logs are not rewritten as tables, and no file
  /// is made or removed.
  ///
  /// @param look called unless there is no store yet
  public static Lsm open(
      FileSystem files,
      Offload background,
      Clock clock,
      Randomness randomness,
      String directory,
      LsmOptions options,
      FirstLook look)
      throws IOException {
    Events.load();
    java.util.Objects.requireNonNull(background, "background");
    java.util.Objects.requireNonNull(clock, "clock");
    java.util.Objects.requireNonNull(randomness, "randomness");
    java.util.Objects.requireNonNull(options, "options");
    AutoCloseable directoryLock = StoreDirectory.take(files, directory);
    try {
      FileLives lives = FileLives.of(randomness, clock, directory);
      Tools tools = Tools.of(files, background, clock, lives, directory, options);
      return open(tools, background, directoryLock, false, look);
    } catch (IOException | RuntimeException | Error e) {
      StoreDirectory.release(directoryLock);
      throw e;
    }
  }

  /// Opens a store to look at it: nothing is written, no lock is taken, what the log holds is
  /// replayed in memory. While another process writes to the store, its files may vanish from under
  /// the reader, which then gets errors.
  ///
  /// @throws dev.tern.lsm.file.CorruptionException if a file holds what cannot have been written
  /// @throws IOException if there is no store, or the directory cannot be read
  public static Lsm openReadOnly(
      FileSystem files, Offload background, Clock clock, String directory, LsmOptions options)
      throws IOException {
    FileLives none = FileLives.of(Randomness.of(0));
    Tools tools = Tools.of(files, background, clock, none, directory, options);
    return open(tools, background, () -> {}, true, found -> {});
  }

  private static Lsm open(
      Tools tools,
      Offload background,
      AutoCloseable directoryLock,
      boolean readOnly,
      FirstLook look)
      throws IOException {
    try {
      Recovery recovered =
          Recovery.run(
              tools, readOnly, found -> look.at(new Lsm(tools, background, () -> {}, found, true)));
      Lsm lsm = new Lsm(tools, background, directoryLock, recovered, readOnly);
      if (!readOnly) {
        lsm.upkeep.opened();
      }
      return lsm;
    } catch (IOException | RuntimeException | Error e) {
      tools.cache().close();
      throw e;
    }
  }

  /// The column family of that name, created durably if there is none; see [FamilyOptions].
  ///
  /// @throws IllegalArgumentException if there is one of another style, or the name is no text: it
  ///   has half of a surrogate pair
  /// @throws IllegalStateException if the store is closed, or read-only and there is none
  public ColumnFamily columnFamily(String name, CompactionStyle style) throws IOException {
    return columnFamily(name, FamilyOptions.of(style), false);
  }

  /// The column family of that name, created durably if there is none. Blocks.
  ///
  /// @throws IllegalArgumentException if there is one with other options, which are fixed, or the
  ///   name is no text: it has half of a surrogate pair
  /// @throws IllegalStateException if the store is closed, or read-only and there is none
  public ColumnFamily columnFamily(String name, FamilyOptions options) throws IOException {
    return columnFamily(name, options, true);
  }

  /// The column families there are, by number; with whatever options they were created with.
  ///
  /// @throws IllegalStateException if the store is closed
  public List<ColumnFamily> columnFamilies() {
    checkOpen();
    return tables.families();
  }

  private ColumnFamily columnFamily(String name, FamilyOptions options, boolean strict)
      throws IOException {
    java.util.Objects.requireNonNull(name);
    java.util.Objects.requireNonNull(options);
    checkOpen();
    if (readOnly) {
      return tables.family(name, options, strict, null);
    }
    return tables.family(name, options, strict, publication::created);
  }

  /// What is written between two calls of [#flushLog] is one group: a crash keeps all of it or
  /// nothing. `last` is called before a group ends, by the thread that ends it, and may append
  /// more.
  public void beforeGroupEnds(Runnable last) {
    groupEnd = java.util.Objects.requireNonNull(last);
  }

  /// Appends a batch to the log's buffer and the memtables: readable at once at the sequence that
  /// is returned, durable later. No I/O, no waiting but for the lock.
  ///
  /// What is refused by an exception of these was not done. Any other failure, an OutOfMemoryError
  /// among them, fails the store for good: see [#failure].
  ///
  /// @throws IllegalArgumentException if it names a column family of another store, or of an
  ///   earlier opening of this one
  /// @throws IllegalStateException if the store is closed or read-only or has failed, or if more
  ///   than [WriteBatch#MAX_BATCH_BYTES] wait for [#flushLog]
  public long append(WriteBatch batch) {
    lock.lock();
    try {
      checkWritable();
      return Appending.append(batch, this, log, entries);
    } finally {
      lock.unlock();
    }
  }

  /// Puts a batch that is in the log's buffer into the memtables; under the lock.
  void apply(BatchEntries decoded, int bytes) {
    ReadState.@Nullable Family[] families = state.families;
    while (decoded.next()) {
      java.util.Objects.requireNonNull(families[decoded.family]).active().apply(decoded);
    }
    written = decoded.sequence;
    tools.pacer().ingested(bytes);
  }

  /// Called after [#apply]: begins a rotation if the memtables are full; under the lock.
  void applied() {
    upkeep.written();
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("the store is closed");
    }
  }

  void checkWritable() {
    IOException failure = log.failure();
    if (closed || readOnly || failure != null) {
      throw new IllegalStateException(
          closed
              ? "the store is closed"
              : readOnly ? "the store is open read-only" : "the store has failed: " + failure);
    }
  }

  /// As [#write(WriteBatch, Durability)] with the durability of the options.
  public void write(WriteBatch batch) throws IOException {
    write(batch, tools.options().durability());
  }

  /// Writes a batch and waits until it is as durable as asked; threads that wait together share an
  /// fsync. Held up before that while flushes and compactions are behind.
  ///
  /// @throws WriteRefusedException if there is no room; nothing was written, and the same write
  ///   succeeds once there is room again
  /// @throws IOException if it is not known whether the batch will survive a crash
  /// @throws IllegalStateException if the store is closed or read-only, or an fsync has failed
  public void write(WriteBatch batch, Durability durability) throws IOException {
    checkWritable();
    java.util.Objects.requireNonNull(durability, "durability");
    throttle.before(batch.bytes());
    spill(Math.max(0, MAX_GROUP_BYTES - batch.bytes()));
    long sequence = reserveAndAppend(batch);
    switch (durability) {
      case NONE -> spill(MAX_GATHERED_BYTES);
      case OS -> {
        if (log.loggedSequence() < sequence) {
          flushLog();
        }
      }
      case SYNC -> log.sync(sequence, this::flushLog);
    }
  }

  private long reserveAndAppend(WriteBatch batch) throws IOException {
    lock.lock();
    try {
      checkWritable();
      reserve(batch.bytes());
      return Appending.append(batch, this, log, entries);
    } finally {
      lock.unlock();
    }
  }

  private void reserve(int batchBytes) throws WriteRefusedException {
    try {
      log.reserve(batchBytes);
    } catch (IOException e) {
      throw new WriteRefusedException("there is no room for the log: " + e.getMessage(), e);
    }
  }

  private void spill(int most) throws IOException {
    lock.lock();
    try {
      if (log.gathered() > most) {
        flushLog();
      }
    } finally {
      lock.unlock();
    }
  }

  /// Removes all keys from `from` up to `to`, exclusive.
  public void deleteRange(ColumnFamily family, byte[] from, byte[] to) throws IOException {
    write(new WriteBatch().deleteRange(family, from, to));
  }

  /// Tries again what failed in the background, for instance because the disk was full, and lets go
  /// of what readers have left; the owner calls it now and then. A store that is written to calls
  /// it by itself.
  ///
  /// @throws IllegalStateException if the store is closed
  public void retry() {
    checkOpen();
    upkeep.retry();
    epochs.reclaim();
  }

  /// Hands what is buffered to the operating system, in one call.
  ///
  /// @throws IOException if that fails, for instance because the disk is full; nothing is lost, and
  ///   the next call goes on where this one ended
  /// @throws IllegalStateException if the store is closed
  public void flushLog() throws IOException {
    lock.lock();
    try {
      checkOpen();
      groupEnd.run();
      log.handOver();
    } finally {
      lock.unlock();
    }
  }

  /// Forces to the disk all that was handed to the operating system before the call; blocks.
  ///
  /// @throws IOException if the disk refuses; the store has then failed for good
  /// @throws IllegalStateException if the store is closed
  public void syncLog() throws IOException {
    checkOpen();
    log.syncLogged();
  }

  /// Writes what the memtables hold to tables; blocks until that is done.
  public void flush() throws IOException {
    checkWritable();
    upkeep.flushNow();
  }

  /// The newest value of a key, null if it has none. May read files.
  public byte @Nullable [] get(ColumnFamily family, byte[] key) throws IOException {
    return get(family, key, Long.MAX_VALUE);
  }

  /// The newest value of a key up to a sequence, or in a table; null if it has none. May read
  /// files.
  public byte @Nullable [] get(ColumnFamily family, byte[] key, long maxSequence)
      throws IOException {
    return lookup(family, key, maxSequence, null, true);
  }

  /// The value of a key when the snapshot was taken, null if it had none. May read files.
  public byte @Nullable [] get(ColumnFamily family, byte[] key, Snapshot snapshot)
      throws IOException {
    Objects.requireNonNull(snapshot, "snapshot");
    return lookup(family, key, Long.MAX_VALUE, snapshot, true);
  }

  /// As [#get], without reading files: [#NOT_CACHED] where that would be needed.
  public byte @Nullable [] getCached(ColumnFamily family, byte[] key, long maxSequence)
      throws IOException {
    return lookup(family, key, maxSequence, null, false);
  }

  /// Lends the value of a key to `reader` without copying it (but what is in a memtable still), and
  /// returns what that makes of it; null if the key has none. What is lent is read-only and ends
  /// with the call. The reader may take its time: it holds one block, and holds nobody up.
  public <T> @Nullable T read(ColumnFamily family, byte[] key, ValueReader<T> reader)
      throws IOException {
    try (Loan loan = lend(family, key)) {
      return loan == null ? null : reader.read(loan.value(), 0, (int) loan.value().byteSize());
    }
  }

  private @Nullable Loan lend(ColumnFamily family, byte[] key) throws IOException {
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

  /// The newest values of several keys, in their order, null where there is none. May read files.
  public byte[] @Nullable [] multiGet(ColumnFamily family, byte[][] keys) throws IOException {
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

  private byte @Nullable [] lookup(
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
        return NOT_CACHED;
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

  /// A snapshot of this moment, readable until it is closed.
  public Snapshot snapshot() {
    lock.lock();
    try {
      checkOpen();
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
  public LsmIterator iterator(ColumnFamily family, IteratorOptions options) {
    LsmIterator iterator =
        new LsmIterator(this, family, options, tools.clock(), view(family, options));
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

  /// An iterator stepped over many dead entries: asks for a flush or a compaction.
  void skipped(ReadState seen, ColumnFamily family) {
    if (readOnly) {
      return;
    }
    Memtable active = family.in(seen, tables).active();
    upkeep.skipped(active.skips.get() >= CompactionPicker.MANY_SKIPS && active.isMostlyDeletes());
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
      if (closed) {
        tables.delete(free, false);
      } else if (!free.isEmpty()) {
        background.<Boolean>offload(() -> delete(free), (done, failure) -> {});
      }
    }
  }

  /// [#close] waits for a deletion: whoever opens the store next may delete the same files.
  private boolean delete(List<Table> free) {
    boolean open = upkeep.begin();
    try {
      tables.delete(free, open);
    } finally {
      if (open) {
        upkeep.end();
      }
    }
    return true;
  }

  /// Runs what [#beforeGroupEnds] was given, before a group ends; under the lock.
  void endGroup() {
    groupEnd.run();
  }

  Publication publication() {
    return publication;
  }

  ReentrantLock lock() {
    return lock;
  }

  int immutables() {
    return publication.immutables();
  }

  /// Bytes held by the memtables that are written to.
  long activeBytes() {
    return state.activeBytes();
  }

  /// The write-ahead log.
  WriteLog log() {
    return log;
  }

  boolean planted(LsmBug bug) {
    return tools.planted(bug);
  }

  boolean isReadOnly() {
    return readOnly;
  }

  boolean isClosed() {
    return closed;
  }

  /// What this opening found in the logs behind their ends and did not take; empty after a clean
  /// close. To be logged: see docs/lsm.md, "A flipped byte".
  public List<LogLoss> recovery() {
    return losses;
  }

  /// Why the store has failed for good; null if it has not.
  public @Nullable IOException failure() {
    return log.failure();
  }

  /// Whether a writer should wait or refuse; asked before each [#append].
  public WritePressure pressure() {
    return log.failure() != null ? Upkeep.FAILED : upkeep.pressure();
  }

  /// The sequence of the last entry that was written.
  public long writtenSequence() {
    return written;
  }

  /// The sequence up to which everything is with the operating system.
  public long loggedSequence() {
    return log.loggedSequence();
  }

  /// The sequence up to which everything is on the disk.
  public long syncedSequence() {
    return log.syncedSequence();
  }

  /// Whether a flush or a compaction is under way or due.
  public boolean busy() {
    return upkeep.busy();
  }

  /// Makes a copy of the store, as it is now, in another directory of the same file system: tables
  /// by hard links, the log by copying. Blocks.
  ///
  /// @throws IOException if the directory has something in it, or the copy cannot be made
  /// @throws IllegalStateException if the store is closed or read-only
  public void checkpoint(String path) throws IOException {
    checkOpen();
    if (readOnly) {
      throw new IllegalStateException("the store is open read-only");
    }
    Checkpoint.make(this, tools, path);
  }

  /// Reads every byte of every table and checks all there is to check. Blocks.
  ///
  /// @return tables looked at
  /// @throws dev.tern.lsm.file.CorruptionException naming the first thing that is wrong
  public int verify() throws IOException {
    ReadState now = acquire();
    try {
      return now.verify();
    } finally {
      letGo(now);
    }
  }

  /// The present figures of the store.
  public LsmStatistics statistics() {
    ReadState now = acquire();
    lock.lock();
    try {
      long nanos = tools.clock().monotonicNanos();
      return Figures.of(
          tools,
          now,
          tables,
          log,
          upkeep,
          losses.stream().mapToLong(LogLoss::bytes).sum(),
          throttle.delayedNanos(),
          snapshots.stream().mapToLong(s -> nanos - s.takenNanos()).toArray(),
          iterators.stream().mapToLong(i -> nanos - i.openedNanos()).toArray());
    } finally {
      lock.unlock();
      letGo(now);
    }
  }

  /// Hands the log to the disk and lets the files go. Idempotent; any thread, also while others use
  /// the store: every use from then on is an IllegalStateException, of open iterators too. Waits
  /// for readers that are inside, but not for ever: one that stays five seconds keeps the memory. A
  /// second call waits for the first.
  @Override
  public void close() throws IOException {
    if (closing && lock.isHeldByCurrentThread()) {
      return; // By what runs at the end of a group: the thread that closes needs the lock.
    }
    closeLock.lock();
    try {
      if (!closing) {
        closing = true;
        new Closing(tools, background, tables, log, upkeep, directoryLock).run(this, readOnly);
      }
    } finally {
      closeLock.unlock();
    }
  }

  /// Hands over what was appended up to now, and lets nothing be appended any more.
  void endWrites() throws IOException {
    lock.lock();
    try {
      if (!readOnly && log.failure() == null && !planted(LsmBug.CLOSED_BEFORE_HANDOVER)) {
        flushLog();
      }
    } finally {
      closed = true;
      lock.unlock();
    }
  }
}
