package dev.tern.lsm;

import dev.tern.env.ByteWriter;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.WriteLog;

/// Puts a batch into the log and the memtables: what can be refused is refused before the log has
/// it. Behind that nothing may fail: whatever is thrown there leaves a batch that is in the log and
/// not, or half, in the memtables, so it fails the store for good, and neither a reader nor the
/// log's file sees anything of that batch.
final class Appending {
  private Appending() {}

  /// Under the store's lock.
  ///
  /// @param entries the store's own, to be used again
  /// @return the batch's last sequence
  static long append(WriteBatch batch, Lsm lsm, WriteLog log, BatchEntries entries) {
    if (!batch.isFor(lsm.tables)) {
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
    long last = lsm.writtenSequence() + batch.entries();
    ByteWriter encoded = batch.encoded(lsm.writtenSequence() + 1);
    check(encoded, entries, last);
    log.add(encoded, last);
    boolean done = false;
    try {
      entries.begin(encoded);
      lsm.apply(entries, encoded.length());
      done = true;
      lsm.applied();
      return last;
    } finally {
      if (!done && !lsm.planted(LsmBug.HALF_BATCH_GOES_ON)) {
        log.poison();
      }
    }
  }

  /// Decodes a batch to its end: one that another thread changes meanwhile is no batch.
  private static void check(ByteWriter encoded, BatchEntries entries, long last) {
    entries.begin(encoded);
    boolean more = true;
    while (more) {
      more = entries.next();
    }
    if (entries.sequence != last || !entries.isAtEnd()) {
      throw new IllegalArgumentException("the batch is changed by another thread");
    }
  }
}
