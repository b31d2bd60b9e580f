package dev.tern.runtime;

import dev.tern.env.Clock;

/// This machine's clocks. Any thread.
public final class SystemClock implements Clock {
  @Override
  public long monotonicNanos() {
    return System.nanoTime();
  }

  @Override
  public long wallMillis() {
    return System.currentTimeMillis();
  }
}
