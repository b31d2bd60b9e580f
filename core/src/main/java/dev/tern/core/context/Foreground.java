package dev.tern.core.context;

import java.util.Arrays;

/// How long requests take that a shard coordinates for clients: of late, and usually. Work that can
/// wait looks here whether it makes them wait, see `FillBudget`.
///
/// ```
///   took(nanos) --> this period's histogram
///   endPeriod() --> of late: halved, plus the period       usual: 63 of 64 parts, plus the period
/// ```
///
/// A histogram has eight buckets an octave, so a quantile is right to an eighth. One request in
/// [#SAMPLED] is measured.
///
/// Threads: one shard's loop. Nothing is allocated.
public final class Foreground {
  /// Of so many requests one is measured.
  private static final int SAMPLED = 4;

  /// Fewer requests say nothing of the slowest in a hundred.
  static final float LEAST_REQUESTS = 50;

  private static final int BITS = 3;
  private static final int BUCKETS = (Long.SIZE - BITS) << BITS;
  private static final float QUANTILE = 0.99f;
  private static final float LATE_KEPT = 0.5f;
  private static final float USUAL_KEPT = 63 / 64f;

  private final float[] period = new float[BUCKETS];
  private final float[] late = new float[BUCKETS];
  private final float[] usual = new float[BUCKETS];
  private int unmeasured;
  private int underWay;

  /// Requests that ended in this period.
  private int ended;

  /// Requests in this period's histogram.
  private int measured;

  /// A request began; [#ended] follows.
  public void began() {
    underWay++;
  }

  /// A request ended.
  public void ended() {
    underWay--;
    ended++;
    assert underWay >= 0 : "a request ends that did not begin";
  }

  /// Whether clients wait for requests none of which ended in this period.
  public boolean isStalled() {
    return underWay > 0 && ended == 0;
  }

  /// Whether no request is under way, and none of late was measured.
  public boolean isIdle() {
    return underWay == 0 && sum(late) < 0.5f;
  }

  /// Whether the next request is to be measured. Each call counts one request.
  public boolean measures() {
    unmeasured++;
    if (unmeasured < SAMPLED) {
      return false;
    }
    unmeasured = 0;
    return true;
  }

  /// A request that was measured ended.
  public void took(long nanos) {
    period[bucket(Math.max(0, nanos))]++;
    measured++;
  }

  /// Ends a period of some hundred milliseconds.
  ///
  /// @param disturbed whether work went on in it that should not count as usual
  public void endPeriod(boolean disturbed) {
    // What was usual stays so while nobody asks.
    boolean counts = measured > 0 && !disturbed;
    for (int i = 0; i < BUCKETS; i++) {
      late[i] = late[i] * LATE_KEPT + period[i];
      if (counts) {
        usual[i] = usual[i] * USUAL_KEPT + period[i];
      }
    }
    Arrays.fill(period, 0);
    measured = 0;
    ended = 0;
  }

  /// So many nanoseconds 99 of 100 requests take at most of late; 0 if there were too few.
  public long lateNanos() {
    return quantile(late);
  }

  /// The same of undisturbed periods; 0 if there were too few requests.
  public long usualNanos() {
    return quantile(usual);
  }

  /// The largest value of the bucket in which the quantile lies.
  private static long quantile(float[] histogram) {
    float all = sum(histogram);
    if (all * SAMPLED < LEAST_REQUESTS) {
      return 0;
    }
    float below = 0;
    for (int i = 0; i < BUCKETS; i++) {
      below += histogram[i];
      if (below >= all * QUANTILE) {
        return most(i);
      }
    }
    return most(BUCKETS - 1);
  }

  private static float sum(float[] histogram) {
    float all = 0;
    for (float count : histogram) {
      all += count;
    }
    return all;
  }

  static int bucket(long nanos) {
    if (nanos < 1 << BITS) {
      return (int) nanos;
    }
    int octave = Long.SIZE - 1 - Long.numberOfLeadingZeros(nanos);
    int within = (int) (nanos >>> octave - BITS) & (1 << BITS) - 1;
    return (octave - BITS + 1 << BITS) + within;
  }

  /// The largest number of nanoseconds of a bucket.
  static long most(int bucket) {
    if (bucket < 1 << BITS) {
      return bucket;
    }
    int octave = (bucket >>> BITS) + BITS - 1;
    long within = bucket & (1 << BITS) - 1;
    return ((1L << BITS) + within + 1 << octave - BITS) - 1;
  }
}
