package dev.tern.lsm.log;

import dev.tern.env.ByteWriter;
import dev.tern.env.FileSystem;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.file.StoreFiles;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/// The log being written and those before it that are not on the disk yet. Group commit: of the
/// threads that wait for the disk, one forces what all of them have written.
///
/// A store may keep no log. Its log has a number, so that memtables are rotated as in any other
/// store, and no file: nothing is gathered, handed over or forced.
///
/// Invariants: `appended >= logged >= synced`; logs are forced in order, so what a later one knows
/// as synced holds for the earlier ones too. A force that fails is final.
///
/// Methods marked so are called under the store's lock.
public final class WriteLog {
  /// Files that are not needed any more, kept to be written again: appending to them changes no
  /// metadata, which makes an fsync cheaper. One: each counts in full on the disk.
  private static final int MAX_RECYCLED = 1;

  /// Logs that an archive has not taken, at the most.
  public static final int MOST_UNARCHIVED = 16;

  /// Takes logs before their files go.
  public interface Archive {
    /// Wants none.
    Archive NONE = (path, number) -> {};

    /// Takes a log.
    void take(String path, long number) throws IOException;
  }

  private final FileSystem files;
  private final String directory;
  private final boolean skipForce;
  private final boolean kept;
  private final Archive archive;
  private final MemoryAccount memory;

  /// What the account was told; guarded by the lock.
  private long toldBytes;

  private final LongAdder notArchived = new LongAdder();

  /// Why the archive did not take the oldest log that waits, null if none waits.
  private volatile @Nullable Throwable archiveFailure;

  private final ReentrantLock lock;
  private final Condition syncEnded;

  /// The last one is being written; guarded by the lock.
  private final List<LogFile.Writer> unsynced = new ArrayList<>();

  private final LogNames names;
  private final ArrayDeque<Long> recyclable = new ArrayDeque<>();

  /// Made for the next log, and not gone on in yet: the manifest may name it, so it is not deleted.
  private LogFile.@Nullable Writer spare;

  /// Run by the thread that ends a group, before that.
  private Runnable groupEnd = () -> {};

  private boolean syncing;
  private volatile long logged;
  private volatile long synced;
  private volatile @Nullable IOException failed;

  /// What was gathered last must not be handed over; guarded by the lock.
  private boolean poisoned;

  /// Made ahead: what breaks a change is mostly a want of memory.
  private final IOException broken =
      new IOException(
          "a batch that is in the log could not be applied to the memtables, or what readers see"
              + " could not be changed, as something was thrown in the middle: memory may be"
              + " short; open the store anew");

  /// The operating system did not take the log's last bytes.
  private volatile boolean stalled;

  private final LongAdder syncs = new LongAdder();
  private final LongAdder bytes = new LongAdder();

  /// @param lock the store's
  /// @param skipForce a planted mistake
  public WriteLog(
      FileSystem files,
      String directory,
      ReentrantLock lock,
      boolean skipForce,
      LogNames names,
      LogFile.Writer first,
      long recovered,
      boolean kept,
      Archive archive,
      MemoryAccount memory) {
    this.memory = memory;
    this.files = files;
    this.directory = directory;
    this.lock = lock;
    this.skipForce = skipForce;
    this.names = names;
    this.syncEnded = lock.newCondition();
    this.logged = recovered;
    this.synced = recovered;
    this.stalled = first.isMissing();
    this.kept = kept;
    this.archive = archive;
    unsynced.add(first);
    first.loggedSequence = recovered;
    first.bufferedSequence = recovered;
  }

  /// Tells the account what is held; under the lock.
  private void tell() {
    long now = 0;
    for (int i = 0; i < unsynced.size(); i++) {
      now += unsynced.get(i).heldBytes();
    }
    if (now != toldBytes) {
      memory.add(MemoryPart.LOG, now - toldBytes);
      toldBytes = now;
    }
  }

  /// A new log, whose name and header are durable.
  public static LogFile.Writer create(
      FileSystem files, String directory, LogNames names, long number) throws IOException {
    FileSystem.WritableFile file = files.createLog(StoreFiles.logPath(directory, number));
    return begin(files, directory, names, number, file);
  }

  /// Begins a log in its file; the file goes if that fails.
  private static LogFile.Writer begin(
      FileSystem files, String directory, LogNames names, long number, FileSystem.WritableFile file)
      throws IOException {
    try {
      LogFile.Writer log = LogFile.Writer.begin(number, names.newLife(), file);
      files.forceDirectory(directory);
      names.add(log);
      return log;
    } catch (IOException | RuntimeException | Error e) {
      file.close();
      deleteUnused(files, StoreFiles.logPath(directory, number));
      throw e;
    }
  }

