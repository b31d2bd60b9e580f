package dev.tern.core.context;

/// How fast records of other replicas may be taken and given by one shard, both together, in bytes
/// a second. Within these bounds the rate follows what clients notice of it, see `FillBudget`.
///
/// @param floor so much it does whatever clients notice
/// @param ceiling no more than this, whatever there is room for
public record FillBounds(long floor, long ceiling) {
  /// No bound from above, for all that a disk can do.
  public static final long UNBOUNDED = 1L << 40;

  /// What a node with one shard does unless it is told otherwise: a gigabyte in eight minutes at
  /// the slowest.
  public static final FillBounds USUAL = new FillBounds(2 << 20, UNBOUNDED);

  public FillBounds {
    if (floor < 1 || ceiling < floor || ceiling > UNBOUNDED) {
      throw new IllegalArgumentException(
          "records are filled at %d to %d bytes a second".formatted(floor, ceiling));
    }
  }

  /// The part of each of some shards.
  public FillBounds ofShards(int shards) {
    return new FillBounds(Math.max(1, floor / shards), Math.max(1, ceiling / shards));
  }
}
