package dev.tern.lsm;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.compaction.CompactionPicker;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.SetAside;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// When a store flushes, compacts, and holds its writers up.
///
/// ```
///   written() --memtables full--> new log (job) --> rotate --> flush (job) --> compactions (jobs)
/// ```
///
/// One flush runs at a time, and compactions up to the threads of the options; where memory is
/// short, one compaction. What fails is tried again after a while: by the writer, by [#retry], or
/// after the next success.
final class Upkeep {
  private static final WritePressure FAILED = new WritePressure(0, 1000, 1);

  /// Memtables a store may hold, the one that is written to among them; see [LsmOptions#ofMemory].
  private static final int MAX_MEMTABLES = 4;

  /// Memtables that cause no pressure: one that is written to and one that is flushed.
  private static final double EASY_MEMTABLES = 2;

  /// Tables of level 0 at which writers begin to feel it, and at which they are held up most.
  private static final int EASY_YOUNG = 12;

  private static final int MOST_YOUNG = 48;

  /// Compactions below level 0 that are so far behind, in sizes of the smallest level, are felt by
  /// writers, and held up for most.
  private static final double EASY_DEBT = 16;

  private static final double MOST_DEBT = 64;

  /// At full pressure a writer waits so long for each byte: half a megabyte a second.
  private static final double MOST_NANOS_PER_BYTE = 2000;

  /// Where level 0 has most tables an ingest waits so long.
  private static final long MOST_INGEST_NANOS = 5_000_000_000L;

  private static final long RETRY_MILLIS = 100;
  private static final long RETRY_NANOS = RETRY_MILLIS * 1_000_000;

  /// How often a store that nobody writes to looks for what expired, or may be tried again.
  private static final long LOOK_NANOS = 1_000_000_000L;

  private final Readers readers;
  private final Tables tables;
  private final Flushes flushJobs;
  private final Compactions merges;
  private final WriteLog log;
  private final Publication publication;
  private final Lifetime lifetime;
  private final Tools tools;
  private final ReentrantLock lock;

  /// Whether a rotation is under way; guarded by the store's lock.
  private boolean rotating;

  private boolean flushing;

  /// Callers that wait to rotate and flush by themselves; guarded by the store's lock. No rotation
  /// and no flush begins meanwhile: beside busy writers there is always one to begin.
  private int waiting;

  private int compacting;

  private volatile long memtableBytes;

  /// Whether the log is so long that writers wait for the next one.
  private volatile boolean logIsLong;

  /// The failure of a rotation or a flush, null since one succeeded; writers wait for these.
  private volatile @Nullable Throwable lastFailure;

  private volatile long failedAt;

  /// The failure of a compaction, null since one succeeded; not of tables that are set aside.
  private volatile @Nullable Throwable mergeFailure;

  private volatile long mergeFailedAt;

  /// The last failure of any job, also if a later one succeeded; null for none.
  private volatile @Nullable Throwable shownFailure;

  /// A flush was asked for of everything up to it; guarded by the store's lock.
  private long wanted;

  /// Whether memtables that it was asked for are still written to.
  private volatile boolean owes;

  /// Whether a job is on its way that asks for a flush for another store's sake.
  private final AtomicBoolean asked = new AtomicBoolean();

  /// Entries that the next rotation is to append last; guarded by the store's lock.
  private List<Supplier<Runnable>> marks = new ArrayList<>();

  private volatile Lsm.FlushListener flushListener = flushed -> {};

  /// When [#retry] last looked for something to merge.
  private long lookedAt;

  private final LongAdder flushes = new LongAdder();
  private final LongAdder compactions = new LongAdder();
  private final LongAdder failures = new LongAdder();

  Upkeep(
      Readers readers,
      Tables tables,
      Flushes flushJobs,
      Compactions merges,
      WriteLog log,
      Publication publication,
      Lifetime lifetime,
      Tools tools) {
    this.readers = readers;
    this.tables = tables;
    this.flushJobs = flushJobs;
    this.merges = merges;
    this.log = log;
    this.publication = publication;
    this.lifetime = lifetime;
    this.tools = tools;
    this.lock = lifetime.lock;
  }