  /// On a full disk one more would be left by each try.
  private static void deleteUnused(FileSystem files, String path) {
    try {
      files.delete(path);
    } catch (IOException e) {
      // No manifest names it: the next opening deletes it.
      return;
    }
  }

  /// Gives logs their numbers and says durably that they are there.
  public interface Naming {
    /// A number that no file has had.
    long newNumber();

    /// Writes to the manifest, durably, which logs there are and how much of each was forced;
    /// blocks.
    void nameLogs() throws IOException;
  }

  /// A file for the next log, which the manifest names; blocks. What is not gone on in must be
  /// given back with [#keep].
  public LogFile.Writer next(Naming naming) throws IOException {
    if (!kept) {
      return LogFile.Writer.nowhere(naming.newNumber());
    }
    LogFile.Writer next = takeSpare();
    next = next == null ? make(naming.newNumber()) : next;
    boolean done = next.named;
    try {
      if (!done) {
        naming.nameLogs();
        next.named = true;
        done = true;
      }
      return next;
    } finally {
      if (!done) {
        lock.lock();
        try {
          keep(next);
        } finally {
          lock.unlock();
        }
      }
    }
  }

  private LogFile.@Nullable Writer takeSpare() {
    lock.lock();
    try {
      LogFile.Writer kept = spare;
      spare = null;
      return kept;
    } finally {
      lock.unlock();
    }
  }

  /// Under the lock: a log that was not gone on in is there for the next time.
  public void keep(LogFile.Writer unused) {
    assert lock.isHeldByCurrentThread();
    spare = unused;
  }

  private LogFile.Writer make(long number) throws IOException {
    Long old;
    lock.lock();
    try {
      old = recyclable.poll();
    } finally {
      lock.unlock();
    }
    if (old == null) {
      return create(files, directory, names, number);
    }
    String path = StoreFiles.logPath(directory, number);
    files.rename(StoreFiles.logPath(directory, old), path);
    FileSystem.WritableFile file = files.overwrite(path);
    return begin(files, directory, names, number, file);
  }

  /// Logs `from` up to `to`, exclusive, are not needed any more, and an archive may still want
  /// those before; blocks. One call at a time.
  public void release(long from, long to) throws IOException {
    for (long number : done(archive == Archive.NONE ? from : 0, to)) {
      if (!keep(number)) {
        files.delete(StoreFiles.logPath(directory, number));
      }
    }
  }

  /// Gives an archive what was left of an earlier opening, before anybody uses the store; blocks.
  /// What fails is tried again after each flush.
  ///
  /// @param to the first log that is needed
  public void archiveLeft(long to) {
    if (archive != Archive.NONE) {
      try {
        release(0, to);
      } catch (IOException e) {
        archiveFailure = e;
      }
    }
  }

  /// The logs of a range whose files may go.
  private List<Long> done(long from, long to) throws IOException {
    List<Long> logs =
        StoreFiles.logs(files, directory).stream().filter(n -> n >= from && n < to).toList();
    if (archive == Archive.NONE) {
      return logs;
    }
    List<Long> wanted = logs.stream().filter(number -> !names.isVoid(number)).toList();
    List<Long> left = wanted.subList(archived(wanted), wanted.size());
    return logs.stream().filter(number -> !left.contains(number)).toList();
  }

  /// Gives logs to the archive, in their order; how many of them are done with.
  private int archived(List<Long> logs) {
    int taken = 0;
    archiveFailure = null;
    try {
      for (long number : logs) {
        archive.take(StoreFiles.logPath(directory, number), number);
        taken++;
      }
    } catch (Throwable e) {
      archiveFailure = e;
    }
    int dropped = Math.max(0, logs.size() - taken - MOST_UNARCHIVED);
    notArchived.add(dropped);
    return taken + dropped;
  }

  /// Logs that went without having been taken by the archive.
  public long notArchived() {
    return notArchived.sum();
  }

  /// Why the archive does not take what waits for it; null if nothing waits.
  public @Nullable Throwable archiveFailure() {
    return archiveFailure;
  }

