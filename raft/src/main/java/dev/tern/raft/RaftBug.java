package dev.tern.raft;

/// Mistakes that tests switch on to measure whether the simulator finds them. Production uses
/// [#NONE].
public enum RaftBug {
  NONE,
  /// The vote is not part of what is written.
  VOTE_NOT_PERSISTED,
  /// A voter votes for everybody who asks: two leaders in one term.
  DOUBLE_VOTE,
  /// A snapshot is taken for whole when its last chunk is missing.
  SNAPSHOT_APPLIED_HALF,
  /// A read counts the acknowledgements of a round that began before it.
  READ_ROUND_REUSED,
  /// A leader commits what an older term left by counting (Raft, figure 8).
  COMMIT_OF_OLDER_TERM,
  /// Entries and votes are acknowledged when they are in memory.
  ACK_BEFORE_DURABLE,
  /// A majority of the new voters alone decides in a joint membership.
  JOINT_COUNTS_ONE_MAJORITY,
  /// A leader trusts its lease for longer than its followers keep their promise.
  LEASE_TOO_LONG,
  /// A leader trusts its lease after it asked another to take over.
  LEASE_KEPT_IN_TRANSFER
}