  /// Called under the store's lock after each batch.
  void written() {
    assert lock.isHeldByCurrentThread();
    memtableBytes = readers.state.activeBytes();
    logIsLong = log.isLong();
    if (publication.immutables() > 0 && !isBackingOff()) {
      startFlush(); // One that failed has nobody else to try it again.
    }
    tools.openTables().giveWay();
    boolean full = memtableBytes >= memtableLimit() || logIsLong;
    owes = !publication.isRotated(wanted) || !marks.isEmpty();
    if (full || log.isMissing() || owes) {
      startRotation();
    }
  }

  /// Bytes at which memtables are flushed: less than the options say where memory is short.
  private long memtableLimit() {
    MemoryAccount memory = tools.memory();
    long own = memory.held(MemoryPart.MEMTABLES) + tools.group().heldByNobody(MemoryPart.MEMTABLES);
    long most = tools.options().tuning().memtableBytes();
    long limit = Math.min(most, memory.budget().memtableLimit(own));
    if (!tools.alone() && (limit < most / 2 || memory.budget().isBeyondRoom())) {
      tools.group().askLargest(this);
    }
    return limit;
  }

  /// Bytes of the memtables that are written to; any thread.
  long memtableBytes() {
    return memtableBytes;
  }

  /// Whether it makes sense to ask for a flush: nobody has asked already, and the store has not
  /// failed. Any thread.
  boolean mayBeAsked() {
    return !asked.get() && !owes && log.failure() == null;
  }

  /// Another store needs the memory of the memtables. Any thread, whatever locks it holds.
  void askToFlush() {
    if (!asked.compareAndSet(false, true)) {
      return;
    }
    lifetime.<Boolean>job(
        () -> {
          requestFlush();
          return true;
        },
        (done, failure) -> asked.set(false));
  }

  /// See [Lsm#requestFlush].
  long requestFlush() {
    lock.lock();
    try {
      wanted = readers.written;
      written();
      return wanted;
    } finally {
      lock.unlock();
    }
  }

  /// Has the next rotation append something last: then all up to it is in the memtables that are
  /// rotated, and all behind it is not. A rotation that fails has the next one append again. No
  /// I/O, no waiting but for the lock.
  ///
  /// @param append called under the lock, and returns what is to be run once the rotation is done,
  ///   also under the lock
  void markBehind(Supplier<Runnable> append) {
    lock.lock();
    try {
      marks.add(append);
      written();
    } finally {
      lock.unlock();
    }
  }

  /// See [Lsm#afterFlush].
  void afterFlush(Lsm.FlushListener listener) {
    flushListener = listener;
  }

  /// Called once the store is open: goes on with what was left undone when it was closed.
  void opened() {
    lock.lock();
    try {
      written();
      startAnother();
    } finally {
      lock.unlock();
    }
  }

  /// Under the lock.
  private void startRotation() {
    assert lock.isHeldByCurrentThread();
    if (rotating || waiting > 0 || isBackingOff() || log.failure() != null) {
      return;
    }
    if (log.isMissing()) {
      startRevival();
    } else if (publication.immutables() < MAX_MEMTABLES - 1) {
      rotating = true;
      lifetime.job(() -> log.next(tables), this::rotate);
    }
  }

  /// Under the lock.
  private void startRevival() {
    if (flushing) {
      return;
    }
    rotating = true;
    flushing = true;
    lifetime.<Boolean>job(
        () -> {
          revive();
          return true;
        },
        (done, failure) -> {
          rotating = false;
          flushing = false;
          note(failure);
          if (done != null) {
            lastFailure = null;
            written();
            startAnother();
          }
        });
  }

  /// A store that was opened without a log gets one. What was replayed goes to tables before: it
  /// lies in logs that may not be on the disk, whatever an fsync of them says now, and what is
  /// written behind it must not be more durable than it. Blocks.
  private void revive() throws IOException {
    LogFile.Writer next = log.next(tables);
    boolean adopted = false;
    if (tools.planted(LsmBug.WRITES_BEFORE_REPLAY_IS_SAFE)) {
      locked(() -> log.adopt(next));
      return;
    }
    try {
      locked(
          () -> {
            if (publication.immutables() == 0) {
              publication.rotateMemtables(next.number);
            }
          });
      while (publication.immutables() > 0) {
        flushOldest();
      }
      locked(() -> log.adopt(next));
      adopted = true;
    } finally {
      if (!adopted) {
        locked(() -> log.keep(next));
      }
    }
  }

