package dev.tern.core.quorum;

/// How much one shard takes on, and from where on it spares itself.
///
/// @param costBytes estimated cost of the requests that it coordinates at a time, see [Admission];
///   what other nodes ask of its replicas may cost twice as much
/// @param hotReads from how many reads at level ONE within about a second on a key may be hot, see
///   [HotKeys]
public record Limits(long costBytes, int hotReads) {
  /// For a heap of a gibibyte or more and some shards. A steady key is hot from 500 to 1000 reads a
  /// second on.
  public static final Limits DEFAULT = new Limits(64 << 20, 1_000);

  public Limits {
    if (costBytes < 1 || hotReads < 1) {
      throw new IllegalArgumentException("limits are positive: " + costBytes + ", " + hotReads);
    }
  }

  /// The same with another bound of costs.
  public Limits withCostBytes(long bytes) {
    return new Limits(bytes, hotReads);
  }
}
