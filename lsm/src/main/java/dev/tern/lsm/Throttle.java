package dev.tern.lsm;

import dev.tern.env.CoverageMarks;
import dev.tern.env.Offload;
import dev.tern.lsm.log.WriteLog;
import java.io.IOException;
import java.util.concurrent.atomic.LongAdder;

/// Holds a writer up that may block while flushes and compactions are behind. It asks again every
/// few milliseconds, so that a writer goes on as soon as they have caught up. Any thread.
final class Throttle {
  /// A writer sleeps so long at a time.
  static final long MOST_PAUSE_NANOS = 5_000_000;

  private static final long REFUSED_PAUSE_NANOS = 1_000_000;

  private final BatchWriter writer;
  private final WriteLog log;
  private final Upkeep upkeep;
  private final Offload background;
  private final String directory;
  private final Lifetime lifetime;
  private final LongAdder delayedNanos = new LongAdder();

  Throttle(
      BatchWriter writer,
      WriteLog log,
      Upkeep upkeep,
      Offload background,
      String directory,
      Lifetime lifetime) {
    this.writer = writer;
    this.log = log;
    this.upkeep = upkeep;
    this.background = background;
    this.directory = directory;
    this.lifetime = lifetime;
  }

  /// Before a write of so many bytes.
  ///
  /// @throws WriteRefusedException if there is no room on the disk
  void before(int bytes) throws IOException {
    unstall();
    WritePressure pressure = upkeep.pressure();
    if (pressure == WritePressure.NONE) {
      return;
    }
    Events.WriteDelay event = new Events.WriteDelay();
    event.begin();
    assert CoverageMarks.reach(LsmMark.WRITE_DELAYED);
    long paused = 0;
    while (pressure.refused() || paused < pressure.delayNanos(bytes)) {
      long nanos = REFUSED_PAUSE_NANOS;
      if (pressure.refused()) {
        goOn();
      } else {
        nanos = Math.min(MOST_PAUSE_NANOS, pressure.delayNanos(bytes) - paused);
        paused += nanos;
      }
      delayedNanos.add(nanos);
      background.pause(nanos);
      pressure = upkeep.pressure();
    }
    event.store = directory;
    event.commit();
  }

  /// Before an ingest: waits while compactions of level 0 are behind, some seconds at most.
  void beforeIngest() {
    long paused = 0;
    while (paused < upkeep.ingestDelayNanos()) {
      upkeep.retry();
      delayedNanos.add(MOST_PAUSE_NANOS);
      background.pause(MOST_PAUSE_NANOS);
      paused += MOST_PAUSE_NANOS;
    }
  }

  /// A writer that may not go on sees to it that somebody else does, or is told why not.
  private void goOn() throws IOException {
    writer.checkWritable();
    if (lifetime.isCalledBack()) {
      throw new WriteRefusedException(
          "memtables are full, and the flush that makes room waits for this flush listener or"
              + " archive: write from another thread",
          new IllegalStateException("called by the store"));
    }
    unstall();
    writer.retry();
    Throwable failure = upkeep.lastFailure();
    if (failure != null) {
      throw new WriteRefusedException(
          "memtables are full and cannot be written to tables: " + failure.getMessage(), failure);
    }
  }

  /// A log that the operating system did not take is offered again.
  private void unstall() throws IOException {
    if (log.isStalled()) {
      writer.retry();
      try {
        writer.flushLog();
        if (log.isStalled()) {
          throw new IOException("it could not be made yet");
        }
      } catch (IOException e) {
        throw new WriteRefusedException(
            "the log cannot be written, so nothing is: " + e.getMessage(), e);
      }
    }
  }

  long delayedNanos() {
    return delayedNanos.sum();
  }
}
