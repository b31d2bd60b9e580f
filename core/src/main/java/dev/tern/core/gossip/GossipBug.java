package dev.tern.core.gossip;

/// Mistakes that tests switch on to measure whether the simulator finds them. Production uses
/// [#NONE].
public enum GossipBug {
  NONE,
  /// A member that hears itself suspected says nothing.
  SUSPICION_NOT_REFUTED,
  /// A member that starts again uses the incarnations of its first life.
  INCARNATION_REUSED,
  /// An old claim that a member is alive overrules a newer one that it is dead.
  STALE_ALIVE_WINS,
  /// A member that is believed to have left, and talks, is not told so.
  LEFT_NOT_TOLD,
  /// A member goes on with its reports where its own count is, although others know later ones of
  /// it.
  OWN_REPORTS_UNHEARD
}
