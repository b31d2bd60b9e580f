package dev.tern.lsm;

import dev.tern.env.ByteWriter;
import dev.tern.env.Offload;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Writes batches: to the log's buffer, to the memtables, and as far towards the disk as asked.
///
/// A batch is checked to its end before a byte of it is taken. From then on it is taken whole or
/// the store fails for good: a batch that is in the log and half in the memtables would be whole
/// after the next opening.
///
/// Any thread; writers take turns on the store's lock.
final class BatchWriter {
  /// Bytes that a write with [Durability#NONE] may leave in the log's buffer.
  private static final int MAX_GATHERED_BYTES = 256 << 10;

  /// A group of batches is handed to the operating system before it has more bytes than this.
  private static final int MAX_GROUP_BYTES = 64 << 20;

  private final Tools tools;
  private final Readers readers;

  /// What the store's column families belong to.
  private final Object owner;

  private final WriteLog log;
  private final Upkeep upkeep;
  private final Lifetime lifetime;
  private final ReentrantLock lock;
  private final Throttle throttle;

  /// Used again for each batch; guarded by the lock.
  private final BatchEntries entries = new BatchEntries();

  BatchWriter(
      Tools tools,
      Offload background,
      Readers readers,
      Object owner,
      WriteLog log,
      Upkeep upkeep,
      Lifetime lifetime) {
    this.tools = tools;
    this.readers = readers;
    this.owner = owner;
    this.log = log;
    this.upkeep = upkeep;
    this.lifetime = lifetime;
    this.lock = lifetime.lock;
    this.throttle = new Throttle(this, log, upkeep, background, tools.directory(), lifetime);
  }

  /// See [Lsm#append].
  long append(WriteBatch batch) {
    lock.lock();
    try {
      checkWritable();
      return appendLocked(batch);
    } finally {
      lock.unlock();
    }
  }

  /// Under the store's lock.
  ///
  /// @return the batch's last sequence
  private long appendLocked(WriteBatch batch) {
    assert lock.isHeldByCurrentThread();
    if (!batch.isFor(owner)) {
      throw new IllegalArgumentException(
          "the batch names column families of another store, or of an earlier opening of this one");
    }
    if ((long) log.gathered() + batch.bytes()
        > 2L * WriteBatch.MAX_BATCH_BYTES - LogFile.BLOCK_BYTES) {
      throw new IllegalStateException(
          log.gathered() + " bytes wait to be handed over: call flushLog between appends");
    }
    if (!log.hasRoom(batch.bytes())) {
      throw new IllegalStateException(
          "the log holds as much as one may, and the next cannot be begun yet: ask pressure() before"
              + " each append");
    }
    long last = readers.written + batch.entries();
    ByteWriter encoded = batch.encoded(readers.written + 1);
    check(encoded, last);
    log.add(encoded, last);
    boolean done = false;
    try {
      entries.begin(encoded);
      apply(entries, encoded.length());
      done = true;
      upkeep.written();
      return last;
    } finally {
      if (!done && !tools.planted(LsmBug.HALF_BATCH_GOES_ON)) {
        log.poison();
      }
    }
  }

  /// Decodes a batch to its end: one that another thread changes meanwhile is no batch.
  private void check(ByteWriter encoded, long last) {
    entries.begin(encoded);
    boolean more = true;
    while (more) {
      more = entries.next();
    }
    if (entries.sequence != last || !entries.isAtEnd()) {
      throw new IllegalArgumentException("the batch is changed by another thread");
    }
  }

  /// Puts a batch that is in the log's buffer into the memtables; under the lock.
  private void apply(BatchEntries decoded, int bytes) {
    ReadState.@Nullable Family[] families = readers.state.families;
    while (decoded.next()) {
      java.util.Objects.requireNonNull(families[decoded.family]).active().apply(decoded);
    }
    assert decoded.sequence >= readers.written : "the last sequence falls";
    readers.written = decoded.sequence;
    tools.pacer().ingested(bytes);
  }

  void checkWritable() {
    IOException failure = log.failure();
    if (lifetime.isClosed() || lifetime.isReadOnly() || failure != null) {
      throw new IllegalStateException(
          lifetime.isClosed()
              ? "the store is closed"
              : lifetime.isReadOnly()
                  ? "the store is open read-only"
                  : "the store has failed: " + failure);
    }
  }

  /// See [Lsm#write(WriteBatch, Durability)].
  void write(WriteBatch batch, Durability durability) throws IOException {
    checkWritable();
    java.util.Objects.requireNonNull(durability, "durability");
    if (!tools.options().hasLog() && durability != Durability.NONE) {
      throw new IllegalArgumentException("the store has no log: only a flush makes this durable");
    }
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
      return appendLocked(batch);
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

  /// See [Lsm#flushLog].
  void flushLog() throws IOException {
    lock.lock();
    try {
      lifetime.checkOpen();
      log.endGroup();
    } finally {
      lock.unlock();
    }
  }

  /// See [Lsm#retry].
  void retry() {
    lifetime.checkOpen();
    upkeep.retry();
    tools.epochs().reclaim();
  }

  /// See [Throttle#beforeIngest].
  void awaitCompactions() {
    throttle.beforeIngest();
  }

  /// How long writers were held up.
  long delayedNanos() {
    return throttle.delayedNanos();
  }

  /// Hands over what was appended up to now, and lets nothing be appended any more.
  void end() throws IOException {
    lock.lock();
    try {
      if (!lifetime.isReadOnly()
          && log.failure() == null
          && !tools.planted(LsmBug.CLOSED_BEFORE_HANDOVER)) {
        flushLog();
      }
    } finally {
      lifetime.close();
      lock.unlock();
    }
  }
}
