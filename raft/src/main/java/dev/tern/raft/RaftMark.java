package dev.tern.raft;

/// Rare states of a Raft group that some seed must reach, see [dev.tern.env.CoverageMarks].
public enum RaftMark {
  /// A leader's entries replace others of an earlier term.
  ENTRIES_REPLACED,
  /// A membership that was not committed goes with the entries that are replaced.
  MEMBERSHIP_TAKEN_BACK,
  /// A log does not agree with a leader's, and says where it may.
  CONFLICT_ANSWERED,
  /// A candidate, or one before it, hears of a leader of its term.
  CANDIDATE_WITHDREW,
  /// A follower takes over as the leader asked it to.
  LEADERSHIP_TAKEN_OVER,
  /// A member that only an uncommitted membership leaves out asks for votes.
  LEFT_OUT_CAMPAIGNED,
  /// A vote is refused as the asker's log is older.
  STALE_LOG_REFUSED,
  /// A snapshot replaces the log.
  SNAPSHOT_INSTALLED,
  /// Another snapshot comes while one was half here.
  SNAPSHOT_BEGUN_ANEW,
  /// A leader that most members do not answer steps down.
  LEADER_UNHEARD,
  /// A joint membership is left.
  JOINT_LEFT,
  /// A leader that its own change leaves out steps down.
  LEADER_REMOVED,
  /// A read waits for the state machine.
  READ_WAITED
}