  private boolean keep(long number) {
    lock.lock();
    try {
      boolean idle = unsynced.stream().noneMatch(writer -> writer.number == number);
      boolean room =
          kept
              && recyclable.size() < MAX_RECYCLED
              && !recyclable.contains(number)
              && archive == Archive.NONE;
      boolean again = idle && room;
      if (again) {
        recyclable.add(number);
      }
      return again;
    } finally {
      lock.unlock();
    }
  }

  private LogFile.Writer current() {
    return unsynced.getLast();
  }

  /// Under the lock: makes room on the disk for a batch.
  ///
  /// @throws IOException if there is none
  public void reserve(int batchBytes) throws IOException {
    assert lock.isHeldByCurrentThread();
    current().reserve(batchBytes);
  }

  /// Under the lock: gathers a batch; one that throws gathers nothing.
  public void add(ByteWriter batch, long lastSequence) {
    assert lock.isHeldByCurrentThread();
    if (!kept) {
      return;
    }
    bytes.add(batch.length());
    current().add(batch.array(), batch.length(), lastSequence);
    tell();
  }

  /// Under the lock: sets what runs before a group ends; it may add to the group.
  public void beforeGroupEnds(Runnable last) {
    groupEnd = last;
  }

  /// Under the lock: ends the group, and hands what was gathered to the operating system, in one
  /// call.
  public void endGroup() throws IOException {
    endGroup(() -> 0);
  }

  /// As [#endGroup()], with entries behind what the end of the group adds.
  ///
  /// @param last appends them
  /// @return what `last` returned
  public long endGroup(LongSupplier last) throws IOException {
    assert lock.isHeldByCurrentThread();
    groupEnd.run();
    long told = last.getAsLong();
    handOver();
    return told;
  }

  private void handOver() throws IOException {
    IOException failure = failed;
    if (poisoned && failure != null) {
      throw new IOException(failure.getMessage(), failure);
    }
    if (!kept) {
      return;
    }
    LogFile.Writer log = current();
    boolean done = false;
    try {
      log.handOver();
      done = true;
    } finally {
      // Others look at it without the lock: it is not stalled while it is merely written to.
      stalled = !done || log.isMissing();
    }
    tell();
    assert log.loggedSequence >= logged : "what was logged falls";
    logged = log.loggedSequence;
  }

  /// Under the lock: the store has failed, and what was gathered must never reach the file, nor
  /// anything behind it.
  public void poison() {
    assert lock.isHeldByCurrentThread();
    poisoned = true;
    failed = failed == null ? broken : failed;
  }

  /// Under the lock: bytes gathered and not handed over.
  public int gathered() {
    assert lock.isHeldByCurrentThread();
    return current().gathered();
  }

  /// Whether the log's file could not be made yet; under the lock.
  public boolean isMissing() {
    assert lock.isHeldByCurrentThread();
    return current().isMissing();
  }

  /// Under the lock: there is a file at last, for what was gathered and what comes.
  public void adopt(LogFile.Writer found) {
    assert lock.isHeldByCurrentThread();
    current().moveTo(found);
    unsynced.set(unsynced.size() - 1, found);
    stalled = found.gathered() > 0;
  }

  /// Under the lock: whether it is written to.
  public boolean isCurrent(LogFile.Writer log) {
    return current() == log;
  }

  /// Under the lock: goes on in another file; all that was written must have been handed over.
  public void switchTo(LogFile.Writer next) {
    assert lock.isHeldByCurrentThread();
    if (current().gathered() > 0) {
      throw new IllegalStateException("a log was ended before all of it was handed over");
    }
    if (next.number <= current().number) {
      throw new IllegalStateException(
          "log %d cannot follow log %d".formatted(next.number, current().number));
    }
    next.loggedSequence = current().loggedSequence;
    next.bufferedSequence = next.loggedSequence;
    if (!kept) {
      unsynced.clear();
    }
    unsynced.add(next);
    tell();
  }

  /// Hands over what was gathered.
  public interface HandOver {
    void run() throws IOException;
  }

