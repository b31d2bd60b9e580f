package dev.tern.world;

import dev.tern.env.Clock;

/// A node's clock that runs faster or slower than the world.
public final class DriftingClock implements Clock {
  private final World world;
  private final double rate;

  public DriftingClock(World world, double rate) {
    this.world = world;
    this.rate = rate;
  }

  @Override
  public long monotonicNanos() {
    return (long) (world.nanos() * rate);
  }

  @Override
  public long wallMillis() {
    return SimulatedClock.EPOCH_MILLIS + monotonicNanos() / 1_000_000;
  }
}
