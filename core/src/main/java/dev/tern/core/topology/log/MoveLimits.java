package dev.tern.core.topology.log;

/// Whether a leader moves replicas by itself, and how many at once.
///
/// @param on whether it does
/// @param receiving partitions that are filled at a member at a time
/// @param sending partitions that are filled at a time from a member, or because it leaves
/// @param lostNanos a move is cancelled when a newcomer is not live for so long
/// @param awayNanos a member that is not live for so long is away: others get its replicas;
///   [#NEVER] for none
public record MoveLimits(boolean on, int receiving, int sending, long lostNanos, long awayNanos) {
  /// How many bytes are under way is bounded by the fills themselves. A step takes about half a
  /// second from the log to all members and back, so fewer partitions would leave members idle
  /// between steps; each partition that is filled costs its writes one more replica. A newcomer
  /// that is gone for two minutes holds back the removal of deletes no longer than a restart may
  /// take. A machine that is gone for half an hour seldom comes back by itself.
  public static final MoveLimits USUAL =
      new MoveLimits(true, 64, 64, 120_000_000_000L, 1_800_000_000_000L);

  /// No member becomes away by itself.
  static final long NEVER = Long.MAX_VALUE;

  /// The same with another bound for members that are not live.
  ///
  /// @param millis 0 for none
  public MoveLimits withAwayMillis(long millis) {
    long nanos = millis == 0 ? NEVER : Math.multiplyExact(millis, 1_000_000L);
    return new MoveLimits(on, receiving, sending, lostNanos, nanos);
  }

  public MoveLimits {
    if (receiving < 1 || sending < 1 || lostNanos < 0 || awayNanos < 0) {
      throw new IllegalArgumentException(
          "moves: receiving %d, sending %d, lost after %d ns, away after %d ns"
              .formatted(receiving, sending, lostNanos, awayNanos));
    }
  }
}
