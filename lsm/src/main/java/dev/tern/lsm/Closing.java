package dev.tern.lsm;

import dev.tern.env.Offload;
import dev.tern.lsm.log.WriteLog;
import java.io.IOException;

/// The end of an open store: writes end, jobs end, the memtables go to tables, readers leave, files
/// and memory go, and the directory's lock is released whatever fails before that.
///
/// All that was written is on the disk before the memtables are written to tables. Where that
/// fails, because the disk is full for instance, the logs stay and the next opening replays them.
record Closing(
    Tools tools,
    Offload background,
    Tables tables,
    WriteLog log,
    Upkeep upkeep,
    AutoCloseable directoryLock) {
  /// How long readers are waited for.
  static final int MOST_WAIT_SECONDS = 5;

  private static final long LOOK_NANOS = 100_000;

  void run(BatchWriter writer, Readers readers, Lifetime lifetime) throws IOException {
    boolean readOnly = lifetime.isReadOnly();
    try {
      tools.group().remove(upkeep);
      try {
        writer.end();
        if (!readOnly && log.failure() == null) {
          log.syncLogged();
        }
      } finally {
        lifetime.awaitJobs();
        flushAndCloseFiles(readers, readOnly);
      }
    } finally {
      try {
        release(readers);
      } finally {
        StoreDirectory.release(directoryLock);
      }
    }
  }

  private void flushAndCloseFiles(Readers readers, boolean readOnly) throws IOException {
    boolean flushed = false;
    try {
      flushed = !readOnly && tools.options().flushesAtClose() && upkeep.flushAtEnd();
      long kept = readers.state.flushedSequence;
      if (!flushed && !readOnly && !tools.options().hasLog() && kept < readers.written) {
        throw new IOException(
            "the store has failed, and without a log it has what was written up to sequence %d of %d"
                .formatted(kept, readers.written),
            log.failure());
      }
    } catch (IOException e) {
      if (!tools.options().hasLog()) {
        throw e;
      }
      // Nothing is lost by it: the logs have it.
      flushed = false;
    } finally {
      closeFiles(flushed, readOnly);
    }
  }

  private void closeFiles(boolean flushed, boolean readOnly) throws IOException {
    try {
      if (!readOnly) {
        log.close(!flushed);
        tidy(flushed);
      }
    } finally {
      tables.close();
    }
  }

  /// The manifest shall know where the log ends, if there is one, and no file shall be kept for
  /// another one.
  private void tidy(boolean flushed) {
    try {
      if (!flushed) {
        tables.nameLogs();
      }
      log.deleteBefore(tables.firstLog());
    } catch (IOException e) {
      // Nothing is lost by it: the next opening knows less of what it should find, and deletes.
      return;
    }
  }

  private void release(Readers readers) {
    if (!readers.isReadOnly()) {
      readers.deleteUnused();
    }
    tools.epochs().close();
    long looks = MOST_WAIT_SECONDS * 1_000_000_000L / LOOK_NANOS;
    for (long i = 0; i < looks && !tools.epochs().isEmpty(); i++) {
      background.pause(LOOK_NANOS);
    }
    boolean left = tools.epochs().isEmpty();
    tools.epochs().retire(() -> readers.letGo(readers.state));
    if (left || !tools.alone()) {
      tools.release();
    }
  }
}