  private void locked(Runnable action) {
    isSo(
        () -> {
          action.run();
          return true;
        });
  }

  /// Under the lock.
  private boolean isSo(BooleanSupplier action) {
    lock.lock();
    try {
      return action.getAsBoolean();
    } finally {
      lock.unlock();
    }
  }

  private boolean isBackingOff() {
    return lastFailure != null && tools.clock().monotonicNanos() - failedAt < RETRY_NANOS;
  }

  /// Ends a rotation. Whatever is thrown here, the next rotation can begin.
  private void rotate(LogFile.@Nullable Writer next, @Nullable Throwable failure) {
    try {
      note(failure);
      if (next != null) {
        goOnIn(next);
      }
    } finally {
      rotating = false;
    }
    if (next != null) {
      written();
    }
  }

  private void goOnIn(LogFile.Writer next) {
    try {
      if (lifetime.isClosed()) {
        next.close();
      } else {
        List<Supplier<Runnable>> wantedMarks = marks;
        List<Runnable> done = new ArrayList<>();
        publication.rotate(
            next,
            () -> {
              wantedMarks.forEach(mark -> done.add(mark.get()));
              return 0;
            });
        marks = new ArrayList<>();
        done.forEach(Runnable::run);
        startFlush();
      }
    } catch (IOException | RuntimeException | Error e) {
      if (!log.isCurrent(next)) {
        log.keep(next);
      }
      note(e);
    }
  }

  private void note(@Nullable Throwable failure) {
    if (failure != null) {
      lastFailure = failure;
      failedAt = tools.clock().monotonicNanos();
      show(failure);
    }
  }

  private void show(Throwable failure) {
    failures.increment();
    shownFailure = failure;
    Events.BackgroundFailure event = new Events.BackgroundFailure();
    event.store = tools.directory();
    event.failure = String.valueOf(failure.getMessage());
    event.commit();
  }

  /// Under the lock.
  private void startFlush() {
    assert lock.isHeldByCurrentThread();
    boolean begun = flushing || waiting > 0;
    if (begun || publication.immutables() == 0 || lifetime.isClosed()) {
      return;
    }
    flushing = true;
    lifetime.<Boolean>job(
        () -> {
          flushOldest();
          return true;
        },
        (done, failure) -> {
          flushing = false;
          note(failure);
          if (done != null) {
            lastFailure = null;
            written();
            startFlush();
            startAnother();
          }
        });
  }

  private void flushOldest() throws IOException {
    long[] logs = flushOldestToTables();
    // First: the flush is done, whatever happens to the logs that it leaves behind.
    tellFlushed();
    log.release(logs[0], logs[1]);
  }

  /// At the end of the store, when nothing is written any more and no job is inside: writes all
  /// memtables to tables, so that no log is needed. False if there is a reason not to try; blocks.
  boolean flushAtEnd() throws IOException {
    boolean possible =
        isSo(
            () -> {
              boolean may = log.failure() == null && !log.isMissing() && log.gathered() == 0;
              if (may) {
                publication.rotateMemtables(tables.newNumber());
              }
              return may;
            });
    while (possible && publication.immutables() > 0) {
      flushOldestToTables();
      tellFlushed();
    }
    return possible;
  }

  /// Writes the oldest memtables to tables; the logs that are not needed any more: from, to.
  private long[] flushOldestToTables() throws IOException {
    if (tools.options().tuning().planted() != LsmBug.TABLE_NOT_FORCED) {
      log.syncLogged();
    }
    if (tools.planted(LsmBug.FLUSH_TOLD_EARLY)) {
      flushListener.flushed(tables.rotatedSequence());
    }
    ReadState from = readers.acquire();
    try {
      long[] logs =
          flushJobs.flush(
              from,
              readers.snapshotSequences(),
              (changed, flushed) -> publication.install(changed, flushed, true));
      flushes.increment();
      return logs;
    } finally {
      readers.letGo(from);
    }
  }

  /// What a listener throws is shown as a failure and changes nothing.
  private void tellFlushed() throws IOException {
    lifetime.callBack(
        () -> {
          try {
            flushListener.flushed(readers.state.flushedSequence);
          } catch (Throwable e) {
            show(e);
          }
        });
  }

