package dev.tern.runtime;

/// How long a peer has not been heard, not counting the time in which this loop itself stood still
/// (a collection, a slow task, a stopped process): then the peer's bytes wait unread, and its
/// connection must not be given up for that. One thread.
final class Silence {
  private final long boundNanos;
  private final long lookEveryNanos;
  private long heardNanos;
  private long lookedNanos;

  /// @param boundNanos a longer silence is too long
  /// @param lookEveryNanos how often [#tooLong] is asked
  Silence(long boundNanos, long lookEveryNanos, long nowNanos) {
    this.boundNanos = boundNanos;
    this.lookEveryNanos = lookEveryNanos;
    this.heardNanos = nowNanos;
    this.lookedNanos = nowNanos;
  }

  void heard(long nowNanos) {
    heardNanos = nowNanos;
  }

  /// Asked at each look, whether the connection is to be given up.
  boolean tooLong(long nowNanos) {
    long lateNanos = nowNanos - lookedNanos - lookEveryNanos;
    lookedNanos = nowNanos;
    if (lateNanos > lookEveryNanos) {
      heardNanos = Math.min(nowNanos, heardNanos + lateNanos);
    }
    return nowNanos - heardNanos > boundNanos;
  }
}
