package dev.tern.core.topology;

/// What became of a command that was applied.
public sealed interface TopologyOutcome {
  /// The topology is another since this epoch.
  record Changed(long epoch) implements TopologyOutcome {}

  /// It already was so.
  record Unchanged(long epoch) implements TopologyOutcome {}

  /// Nothing happened.
  ///
  /// @param message for people
  record Refused(Reason reason, String message) implements TopologyOutcome {}

  /// Why nothing happened. The ordinal is sent: add at the end.
  enum Reason {
    /// The topology is not that which the proposer saw.
    STALE_EPOCH,
    /// There is no cluster yet.
    NOT_FOUNDED,
    /// The cluster was founded by others, or the node belongs to another.
    FOUNDERS_DISAGREE,
    /// There is no such member or keyspace.
    UNKNOWN,
    /// There is one already, or was one.
    EXISTS,
    /// It makes no sense.
    INVALID,
    /// It needs replicas to be moved, which cannot be done yet.
    NEEDS_MOVES
  }
}
