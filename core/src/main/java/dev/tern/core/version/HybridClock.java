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

  /// A stamp from elsewhere that is further ahead than this is refused, milliseconds.
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

  /// A stamp larger than `above` and than all given out or observed before, near the wall clock
  /// where the reservation allows; 0 if the reservation is used up (the caller refuses and tries
  /// again).
  public long next(long wallMillis, long above) {
    long floor = Math.max(last, above) + 1;
    // Half of the reservation is left for counting on while the next one is under way.
    long latest = limit - ofMillis(RESERVE_MILLIS / 2);
    long stamp = Math.max(floor, Math.min(ofMillis(wallMillis), latest));
    if (stamp >= limit) {
      return 0;
    }
    last = stamp;
    return stamp;
  }

  /// Learns of a stamp made elsewhere. False if it is too far ahead to be believed.
  public boolean observe(long stamp, long wallMillis) {
    if (stamp <= last) {
      return true;
    }
    if (millis(stamp) > Math.max(wallMillis, millis(last)) + MAX_AHEAD_MILLIS) {
      return false;
    }
    last = stamp;
    return true;
  }

  /// The limit that should be made durable now, or 0 while the present one suffices.
  public long wanted(long wallMillis) {
    long now = Math.max(last, ofMillis(wallMillis));
    return now + ofMillis(RESERVE_MILLIS / 2) > limit ? now + ofMillis(RESERVE_MILLIS) : 0;
  }

  /// The reservation up to `newLimit` is durable.
  public void reserved(long newLimit) {
    limit = Math.max(limit, newLimit);
  }

  public long last() {
    return last;
  }
}
