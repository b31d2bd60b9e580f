package dev.tern.core.topology.log;

/// Mistakes that tests switch on to measure whether the simulator finds them. Production uses
/// [#NONE].
public enum TopologyBug {
  NONE,
  /// A command that holds at one epoch only is applied at any.
  STALE_EPOCH_ACCEPTED,
  /// Founders that were told different things work together.
  FOUNDERS_DISAGREE,
  /// What another node knows replaces what is known, older or newer.
  OLDER_STATE_ADOPTED,
  /// A change is reported as soon as the leader has it in its log.
  DECIDED_BEFORE_COMMIT,
  /// A state is gone by before it is on the disk.
  ADOPTED_BEFORE_DURABLE,
  /// A member that lost its disk votes at once.
  FORGETFUL_VOTE,
  /// A step of a move follows before the one before is adopted.
  STEP_BEFORE_ADOPTION,
  /// A move is finished before those that leave have handed over what only they have.
  FINISHED_UNDRAINED,
  /// A move is cancelled that is fenced already.
  CANCEL_AFTER_FENCED,
  /// A member is given a replica again though it may have something left of an earlier one.
  READMITTED_WITH_LEFT
}
