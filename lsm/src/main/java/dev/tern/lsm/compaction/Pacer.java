package dev.tern.lsm.compaction;

import dev.tern.env.Clock;
import dev.tern.env.Offload;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;

/// Keeps compactions to a pace that the ingest asks for: a token bucket of bytes written, so that
/// they do not crowd readers out when nothing is urgent, and are not held up when something is.
///
/// Any thread.
public final class Pacer {
  private static final long LEAST_BYTES_A_SECOND = 48L << 20;

  /// How many times the bytes that come in the compactions may write.
  private static final long AMPLIFICATION = 24;

  private static final long SECOND = 1_000_000_000L;

  /// What may be written at once.
  private static final long BURST_NANOS = SECOND / 20;

  private final Clock clock;
  private final Offload background;

  /// When the bucket is full again if nothing more is taken.
  private final AtomicLong free = new AtomicLong(Long.MIN_VALUE);

  private final LongAdder ingested = new LongAdder();
  private volatile long rate = LEAST_BYTES_A_SECOND;
  private volatile long measuredAt;
  private volatile long measured;
  private final LongAdder pausedNanos = new LongAdder();

  public Pacer(Clock clock, Offload background) {
    this.clock = clock;
    this.background = background;
  }

  public void ingested(long bytes) {
    ingested.add(bytes);
  }

  /// Called by a job that wrote so many bytes; takes its time unless it is urgent.
  public void wrote(long bytes, boolean urgent) {
    long now = clock.monotonicNanos();
    measure(now);
    long takes = (long) ((double) bytes * SECOND / rate);
    long until = free.updateAndGet(before -> Math.max(before, now) + takes);
    long ahead = until - now - BURST_NANOS;
    if (urgent) {
      free.set(now);
    } else if (ahead > 0) {
      pausedNanos.add(ahead);
      background.pause(ahead);
    }
  }

  private void measure(long now) {
    if (now - measuredAt > SECOND) {
      long total = ingested.sum();
      double seconds = (double) (now - measuredAt) / SECOND;
      long wanted = (long) ((total - measured) / seconds * AMPLIFICATION);
      rate = Math.max(LEAST_BYTES_A_SECOND, wanted);
      measured = total;
      measuredAt = now;
    }
  }

  public long pausedNanos() {
    return pausedNanos.sum();
  }
}
