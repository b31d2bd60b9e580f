package dev.tern.core.version;

/// Where a version stands in the order of last-write-wins, but for its dot: a *carstamp* (Burke,
/// Cheng and Lloyd, "Gryff: Unifying Consensus and Shared Registers", NSDI 2020).
///
/// A blind put takes a time of its own. An update (a read-modify-write) inherits time and origin of
/// the version that it was computed from and counts one up, so that it stands directly above that
/// version and below every put that was minted later than it. A put that is acknowledged while an
/// update is under way is therefore either what the update read, or wins over the update.
///
/// The order is (time, origin, term, count, expired), and then the dot, see [Rank]. The time of an
/// update is that of the put below it: nothing may take it for the moment of writing.
///
/// @param time hybrid logical clock of the put at the bottom: milliseconds << 16 | logical;
///   unsigned
/// @param origin id of the replica that minted that put; 0 where there was never one
/// @param term of an update, the ballot under which it was led, see `Ballots`; else 0
/// @param count updates since that put
/// @param expired whether it is of a delete that stands for a version whose time had passed: it
///   ranks just above that version and below every update of it
public record Stamp(long time, int origin, long term, long count, boolean expired)
    implements Comparable<Stamp> {
  /// Below every other: of a key that never held anything.
  public static final Stamp NONE = new Stamp(0, 0, 0, 0, false);

  /// No clock or ballot comes so far, in the year 4199; stamps that say so are refused where they
  /// are decoded.
  public static final long MAX_TIME = 1L << 62;

  /// Nor a term, which is a ballot: in the year 3085.
  public static final long MAX_TERM = MAX_TIME >> 1;

  /// Nor does a count of updates.
  public static final long MAX_COUNT = 1L << 48;

  public Stamp {
    if (term < 0 || count < 0) {
      throw new IllegalArgumentException("a stamp of term " + term + " and count " + count);
    }
  }

  /// Whether clocks and updates can have come to it: what is minted above it does not overflow.
  boolean inRange() {
    return time >= 0 && time < MAX_TIME && term < MAX_TERM && count < MAX_COUNT;
  }

  /// Of a blind put.
  public static Stamp put(long time, int origin) {
    return new Stamp(time, origin, 0, 0, false);
  }

  /// Of an update of the version with this stamp.
  ///
  /// @param ballot under which it is led
  public Stamp updated(long ballot) {
    Stamp next = new Stamp(time, origin, Math.max(term, ballot), count + 1, false);
    assert next.compareTo(this) > 0;
    return next;
  }

  /// Of the delete of the version with this stamp, as its time has passed.
  public Stamp ofExpiry() {
    return new Stamp(time, origin, term, count, true);
  }

  /// The greater of two.
  public Stamp max(Stamp other) {
    return compareTo(other) >= 0 ? this : other;
  }

  /// Whether both are updates of versions of the same stamp, made independently of each other.
  public boolean forks(Stamp other) {
    boolean updates = count > 0 && !expired && !other.expired;
    return updates && time == other.time && origin == other.origin && count == other.count;
  }

  /// Whether both stand above the same blind put, or above nothing both.
  public boolean sharesPut(Stamp other) {
    return time == other.time && origin == other.origin;
  }

  @Override
  public int compareTo(Stamp other) {
    int order = Long.compareUnsigned(time, other.time);
    order = order != 0 ? order : Integer.compareUnsigned(origin, other.origin);
    order = order != 0 ? order : Long.compare(term, other.term);
    order = order != 0 ? order : Long.compare(count, other.count);
    return order != 0 ? order : Boolean.compare(expired, other.expired);
  }
}
