package dev.tern.core.version;

/// A hybrid logical clock (Kulkarni et al., "Logical Physical Clocks", 2014): 48 bits of
/// milliseconds, 16 bits that count within one.
///
/// Invariants: what [#next] returns grows strictly, also over restarts, because no stamp at or
/// above `limit` is given out and a restart begins at the last limit that was made durable;
/// whatever the wall clock does, stamps never go back.
public final class HybridClock {
  /// How far ahead of now stamps are reserved, milliseconds.
  public static final long RESERVE_MILLIS = 10_000;

  /// How far beyond the last stamp they are reserved at least, whatever the time: enough to count
  /// on while the next block is under way. A restart jumps over a block, so this bounds how far
  /// many of them carry stamps ahead of the time.
  static final long COUNT_ON_MILLIS = 100;

  /// No clock that is right mints a stamp further ahead of the time than this, milliseconds.
  public static final long MAX_AHEAD_MILLIS = 60_000;

  /// The largest stamp given out or observed; never decreases.
  private long last;

  /// Durable on disk: the next start begins here.
  private long limit;

  /// @param floor no stamp at or below this is given out
  /// @param limit durable reservation; only raised by [#reserved]
  public HybridClock(long floor, long limit) {
    this.last = floor;
    this.limit = limit;
  }

  public static long ofMillis(long wallMillis) {
    return wallMillis << 16;
  }

  public static long millis(long stamp) {
    return stamp >>> 16;
  }

  /// Whether the reservation is used up: no stamp can be given out before the next one.
  public boolean exhausted() {
    return last + 1 >= limit;
  }

  /// A stamp larger than all given out or observed before, near the wall clock where the
  /// reservation allows.
  ///
  /// @throws IllegalStateException if the reservation is used up
  public long next(long wallMillis) {
    if (exhausted()) {
      throw new IllegalStateException("no stamps are reserved");
    }
    // Half of the reservation is left for counting on while the next one is under way.
    long latest = limit - ofMillis(RESERVE_MILLIS / 2);
    long stamp = Math.max(last + 1, Math.min(ofMillis(wallMillis), latest));
    if (stamp <= last || stamp >= limit) {
      throw new IllegalStateException(
          "stamp %d after %d, reserved below %d".formatted(stamp, last, limit));
    }
    last = stamp;
    return stamp;
  }

  /// Takes over a stamp that some replica has accepted, however far ahead: what replaces its
  /// version must lie above it.
  public void follow(long stamp) {
    last = Math.max(last, stamp);
  }

  /// Whether more stamps should be reserved before these run out.
  public boolean isLow(long wallMillis) {
    return reservation(wallMillis, RESERVE_MILLIS / 2, COUNT_ON_MILLIS / 2) > limit;
  }

  /// The limit that should be made durable next.
  public long wanted(long wallMillis) {
    return reservation(wallMillis, RESERVE_MILLIS, COUNT_ON_MILLIS);
  }

  private long reservation(long wallMillis, long afterNow, long afterLast) {
    return Math.max(ofMillis(wallMillis + afterNow), last + ofMillis(afterLast));
  }

  /// The reservation up to `newLimit` is durable.
  public void reserved(long newLimit) {
    limit = Math.max(limit, newLimit);
  }

  /// A restart gives out no stamp below this.
  public long reservedLimit() {
    return limit;
  }

  public long last() {
    return last;
  }
}