  /// Forces what was handed over until `sequence` is on the disk; blocks. Threads that come
  /// meanwhile wait and share the next force.
  ///
  /// @param before called under the lock before a force, to hand over what it shall cover
  /// @throws IOException if the disk refuses; the log has then failed for good
  public void sync(long sequence, HandOver before) throws IOException {
    assert kept : "a log that is not kept is forced";
    lock.lock();
    try {
      while (synced < sequence) {
        IOException failure = failed;
        if (failure != null) {
          throw new IOException("the log has failed before: " + failure.getMessage(), failure);
        }
        if (syncing) {
          syncEnded.awaitUninterruptibly();
        } else {
          before.run();
          syncOnce();
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// How much of each log that may still grow was handed over, at one moment; the last one is being
  /// written. Behind that a file holds what was never written, and may be written any time.
  public SortedMap<Long, Long> extents() {
    lock.lock();
    try {
      TreeMap<Long, Long> extents = new TreeMap<>();
      unsynced.forEach(writer -> extents.put(writer.number, writer.handedOver));
      return extents;
    } finally {
      lock.unlock();
    }
  }

  /// As [#sync], for all that was handed over before the call; nothing where no log is kept.
  public void syncLogged() throws IOException {
    if (kept) {
      sync(logged, () -> {});
    }
  }

  /// Under the lock, which is let go meanwhile.
  private void syncOnce() throws IOException {
    List<LogFile.Writer> todo = List.copyOf(unsynced);
    long[] ends = todo.stream().mapToLong(writer -> writer.handedOver).toArray();
    long target = logged;
    boolean done = false;
    syncing = true;
    lock.unlock();
    try {
      force(todo);
      done = true;
    } finally {
      lock.lock();
      syncing = false;
      try {
        if (done) {
          synced(todo, ends, target);
        }
      } finally {
        syncEnded.signalAll();
      }
    }
  }

  /// Under the lock: so much of some logs is on the disk.
  private void synced(List<LogFile.Writer> logs, long[] ends, long target) {
    for (int i = 0; i < ends.length; i++) {
      logs.get(i).syncedOffset = ends[i];
      names.forced(logs.get(i).number, ends[i]);
    }
    synced = Math.max(synced, target);
    if (synced > logged) {
      throw new IllegalStateException("synced up to %d, logged up to %d".formatted(synced, logged));
    }
    List<LogFile.Writer> old = logs.subList(0, logs.size() - 1);
    unsynced.removeAll(old);
    tell();
    old.forEach(WriteLog::closeQuietly);
  }

  private void force(List<LogFile.Writer> writers) throws IOException {
    for (LogFile.Writer writer : writers) {
      try {
        LogSync event = new LogSync();
        event.begin();
        if (!skipForce) {
          writer.file.force();
        }
        event.commit();
        syncs.increment();
      } catch (IOException e) {
        failed = e;
        throw e;
      } catch (RuntimeException | Error e) {
        // Nobody knows whether the disk was asked, and what it said.
        failed = broken;
        throw e;
      }
    }
  }

  public long loggedSequence() {
    return logged;
  }

  public long syncedSequence() {
    return synced;
  }

  public boolean isStalled() {
    return stalled;
  }

  public @Nullable IOException failure() {
    return failed;
  }

  public long syncs() {
    return syncs.sum();
  }

  public long bytes() {
    return bytes.sum();
  }

  /// Deletes the files that were kept for the next log, and those before a number that the archive
  /// takes; nothing is written any more.
  public void deleteBefore(long number) throws IOException {
    List<Long> unused = List.copyOf(recyclable);
    recyclable.clear();
    for (long log : unused) {
      files.delete(StoreFiles.logPath(directory, log));
    }
    for (long log : done(0, number)) {
      files.delete(StoreFiles.logPath(directory, log));
    }
  }

  /// Whether the log that is written to should be gone on in another one, however little the
  /// memtables hold. Under the lock.
  public boolean isLong() {
    return !current().hasRoom(BatchEntries.MAX_BYTES);
  }

  /// Whether a batch of so many bytes fits into the log. Under the lock.
  public boolean hasRoom(long batchBytes) {
    return current().hasRoom(batchBytes);
  }

  /// Marks the end of what was written, if all is on the disk, and lets the files go. The last one
  /// is then no longer than what was written to it.
  ///
  /// @param needed whether there is anything in them that is not in tables
  public void close(boolean needed) throws IOException {
    lock.lock();
    try {
      if (needed
          && kept
          && failed == null
          && unsynced.size() == 1
          && current().gathered() == 0
          && !current().isMissing()) {
        current().end();
        current().file.trim();
        current().file.force();
        names.forced(current().number, current().handedOver);
      }
    } finally {
      unsynced.forEach(WriteLog::closeQuietly);
      if (spare != null) {
        closeQuietly(spare);
      }
      lock.unlock();
    }
  }

  private static void closeQuietly(LogFile.Writer writer) {
    try {
      writer.file.close();
    } catch (IOException e) {
      // What it holds is forced, or the failure that matters is on its way.
      return;
    }
  }
}