  private Boolean compactOnce() throws IOException {
    long[] before = readers.snapshotSequences();
    CompactionPicker.Plan plan =
        merges.pick(
            before.length == 0 ? Long.MAX_VALUE : before[0],
            readers::snapshotSequences,
            table -> readers.isSeenBefore(table.generation(), table.sequence));
    if (plan == null) {
      return false;
    }
    try {
      return carryOut(plan, before);
    } finally {
      merges.end(plan);
    }
  }

  /// @param before what snapshots saw before the plan was made
  private boolean carryOut(CompactionPicker.Plan plan, long[] before) throws IOException {
    // Once the inputs are fixed, not before: a snapshot that is taken later sees all versions that
    // they hold, so it needs no place in the list. One taken before the inputs were chosen may see
    // less than they hold.
    boolean planted = tools.options().tuning().planted() == LsmBug.SNAPSHOTS_BEFORE_INPUTS;
    long[] snapshots = planted ? before : readers.snapshotSequences();
    // Another may find something to do beside this one.
    locked(this::startAnother);
    readers.hold(plan.inputs());
    try {
      merges.compact(
          plan, snapshots, (changed, flushed) -> publication.install(changed, flushed, false));
      compactions.increment();
      return true;
    } catch (SetAside.Failure e) {
      show(e.getCause() == null ? e : e.getCause());
      return true;
    } finally {
      readers.letGo(plan.inputs());
    }
  }

  /// Under the lock.
  private void startAnother() {
    assert lock.isHeldByCurrentThread();
    if (compacting < tools.options().threads()
        && !lifetime.isClosed()
        && tools.group().begins(compacting == 0)) {
      compacting++;
      lifetime.<Boolean>job(this::compactOnce, this::compacted);
    }
  }

  private void compacted(@Nullable Boolean found, @Nullable Throwable failure) {
    compacting--;
    tools.group().ended();
    assert compacting >= 0 : "a compaction has ended that had not begun";
    if (failure != null) {
      mergeFailure = failure;
      mergeFailedAt = tools.clock().monotonicNanos();
      show(failure);
    } else {
      mergeFailure = null;
    }
    if (found != null && found) {
      startAnother();
    }
  }

  /// An iterator stepped over many dead entries.
  ///
  /// @param rotate whether the memtable that is written to holds them
  void skipped(boolean rotate) {
    lock.lock();
    try {
      if (rotate && !flushing) {
        startRotation();
      }
      if (compacting == 0) {
        startAnother();
      }
    } finally {
      lock.unlock();
    }
  }

  void retry() {
    lock.lock();
    try {
      if (lifetime.isReadOnly()) {
        return;
      }
      long now = tools.clock().monotonicNanos();
      boolean look = compacting == 0 && now - lookedAt >= LOOK_NANOS;
      if (look) {
        // Values expire and tables are forgiven with time, whatever is written.
        lookedAt = now;
      }
      if (look || mergeFailure != null && now - mergeFailedAt >= RETRY_NANOS) {
        startAnother();
      }
      if (isBackingOff() || log.failure() != null) {
        return;
      }
      // Whatever succeeded since: a rotation that failed, with writers refused since, has nobody
      // else to try it again.
      written();
      startFlush();
    } finally {
      lock.unlock();
    }
  }

  /// Rotates and flushes here and now; blocks.
  void flushNow() throws IOException {
    if (!lifetime.begin()) {
      throw new IllegalStateException("the store is closed");
    }
    try {
      flushBehind(() -> readers.written);
    } finally {
      lifetime.end();
    }
  }

  /// Appends, rotates behind what was appended, and flushes up to it: then all up to it is in
  /// tables and all that memtables hold is newer. What is rotated meanwhile is left to others.
  /// Blocks; by a job that is inside.
  ///
  /// @param last appends, under the lock, behind what the end of the group adds
  /// @return what `last` returned
  long flushBehind(LongSupplier last) throws IOException {
    awaitTurn();
    try {
      long[] rotated = rotateNow(last);
      for (long left = rotated[1]; left > 0; left--) {
        flushOldest();
      }
      return rotated[0];
    } finally {
      lock.lock();
      try {
        flushing = false;
        lifetime.changed();
        written(); // Another flush may have been asked for meanwhile.
        startFlush();
        startAnother();
      } finally {
        lock.unlock();
      }
    }
  }

