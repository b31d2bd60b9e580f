package dev.tern.simulation;

import dev.tern.core.context.Limits;
import dev.tern.world.World;

/// How the cluster of a run looks; drawn from its seed.
///
/// @param nodes of the cluster
/// @param n replicas of each key
/// @param r read level of the keyspaces
/// @param w write level of the keyspaces
/// @param keys of the keyspace where the last write wins
record Shape(int nodes, int n, int r, int w, int keys) {
  /// Hash trees are compared in one to so many seconds, so that each run sees it.
  private static final int MAX_TREE_ROUND_SECONDS = 8;

  static Shape of(World world, Theme theme) {
    // Who stands in for a replica is none of the key's.
    boolean spare = theme == Theme.SLOPPY || theme == Theme.HELD;
    int nodes = !spare && world.chance(0.6) ? 3 : (int) world.between(4, 6);
    int n = nodes == 3 || spare || world.chance(0.5) ? 3 : (int) world.between(4, nodes + 1);
    int keys = world.chance(0.9) ? 12 : 60;
    // Only those that bear a loss may be set back.
    if (theme == Theme.HALF_FETCHED) {
      // Two may be left out of what is read and written.
      return new Shape(5, 5, 3, 3, keys);
    }
    if (theme == Theme.OUTVOTED) {
      return new Shape(3, 3, 2, 2, keys);
    }
    if (theme != Theme.SET_BACK && world.chance(0.2)) {
      return new Shape(
          nodes, n, (int) world.between(1, n + 1), (int) world.between(1, n + 1), keys);
    }
    int r =
        theme == Theme.SET_BACK || world.chance(0.6) ? n / 2 + 1 : (int) world.between(1, n + 1);
    return new Shape(nodes, n, r, n + 1 - r, keys);
  }

  /// One whose nodes are more than the replicas of a key, so that replicas can be moved.
  static Shape toMove(World world) {
    int nodes = (int) world.between(4, 7);
    int n = world.chance(0.6) ? 3 : (int) world.between(1, nodes);
    int keys = world.chance(0.9) ? 12 : 60;
    int r = world.chance(0.7) ? n / 2 + 1 : (int) world.between(1, n + 1);
    int w = world.chance(0.2) ? (int) world.between(1, n + 1) : n + 1 - r;
    return new Shape(nodes, n, r, w, keys);
  }

  /// Whether an acknowledged write is still read when one replica has lost it.
  boolean bearsLoss() {
    return r < n && w > 1 && r + w > n;
  }

  /// Whether strict reads meet all acknowledged writes.
  boolean meets() {
    return r + w > n;
  }

  /// Whether two acknowledged writes meet a common replica.
  boolean ordersWrites() {
    return 2 * w > n;
  }

  /// @param small whether frames are small: siblings that do not fit one are tried again every 10
  ///   s, which the runs that move replicas have no time for
  static Limits limits(long seed, Theme theme, boolean small) {
    Limits usual =
        Limits.DEFAULT.withTreeRoundNanos(
            ClusterRun.SECOND * (1 + Math.floorMod(seed, MAX_TREE_ROUND_SECONDS)));
    if ((seed >> 2 & 3) == 0) {
      // Who is away for some seconds was away for too long.
      usual = usual.withLoggedDots(16);
    }
    if ((seed >> 3 & 1) == 0 || theme == Theme.HALF_FETCHED) {
      // What a replica lacks comes on many pages.
      usual = usual.withPageBytes(256);
    }
    // Three of four newcomers take partitions as snapshots, most of them whatever they lack.
    long sixteenth = seed * 0x9e3779b97f4a7c15L >>> 60;
    usual = usual.withSnapshotDots(sixteenth < 4 ? 1_000 : sixteenth < 7 ? 16 : 1);
    if (small) {
      usual = usual.withFrameBytes(ClusterRun.FRAME_BYTES);
    }
    if ((seed >> 4 & 15) == 0) {
      // Some requests at a time are too many.
      usual = usual.withInFlight(4);
    }
    return switch ((int) (seed & 3)) {
      case 1 -> usual.withHotReads(2);
      case 3 -> usual.withHotReads(2).withCostBytes(5 << 10);
      default -> usual;
    };
  }
}
