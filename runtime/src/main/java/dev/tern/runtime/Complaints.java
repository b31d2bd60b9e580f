package dev.tern.runtime;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;

/// Warnings of which a faulty peer could cause any number: at most one a second is logged, with the
/// number of those left out since. Any thread.
final class Complaints {
  private static final long PAUSE_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final Logger log;
  private final AtomicLong nextNanos = new AtomicLong(System.nanoTime());
  private final AtomicInteger leftOut = new AtomicInteger();

  Complaints(Logger log) {
    this.log = log;
  }

  void warn(String text) {
    long now = System.nanoTime();
    long next = nextNanos.get();
    if (now - next < 0 || !nextNanos.compareAndSet(next, now + PAUSE_NANOS)) {
      leftOut.incrementAndGet();
      return;
    }
    int before = leftOut.getAndSet(0);
    log.warn("{}{}", text, before == 0 ? "" : " (and " + before + " more not logged)");
  }
}
