package dev.tern.core.repair;

/// What a node has to catch up with.
///
/// @param partitions it has replicas of, beside others
/// @param lacking of these, how many lack what another replica has said twice that it has
/// @param rebuilding of these, how many are being taken whole from another replica now
public record Repairs(int partitions, int lacking, int rebuilding) {
  /// Nothing.
  public static final Repairs NONE = new Repairs(0, 0, 0);

  /// Both together.
  public Repairs plus(Repairs other) {
    return new Repairs(
        partitions + other.partitions, lacking + other.lacking, rebuilding + other.rebuilding);
  }
}
