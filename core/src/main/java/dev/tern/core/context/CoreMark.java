package dev.tern.core.context;

/// Rare states of a node that some seed must reach, see [dev.tern.env.CoverageMarks]. What
/// [Statistics.Counter] counts is not repeated here: a test looks at both.
public enum CoreMark {
  /// A forwarded request comes twice.
  FORWARD_CAME_TWICE,
  /// A replica has promised a higher ballot when an update arrives.
  UPDATE_OUTVOTED_AT_REPLICA,
  /// A version arrives that was seen here and replaced since.
  REPLACED_VERSION_CAME_AGAIN,
  /// A replica meets a dot of its own that it has not given out.
  OWN_DOT_MET,
  /// The figures of a partition are corrected.
  COUNTS_CORRECTED,
  /// Siblings that were merged fit no frame, and are refused.
  SIBLINGS_TOO_LARGE_TOGETHER,
  /// A record is written over one that cannot be read.
  WRITTEN_OVER_ROT,
  /// The hash trees bring back a record over one that cannot be read.
  HEALED_OVER_ROT,
  /// A write waits for the next numbers to be reserved.
  NUMBERS_AWAITED,
  /// A delete stays as a restart could fall behind its stamp.
  STRIP_AWAITS_RESERVATION,
  /// A store opens on a full disk, and gives out no number at first.
  OPENED_ON_FULL_DISK,
  /// Replica groups that no keyspace has any more are let go of.
  GROUPS_LET_GO,
  /// Something comes for groups that were let go of.
  LATE_FOR_GROUPS,
  /// The log did not take what waited for it, and is asked again.
  LOG_STALLED,
  /// A peer has less than its pages spoke of: claims wait anew.
  CLAIMS_BEGAN_ANEW,
  /// A page of a rebuild cannot be dropped into place, and is asked for elsewhere.
  REBUILD_PAGE_REFUSED,
  /// A peer cannot read what comes next in a rebuild: another one is asked.
  REBUILD_STUCK,
  /// A rebuild ends with dots that no peer could read.
  REBUILD_PASSED_OVER_UNREADABLE,
  /// A peer does not answer within its time: the next one is asked.
  FETCH_LATE,
  /// Records of other replicas are taken and given more slowly, as clients wait.
  FILL_SLOWED,
  /// A page waits for its turn at the replica that gives it.
  FILL_WAITED,
  /// A snapshot of another replica was taken in.
  SNAPSHOT_INSTALLED,
  /// The same where writes had come meanwhile, which were merged with it.
  SNAPSHOT_MERGED,
  /// A snapshot could not be taken, or not be taken in: pages are asked for.
  SNAPSHOT_GIVEN_UP,
  /// A store opens behind a crash that came between taking a snapshot in and writing that down.
  INSTALL_ENDED_AT_START,
  /// A scan asks another replica, as one cannot read or does not vouch.
  SCAN_REPLACED_REPLICA,
  /// The replicas of a key change while a write of it is under way, which goes on with them.
  WRITE_FOLLOWED_MOVE,
  /// A replica refuses a write by the epoch that it carries.
  WRITE_OF_OLD_EPOCH_REFUSED,
  /// A request is refused by lists, and tried again by later ones.
  TRIED_AGAIN_BY_LATER_LISTS,
  /// A replica that waits to be filled has what the barrier of the others asks for.
  PENDING_REPLICA_FILLED,
  /// What a replica held that left was dropped, as the others have it.
  LEFT_PARTITION_DROPPED,
  /// What a replica that left alone had is held for the replicas from now on.
  LEFT_RECORDS_OFFERED
}
