package dev.tern.lsm;

import dev.tern.env.Offload;
import dev.tern.lsm.log.WriteLog;
import java.io.IOException;

/// The end of an open store: writes end, jobs end, readers leave, files and memory go, and the
/// directory's lock is released whatever fails before that.
record Closing(
    Tools tools, Offload background, Tables tables, WriteLog log, AutoCloseable directoryLock) {
  /// How long readers are waited for.
  static final int MOST_WAIT_SECONDS = 5;

  private static final long LOOK_NANOS = 100_000;

  void run(BatchWriter writer, Readers readers, Lifetime lifetime) throws IOException {
    boolean readOnly = lifetime.isReadOnly();
    try {
      try {
        writer.end();
        if (!readOnly && log.failure() == null) {
          log.syncLogged();
        }
      } finally {
        lifetime.awaitJobs();
        closeFiles(readOnly);
      }
    } finally {
      try {
        release(readers);
      } finally {
        StoreDirectory.release(directoryLock);
      }
    }
  }

  private void closeFiles(boolean readOnly) throws IOException {
    try {
      if (!readOnly) {
        log.close();
        tidy();
      }
    } finally {
      tables.close();
    }
  }

  /// The manifest shall know where the log ends, and no file shall be kept for another one.
  private void tidy() {
    try {
      tables.nameLogs();
      log.deleteKept();
    } catch (IOException e) {
      // Nothing is lost by it: the next opening knows less of what it should find, and deletes.
      return;
    }
  }

  private void release(Readers readers) {
    tools.epochs().close();
    long looks = MOST_WAIT_SECONDS * 1_000_000_000L / LOOK_NANOS;
    for (long i = 0; i < looks && !tools.epochs().isEmpty(); i++) {
      background.pause(LOOK_NANOS);
    }
    boolean left = tools.epochs().isEmpty();
    tools.epochs().retire(() -> readers.letGo(readers.state));
    if (left) {
      tools.cache().close();
    }
  }
}
