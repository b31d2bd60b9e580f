package dev.tern.core.context;

import dev.tern.env.Network;

/// The bounds of one shard. Production uses [#DEFAULT] with a cost that suits the heap. Tests set
/// bounds low, so that seeds reach what production hardly meets.
///
/// @param costBytes estimated cost in bytes of the requests that the shard coordinates at a time,
///   see `Admission`; the requests of other nodes to its replicas may cost twice as much
/// @param hotReads reads of one key at level ONE, within about a second, from which on the key may
///   be hot, see `HotKeys`
/// @param treeRoundNanos the least time in which the shard compares all its hash trees with those
///   of other replicas
/// @param loggedDots length of a partition's log of dots beyond which the log does not wait for a
///   replica that is away; that replica takes the whole partition when it is back
/// @param inFlight operations of the shard that may wait for answers at a time; more are refused
/// @param pageBytes about how many bytes of records a page of repair has
/// @param frameBytes of a message between nodes, at most: bounds the records, too, see
///   `RecordBounds`
/// @param fill how fast records of other replicas are taken and given
/// @param snapshotDots a newcomer that lacks so many dots of a partition takes it as a snapshot
public record Limits(
    long costBytes,
    int hotReads,
    long treeRoundNanos,
    int loggedDots,
    int inFlight,
    int pageBytes,
    int frameBytes,
    FillBounds fill,
    long snapshotDots) {
  /// The bounds for a heap of a gibibyte or more and a few shards. A key that is read steadily is
  /// hot from 500 to 1000 reads a second on. All hash trees are compared within six hours at the
  /// least.
  public static final Limits DEFAULT =
      new Limits(
          64 << 20,
          1_000,
          6 * 3_600 * 1_000_000_000L,
          1 << 15,
          1 << 15,
          256 << 10,
          Network.MAX_PAYLOAD_BYTES,
          FillBounds.USUAL,
          1_000);

  public Limits {
    if (costBytes < 1
        || hotReads < 1
        || treeRoundNanos < 1
        || loggedDots < 1
        || inFlight < 1
        || snapshotDots < 1) {
      throw new IllegalArgumentException("limits are positive");
    }
    if (pageBytes < 1) {
      throw new IllegalArgumentException("a page of repair would have no record");
    }
    if (frameBytes > Network.MAX_PAYLOAD_BYTES || pageBytes > frameBytes / 8) {
      throw new IllegalArgumentException("a page of repair would not fit a frame");
    }
  }

  public Limits withCostBytes(long bytes) {
    return new Limits(
        bytes,
        hotReads,
        treeRoundNanos,
        loggedDots,
        inFlight,
        pageBytes,
        frameBytes,
        fill,
        snapshotDots);
  }

  public Limits withHotReads(int reads) {
    return new Limits(
        costBytes,
        reads,
        treeRoundNanos,
        loggedDots,
        inFlight,
        pageBytes,
        frameBytes,
        fill,
        snapshotDots);
  }

  public Limits withTreeRoundNanos(long nanos) {
    return new Limits(
        costBytes,
        hotReads,
        nanos,
        loggedDots,
        inFlight,
        pageBytes,
        frameBytes,
        fill,
        snapshotDots);
  }

  public Limits withLoggedDots(int dots) {
    return new Limits(
        costBytes,
        hotReads,
        treeRoundNanos,
        dots,
        inFlight,
        pageBytes,
        frameBytes,
        fill,
        snapshotDots);
  }

  public Limits withInFlight(int operations) {
    return new Limits(
        costBytes,
        hotReads,
        treeRoundNanos,
        loggedDots,
        operations,
        pageBytes,
        frameBytes,
        fill,
        snapshotDots);
  }

  public Limits withPageBytes(int bytes) {
    return new Limits(
        costBytes,
        hotReads,
        treeRoundNanos,
        loggedDots,
        inFlight,
        bytes,
        frameBytes,
        fill,
        snapshotDots);
  }

  /// The same for pages, which must fit a frame.
  public Limits withFrameBytes(int bytes) {
    int page = Math.min(pageBytes, bytes / 8);
    return new Limits(
        costBytes, hotReads, treeRoundNanos, loggedDots, inFlight, page, bytes, fill, snapshotDots);
  }

  public Limits withFill(FillBounds bounds) {
    return new Limits(
        costBytes,
        hotReads,
        treeRoundNanos,
        loggedDots,
        inFlight,
        pageBytes,
        frameBytes,
        bounds,
        snapshotDots);
  }

  public Limits withSnapshotDots(long dots) {
    return new Limits(
        costBytes,
        hotReads,
        treeRoundNanos,
        loggedDots,
        inFlight,
        pageBytes,
        frameBytes,
        fill,
        dots);
  }
}
