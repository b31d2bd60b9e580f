package dev.tern.core;

/// How much one shard takes on, and when it takes further steps. Production uses [#DEFAULT] but for
/// the heap it has; tests have less time and fewer keys.
///
/// @param costBytes estimated cost of the requests that it coordinates at a time, see [Admission];
///   what other nodes ask of its replicas may cost twice as much
/// @param hotReads from how many reads at level ONE within about a second on a key may be hot, see
///   [HotKeys]
/// @param treeRoundNanos in which all its hash trees are compared with others at the earliest
/// @param loggedDots of a partition's log, from where on a replica that is away is not waited for:
///   it takes the whole partition when it is back
/// @param inFlight operations of a shard that wait for answers at a time; more are refused
public record Limits(
    long costBytes, int hotReads, long treeRoundNanos, int loggedDots, int inFlight) {
  /// For a heap of a gibibyte or more and some shards. A steady key is hot from 500 to 1000 reads a
  /// second on; trees are compared within six hours.
  public static final Limits DEFAULT =
      new Limits(64 << 20, 1_000, 6 * 3_600 * 1_000_000_000L, 1 << 15, 1 << 15);

  public Limits {
    if (costBytes < 1 || hotReads < 1 || treeRoundNanos < 1 || loggedDots < 1 || inFlight < 1) {
      throw new IllegalArgumentException("limits are positive");
    }
  }

  public Limits withCostBytes(long bytes) {
    return new Limits(bytes, hotReads, treeRoundNanos, loggedDots, inFlight);
  }

  public Limits withHotReads(int reads) {
    return new Limits(costBytes, reads, treeRoundNanos, loggedDots, inFlight);
  }

  public Limits withTreeRoundNanos(long nanos) {
    return new Limits(costBytes, hotReads, nanos, loggedDots, inFlight);
  }

  public Limits withLoggedDots(int dots) {
    return new Limits(costBytes, hotReads, treeRoundNanos, dots, inFlight);
  }

  public Limits withInFlight(int operations) {
    return new Limits(costBytes, hotReads, treeRoundNanos, loggedDots, operations);
  }
}
