package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.FillBounds;
import dev.tern.core.context.Foreground;
import dev.tern.env.CoverageMarks;

/// How fast a shard takes records of other replicas, or gives them: so fast that clients hardly
/// notice. Bytes are spent when a page is asked for or given, as many as the largest pages of late
/// had, and what it had in truth when it is known. When there are none left, the next page waits.
///
/// ```
///   a period ends, and requests of late took   more than 1.75 times the usual:  rate * 5/8
///                                              less than 1.4 times:             rate * 5/4, if it
///                                                                               was the limit
///   too few of them to say; some are under way, and none ended in the period:  rate * 5/8
///                           some are under way, or ended of late:              rate stays
///                           no requests at all:                                as if less
/// ```
///
/// Additive steps would take minutes from a rate that suits a busy machine to one that suits an
/// idle one: the two are a hundredfold apart. The usual time is measured while nothing is filled,
/// and while fills have gone on at the floor for some seconds, which an operator has said does no
/// harm: so requests that take long for another reason, or a load that grew, become usual there,
/// and the rate rises again. Before the usual time is known a request may take [#UNKNOWN_NANOS].
///
/// Invariant: the rate stays within [FillBounds].
///
/// Threads: the shard's loop.
final class FillBudget {
  /// The rate is looked at so often.
  static final long PERIOD_NANOS = 250_000_000;

  /// What a request may take where nothing is known of the usual: what Tern promises of reads.
  static final long UNKNOWN_NANOS = 10_000_000;

  /// Differences below this are noise.
  private static final long NOISE_NANOS = 500_000;

  /// A page that takes longer waits in a queue at who gives it.
  static final long SLOW_PAGE_NANOS = 1_000_000_000;

  /// What was taken is flushed and compacted for a while; at the floor that counts for nothing.
  private static final long DISTURBING_NANOS = 5_000_000_000L;

  private static final long FIRST_PAGE_BYTES = 2 << 20;

  private static final long FIRST_RATE = 32 << 20;

  /// Bytes of so long a time may be spent at once.
  private static final long BURST_NANOS = 100_000_000;

  private final FillBounds bounds;
  private final Foreground foreground;

  /// Bytes a second.
  private double rate;

  /// Bytes that may be spent; below zero by the size of a page.
  private double room;

  /// How large the largest pages of late were; a guess before the first.
  private long largestBytes = FIRST_PAGE_BYTES;

  private long filledNanos;

  /// When more than the floor was last spent.
  private long spentNanos;

  private long periodNanos;

  /// Whether a page waited in this period, whether one took long, and whether any was spent.
  private boolean waited;

  private boolean slow;
  private boolean spent;

  FillBudget(FillBounds bounds, Foreground foreground, long nowNanos) {
    this.bounds = bounds;
    this.foreground = foreground;
    this.rate = Math.clamp(FIRST_RATE, bounds.floor(), bounds.ceiling());
    this.room = burst();
    this.filledNanos = nowNanos;
    this.periodNanos = nowNanos;
    this.spentNanos = nowNanos - DISTURBING_NANOS;
  }

  private double burst() {
    return rate * BURST_NANOS / 1e9;
  }

  /// Whether a page may go now.
  boolean mayGo(long nowNanos) {
    room = Math.min(burst(), room + rate * (nowNanos - filledNanos) / 1e9);
    filledNanos = nowNanos;
    waited |= room <= 0;
    return room > 0;
  }

  /// A page is asked for, or read to be given: spends what it is likely to have.
  ///
  /// @return how many bytes that are, for [#end]
  long begin() {
    room -= largestBytes;
    spent = true;
    return largestBytes;
  }

  /// A page has so many bytes.
  ///
  /// @param expected what [#begin] said
  void end(long expected, long bytes) {
    room += expected - bytes;
    largestBytes = Math.max(bytes, largestBytes - largestBytes / 16);
  }

  /// A page does not come, or not now.
  ///
  /// @param expected what [#begin] said
  void giveBack(long expected) {
    room += expected;
  }

  /// How many pages of the largest size of late are so many bytes.
  long pages(long bytes) {
    return bytes / Math.max(1, largestBytes);
  }

  /// A page came so long after it was asked for.
  void took(long nanos) {
    slow |= nanos >= SLOW_PAGE_NANOS;
  }

  /// Bytes a second at present.
  long rate() {
    return (long) rate;
  }

  /// Whether requests may have taken longer for what was spent.
  private boolean isDisturbing(long nowNanos) {
    return nowNanos - spentNanos < DISTURBING_NANOS;
  }

  /// Whether a period is over.
  boolean isDue(long nowNanos) {
    return nowNanos - periodNanos >= PERIOD_NANOS;
  }

  /// Ends a period, and that of [Foreground].
  void endPeriod(long nowNanos) {
    if (spent && rate() > bounds.floor()) {
      spentNanos = nowNanos;
    }
    boolean stalled = foreground.isStalled();
    foreground.endPeriod(/* disturbed= */ isDisturbing(nowNanos));
    periodNanos = nowNanos;
    if (spent || room < 0) {
      adjust(stalled);
    }
    assert rate() >= bounds.floor() && rate() <= bounds.ceiling() : "a rate out of bounds";
    waited = false;
    slow = false;
    spent = false;
  }

  private void adjust(boolean stalled) {
    long late = foreground.lateNanos();
    long usual = foreground.usualNanos();
    long base = usual == 0 ? UNKNOWN_NANOS : usual;
    boolean unknown = late == 0 && !foreground.isIdle();
    if (slow || stalled || late > base + Math.max(NOISE_NANOS, base * 3 / 4)) {
      assert CoverageMarks.reach(CoreMark.FILL_SLOWED);
      rate = Math.max((double) bounds.floor(), rate * 5 / 8);
    } else if (waited && !unknown && late <= base + Math.max(NOISE_NANOS, base * 2 / 5)) {
      rate = Math.min((double) bounds.ceiling(), rate * 5 / 4);
    }
  }
}
