package dev.tern.world;

import dev.tern.env.Clock;

/// A node's clocks: the wall clock is off by an offset that may step.
public final class SimulatedClock implements Clock {
  /// Simulated time begins in 2026.
  public static final long EPOCH_MILLIS = 1_780_000_000_000L;

  private final World world;
  public long offsetMillis;

  public SimulatedClock(World world) {
    this.world = world;
  }

  @Override
  public long monotonicNanos() {
    return world.nanos();
  }

  @Override
  public long wallMillis() {
    return EPOCH_MILLIS + world.millis() + offsetMillis;
  }
}
