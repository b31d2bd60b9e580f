package dev.tern.raft;

/// What became of something proposed.
public sealed interface Proposal {
  /// It is in the leader's log; if an entry of this index and term is ever applied it is this one.
  record Accepted(long index, long term) implements Proposal {}

  /// It is nowhere.
  ///
  /// @param leader who may take it, 0 if unknown
  record Refused(Reason reason, int leader) implements Proposal {}

  /// Why it is nowhere.
  enum Reason {
    NOT_LEADER,
    /// The leader is handing over.
    TRANSFERRING,
    /// Too many bytes wait to be committed.
    OVERLOADED,
    /// Another membership change is under way, or the leader has committed nothing in its term yet.
    CHANGE_PENDING,
    /// The target makes no sense.
    BAD_TARGET
  }
}