  /// Waits until no rotation and no flush is under way, and keeps others from beginning one.
  private void awaitTurn() {
    lock.lock();
    try {
      waiting++;
      try {
        lifetime.await(() -> !rotating && !flushing);
      } finally {
        waiting--;
      }
      flushing = true;
      // No other rotation meanwhile: logs must be gone on in in the order of their numbers.
      rotating = true;
    } finally {
      lock.unlock();
    }
  }

  /// @return what `last` returned, and how many memtables wait for their flush then
  private long[] rotateNow(LongSupplier last) throws IOException {
    long[] rotated = new long[2];
    LogFile.Writer next = null;
    boolean done = false;
    try {
      boolean adds = tools.planted(LsmBug.FAILED_FLUSH_ADDS_MEMTABLE);
      while (publication.immutables() >= MAX_MEMTABLES - 1 && !adds) {
        // Else a call that fails, and is repeated, would add a memtable each time.
        flushOldest();
      }
      if (isLogMissing()) {
        revive();
      }
      next = log.next(tables);
      lock.lock();
      try {
        rotated[0] = publication.rotate(next, last);
        done = true;
        rotated[1] = publication.immutables();
        return rotated;
      } finally {
        lock.unlock();
      }
    } finally {
      LogFile.Writer unused = done ? null : next;
      locked(
          () -> {
            rotating = false;
            if (unused != null && !log.isCurrent(unused)) {
              log.keep(unused);
            }
          });
    }
  }

  private boolean isLogMissing() {
    lock.lock();
    try {
      return log.isMissing();
    } finally {
      lock.unlock();
    }
  }

  @Nullable Throwable lastFailure() {
    return lastFailure;
  }

  /// The pressure on writers: none while flushes and compactions keep up, then more and more.
  WritePressure pressure() {
    return log.failure() != null ? FAILED : pressureOfWork();
  }

  private WritePressure pressureOfWork() {
    if (log.isStalled() || logIsLong) {
      return new WritePressure(0, RETRY_MILLIS, 1);
    }
    double full = (double) memtableBytes / tools.options().tuning().memtableBytes();
    double memtables = publication.immutables() + full;
    double written = (double) flushJobs.flushingBytes() / tools.options().tuning().memtableBytes();
    double left = memtables - Math.min(1, written);
    double byMemory = (left - EASY_MEMTABLES) / (MAX_MEMTABLES - EASY_MEMTABLES);
    double byTables = byTables();
    double byDebt = (tables.debt() - EASY_DEBT) / (MOST_DEBT - EASY_DEBT);
    double pressure = Math.max(byMemory, Math.max(byTables, byDebt));
    if (memtables < MAX_MEMTABLES && pressure <= 0) {
      return WritePressure.NONE;
    }
    if (memtables >= MAX_MEMTABLES) {
      return new WritePressure(MOST_NANOS_PER_BYTE, RETRY_MILLIS, 1);
    }
    double capped = Math.min(1, pressure);
    double memory = Math.clamp(byMemory, 0, 1);
    return new WritePressure(MOST_NANOS_PER_BYTE * capped * capped, 0, memory);
  }

  private double byTables() {
    return (double) (tables.young() - EASY_YOUNG) / (MOST_YOUNG - EASY_YOUNG);
  }

  /// How long an ingest waits for compactions of level 0 that are behind; any thread.
  long ingestDelayNanos() {
    double pressure = Math.clamp(byTables(), 0, 1);
    return (long) (MOST_INGEST_NANOS * pressure * pressure);
  }

  /// Tables came in from outside: there may be something to compact.
  void ingested() {
    locked(this::startAnother);
  }

  boolean busy() {
    lock.lock();
    try {
      return rotating || flushing || compacting > 0 || publication.immutables() > 0;
    } finally {
      lock.unlock();
    }
  }

  long flushes() {
    return flushes.sum();
  }

  long compactions() {
    return compactions.sum();
  }

  long failures() {
    return failures.sum();
  }

  /// The message of the last failure of any job, null if none failed.
  @Nullable String shownFailure() {
    Throwable shown = shownFailure;
    return shown == null ? null : shown.toString();
  }
}
