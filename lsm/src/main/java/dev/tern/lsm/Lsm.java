package dev.tern.lsm;

import dev.tern.env.Clock;
import dev.tern.env.FileLives;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import dev.tern.lsm.cache.Loan;
import dev.tern.lsm.compaction.CompactionPicker;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
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

  final Tools tools;
  private final Offload background;
  private final AutoCloseable directoryLock;
  private final Lifetime lifetime;
  private final WriteLog log;
  final Compactions compactions;
  private final Upkeep upkeep;
  private final BatchWriter writer;
  private final List<LogLoss> losses;
  final Tables tables;
  final Flushes flushes;
  final Ingests ingests;
  final Readers readers;
  final Publication publication;

  /// Held while the store closes, so that a second call of [#close] waits for the first.
  private final ReentrantLock closeLock = new ReentrantLock();

  private volatile boolean closing;

  private Lsm(
      Tools tools,
      Offload background,
      AutoCloseable directoryLock,
      Recovery recovered,
      boolean readOnly) {
    this.tools = tools;
    this.background = background;
    this.directoryLock = directoryLock;
    this.tables = recovered.tables();
    this.losses = recovered.losses();
    this.lifetime = new Lifetime(background, readOnly);
    this.readers = new Readers(tools, tables, background, lifetime, recovered);
    this.log =
        new WriteLog(
            tools.files(),
            tools.directory(),
            lifetime.lock,
            tools.planted(LsmBug.SKIP_FSYNC),
            tables.logs,
            recovered.log(),
            recovered.lastSequence(),
            tools.options().hasLog(),
            tools.options().archive() == LogArchive.NONE
                ? WriteLog.Archive.NONE
                : (path, number) ->
                    lifetime.callBack(() -> tools.options().archive().take(path, number)),
            tools.memory());
    this.publication = new Publication(readers, tools, tables, log, lifetime.lock);
    this.flushes = new Flushes(tools, tables);
    this.compactions = new Compactions(tools, tables);
    this.upkeep =
        new Upkeep(readers, tables, flushes, compactions, log, publication, lifetime, tools);
    this.writer = new BatchWriter(tools, background, readers, tables, log, upkeep, lifetime);
    this.ingests = new Ingests(tools, tables, readers, upkeep, writer, publication, lifetime);
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
        lsm.log.archiveLeft(recovered.tables().firstLog());
        lsm.upkeep.opened();
        tools.group().add(lsm.upkeep);
      }
      return lsm;
    } catch (IOException | RuntimeException | Error e) {
      tools.release();
      throw e;
    }
  }

  /// The column family of that name, created durably if there is none; see [FamilyOptions].
  ///
  /// @throws IllegalArgumentException if there is one of another style, or the name is longer than
  ///   64 KiB as UTF-8, or no text: it has half of a surrogate pair
  /// @throws IllegalStateException if the store is closed, or read-only and there is none
  public ColumnFamily columnFamily(String name, CompactionStyle style) throws IOException {
    return columnFamily(name, FamilyOptions.of(style), false);
  }

  /// The column family of that name, created durably if there is none. Blocks.
  ///
  /// @throws IllegalArgumentException if there is one with other options, which are fixed, or the
  ///   name is longer than 64 KiB as UTF-8, or no text: it has half of a surrogate pair
  /// @throws IllegalStateException if the store is closed, or read-only and there is none
  public ColumnFamily columnFamily(String name, FamilyOptions options) throws IOException {
    return columnFamily(name, options, true);
  }

  /// The column families there are, by number; with whatever options they were created with.
  ///
  /// @throws IllegalStateException if the store is closed
  public List<ColumnFamily> columnFamilies() {
    lifetime.checkOpen();
    lifetime.checkNotInGroupEnd();
    return tables.families();
  }

  private ColumnFamily columnFamily(String name, FamilyOptions options, boolean strict)
      throws IOException {
    java.util.Objects.requireNonNull(name);
    java.util.Objects.requireNonNull(options);
    lifetime.checkOpen();
    lifetime.checkNotInGroupEnd();
    if (lifetime.isReadOnly()) {
      return tables.family(name, options, strict, null);
    }
    return tables.family(name, options, strict, publication::created);
  }

  /// What is written between two calls of [#flushLog] is one group: a crash keeps all of it or
  /// nothing. `last` is called before a group ends, by the thread that ends it under the store's
  /// lock, and may append more. It may do nothing else with the store but read: other calls would
  /// wait for a flush that waits for the lock, and are an [IllegalStateException].
  public void beforeGroupEnds(Runnable last) {
    log.beforeGroupEnds(java.util.Objects.requireNonNull(last));
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
    return writer.append(batch);
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
    writer.write(batch, durability);
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
    writer.retry();
  }

  /// Hands what is buffered to the operating system, in one call.
  ///
  /// @throws IOException if that fails, for instance because the disk is full; nothing is lost, and
  ///   the next call goes on where this one ended
  /// @throws IllegalStateException if the store is closed
  public void flushLog() throws IOException {
    writer.flushLog();
  }

  /// Forces to the disk all that was handed to the operating system before the call; blocks.
  ///
  /// @throws IOException if the disk refuses; the store has then failed for good
  /// @throws IllegalStateException if the store is closed, or has no log
  public void syncLog() throws IOException {
    lifetime.checkOpen();
    if (!tools.options().hasLog()) {
      throw new IllegalStateException("the store has no log: only a flush makes writes durable");
    }
    log.syncLogged();
  }

  /// Writes what the memtables hold to tables; blocks until that is done.
  ///
  /// @throws IllegalStateException if the store is closed, or a [FlushListener] or an archive calls
  public void flush() throws IOException {
    writer.checkWritable();
    lifetime.checkNotCalledBack();
    upkeep.flushNow();
  }

  /// Asks for a flush of everything written up to now; no I/O, no waiting but for the lock. All
  /// column families are flushed together, so [#flushedSequence] holds for all of them. A flush
  /// that fails, because the disk is full for instance, is tried again by writes and by [#retry].
  ///
  /// @return the sequence up to which the flush will reach at least; it may be reached already
  /// @throws IllegalStateException if the store is closed or read-only or has failed
  public long requestFlush() {
    writer.checkWritable();
    return upkeep.requestFlush();
  }

  /// Is told of flushes.
  public interface FlushListener {
    /// All up to a sequence, of every column family, is in tables, durably. Called once for each
    /// flush, in the order of the sequences, by whoever flushes: a worker, or the caller of
    /// [Lsm#flush] or [Lsm#close]. Later flushes and the close wait for the return, so the listener
    /// must not wait for them, or for a lock that their callers hold: it is refused [Lsm#flush],
    /// [Lsm#checkpoint], [Lsm#stage], [Lsm#abandonStaged], [Lsm#ingest], [Lsm#replace] and
    /// [Lsm#close], and [Lsm#write] while memtables are full. Whatever it throws is shown as a
    /// failure in the background, and changes nothing.
    void flushed(long sequence);
  }

  /// Sets who is told of each flush from now on, in place of whom was set before. Flushes of before
  /// are not told again: ask [#flushedSequence].
  ///
  /// @throws IllegalStateException if the store is closed
  public void afterFlush(FlushListener listener) {
    lifetime.checkOpen();
    upkeep.afterFlush(java.util.Objects.requireNonNull(listener));
  }

  /// The sequence up to which everything is in tables, whatever becomes of the log.
  public long flushedSequence() {
    return readers.state.flushedSequence;
  }

  /// The newest value of a key, null if it has none. May read files.
  public byte @Nullable [] get(ColumnFamily family, byte[] key) throws IOException {
    return get(family, key, Long.MAX_VALUE);
  }

  /// The newest value of a key up to a sequence, or in a table; null if it has none. May read
  /// files.
  public byte @Nullable [] get(ColumnFamily family, byte[] key, long maxSequence)
      throws IOException {
    return readers.lookup(family, key, maxSequence, null, true);
  }

  /// The value of a key when the snapshot was taken, null if it had none. May read files.
  public byte @Nullable [] get(ColumnFamily family, byte[] key, Snapshot snapshot)
      throws IOException {
    Objects.requireNonNull(snapshot, "snapshot");
    return readers.lookup(family, key, Long.MAX_VALUE, snapshot, true);
  }

  /// As [#get], without reading files: [#NOT_CACHED] where that would be needed.
  public byte @Nullable [] getCached(ColumnFamily family, byte[] key, long maxSequence)
      throws IOException {
    return readers.lookup(family, key, maxSequence, null, false);
  }

  /// Lends the value of a key to `reader` without copying it (but what is in a memtable still), and
  /// returns what that makes of it; null if the key has none. What is lent is read-only and ends
  /// with the call. The reader may take its time: it holds one block, and holds nobody up.
  public <T> @Nullable T read(ColumnFamily family, byte[] key, ValueReader<T> reader)
      throws IOException {
    try (Loan loan = readers.lend(family, key)) {
      return loan == null ? null : reader.read(loan.value(), 0, (int) loan.value().byteSize());
    }
  }

  /// The newest values of several keys, in their order, null where there is none. May read files.
  public byte[] @Nullable [] multiGet(ColumnFamily family, byte[][] keys) throws IOException {
    return readers.multiGet(family, keys);
  }

  /// A snapshot of this moment, readable until it is closed.
  public Snapshot snapshot() {
    return readers.snapshot();
  }

  /// An iterator over the keys there are now; it stands on no key yet.
  public LsmIterator iterator(ColumnFamily family, IteratorOptions options) {
    return readers.iterator(family, options, this::skipped);
  }

  /// Keys that the sources of a column family name in a range, ascending, where an iterator cannot
  /// go on: sources that have an unreadable block there pass over that block alone. What a key's
  /// newest version is, and whether that can be read, [#get] says. May read files.
  ///
  /// @param to exclusive
  /// @param limit the most keys that are told, at least 1; the first ones of the range
  /// @throws IllegalArgumentException if the limit is less
  public List<byte[]> readableKeys(ColumnFamily family, byte[] from, byte[] to, int limit)
      throws IOException {
    if (limit < 1) {
      throw new IllegalArgumentException("a limit of " + limit + " keys");
    }
    return readers.readableKeys(family, from, to, limit);
  }

  /// An iterator stepped over many dead entries: asks for a flush or a compaction.
  void skipped(ReadState seen, ColumnFamily family) {
    if (lifetime.isReadOnly()) {
      return;
    }
    Memtable active = family.in(seen, tables).active();
    upkeep.skipped(active.skips.get() >= CompactionPicker.MANY_SKIPS && active.isMostlyDeletes());
  }

  /// The write-ahead log.
  WriteLog log() {
    return log;
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
    return upkeep.pressure();
  }

  /// The sequence of the last entry that was written.
  public long writtenSequence() {
    return readers.written;
  }

  /// The sequence up to which everything is with the operating system; without a log that is what
  /// is in tables.
  public long loggedSequence() {
    return tools.options().hasLog() ? log.loggedSequence() : flushedSequence();
  }

  /// The sequence up to which everything is on the disk; without a log that is what is in tables.
  public long syncedSequence() {
    return tools.options().hasLog() ? log.syncedSequence() : flushedSequence();
  }

  /// Whether a flush or a compaction is under way or due.
  public boolean busy() {
    return upkeep.busy();
  }

  /// Brings tables that [TableFileWriter] wrote into the store's directory and names them, under a
  /// label: they are not read before [#ingest], and stay over a crash. Durable on return. Blocks; a
  /// table's bytes are read once, as the file's checksum is looked at.
  ///
  /// @param label of the tables that are to become visible together, of any families; there may be
  ///   some with it already; at most 64 KiB as UTF-8
  /// @param paths of files in the store's file system
  /// @throws dev.tern.lsm.file.CorruptionException if a file is not what was written
  /// @throws IngestRefusedException if a table is not from a [TableFileWriter]
  /// @throws IllegalArgumentException if the label is too long, or no text
  /// @throws IOException if it cannot be done, for instance because the disk is full, or because
  ///   there would be too many tables for a manifest of 256 MiB; nothing has changed
  public void stage(String label, ColumnFamily family, List<String> paths, Staging how)
      throws IOException {
    writer.checkWritable();
    lifetime.checkNotCalledBack();
    ingests.stage(label, family, paths, how);
  }

  /// The tables that are staged, in the order in which they came.
  ///
  /// @throws IllegalStateException if the store is closed
  public List<StagedTable> staged() {
    lifetime.checkOpen();
    lifetime.checkNotInGroupEnd();
    return ingests.staged();
  }

  /// Gives the staged tables of a label up, and deletes their files. Nothing happens if there are
  /// none. Blocks.
  public void abandonStaged(String label) throws IOException {
    writer.checkWritable();
    lifetime.checkNotCalledBack();
    ingests.abandon(label);
  }

  /// Makes the staged tables of a label readable, all at once, by one durable edit of the manifest.
  /// Their entries are newer than all that was written before the call and older than all that is
  /// written once it has returned. What is written into the ranges meanwhile is newer, or the call
  /// is refused; it is never lost.
  ///
  /// Snapshots and iterators that were there before do not see them. A cache of what was read must
  /// not take in what a read gave that began before: see [#ingested].
  ///
  /// Blocks: it flushes the memtables first. One at a time; others wait. Where level 0 has more
  /// than twelve tables the call first waits for compactions, the longer the more, five seconds at
  /// most.
  ///
  /// @param ranges empty ones: nothing can be read in them but by an older snapshot. Each table
  ///   lies in one of its family's
  /// @return the sequence of the entries
  /// @throws IngestRefusedException if a key is in a range, or a table in none, or two tables
  ///   overlap, or no table has the label; the tables stay staged
  /// @throws IOException if it cannot be done; then they stay staged, and the call can be repeated
  public long ingest(String label, List<KeyRange> ranges) throws IOException {
    writer.checkWritable();
    lifetime.checkNotCalledBack();
    return ingests.ingest(label, ranges, false);
  }

  /// As [#ingest], but what is in the ranges is deleted by the same edit: a reader sees either what
  /// was there or what the tables hold.
  public long replace(String label, List<KeyRange> ranges) throws IOException {
    writer.checkWritable();
    lifetime.checkNotCalledBack();
    return ingests.ingest(label, ranges, true);
  }

  /// As [#replace], in steps between which the caller does something else.
  ///
  /// @throws IllegalStateException if the store is closed or read-only or has failed
  public Replacement replacement(String label, List<KeyRange> ranges) {
    writer.checkWritable();
    return ingests.replacement(label, ranges);
  }

  /// The values that keys have in the staged tables of a label, in the order of the keys; null
  /// where there is none. Blocks.
  ///
  /// @throws IOException if a table cannot be read
  public List<byte @Nullable []> stagedValues(String label, ColumnFamily family, List<byte[]> keys)
      throws IOException {
    writer.checkWritable();
    lifetime.checkNotCalledBack();
    return ingests.values(label, family, keys);
  }

  /// How many times [#ingest] or [#replace] have made tables readable since the store was opened. A
  /// read that began when this was n may not have seen the tables of ingest n + 1: who keeps what
  /// reads gave asks before the read and again when it keeps the answer, and drops the answer
  /// unless both are the same. When an ingest returns, the number has risen, and who keeps answers
  /// of its ranges drops them. Any thread; no lock.
  public long ingested() {
    return readers.generation;
  }

  /// Makes a copy of the store, as it is now, in another directory of the same file system: tables
  /// by hard links, the log by copying. Blocks.
  ///
  /// @throws IOException if the directory has something in it, or the copy cannot be made
  /// @throws IllegalStateException if the store is closed or read-only
  public void checkpoint(String path) throws IOException {
    lifetime.checkOpen();
    lifetime.checkNotCalledBack();
    if (lifetime.isReadOnly()) {
      throw new IllegalStateException("the store is open read-only");
    }
    Checkpoint.make(this, tools, path);
  }

  /// The tables there are now, kept until the result is closed. What is not in tables yet is not
  /// among it: see [#flush].
  ///
  /// @throws IllegalStateException if the store is closed
  public PinnedTables pinTables() {
    lifetime.checkOpen();
    lifetime.checkNotInGroupEnd();
    ReadState now = readers.acquire();
    // The state first: it has no family that is not among them.
    return new PinnedTables(readers, now, tables.families());
  }

  /// Reads every byte of every table and checks all there is to check. Blocks.
  ///
  /// @return tables looked at
  /// @throws dev.tern.lsm.file.CorruptionException naming the first thing that is wrong
  public int verify() throws IOException {
    ReadState now = readers.acquire();
    try {
      return now.verify();
    } finally {
      readers.letGo(now);
    }
  }

  /// The present figures of the store.
  public LsmStatistics statistics() {
    ReadState now = readers.acquire();
    lifetime.lock.lock();
    try {
      long nanos = tools.clock().monotonicNanos();
      return Figures.of(
          tools,
          now,
          tables,
          flushes,
          compactions,
          log,
          upkeep,
          ingests,
          losses.stream().mapToLong(LogLoss::bytes).sum(),
          writer.delayedNanos(),
          readers.snapshotAges(nanos),
          readers.iteratorAges(nanos));
    } finally {
      lifetime.lock.unlock();
      readers.letGo(now);
    }
  }

  /// Hands the log to the disk, writes the memtables to tables (see
  /// [LsmOptions#withLogKeptAtClose]), and lets the files go. Idempotent; any thread, also while
  /// others use the store: every use from then on is an IllegalStateException, of open iterators
  /// too. Waits for readers that are inside, but not for ever: one that stays five seconds keeps
  /// the memory. A second call waits for the first.
  @Override
  public void close() throws IOException {
    if (closing && lifetime.lock.isHeldByCurrentThread()) {
      return; // By what runs at the end of a group: the thread that closes needs the lock.
    }
    lifetime.checkNotCalledBack();
    closeLock.lock();
    try {
      if (!closing) {
        closing = true;
        new Closing(tools, background, tables, log, upkeep, directoryLock)
            .run(writer, readers, lifetime);
      }
    } finally {
      closeLock.unlock();
    }
  }
}
