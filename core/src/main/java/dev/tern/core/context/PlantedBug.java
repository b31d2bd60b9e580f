package dev.tern.core.context;

/// Mistakes that tests switch on to measure whether the simulator finds them. Production uses
/// [#NONE]. The storage engine has its own list.
public enum PlantedBug {
  NONE,
  /// A write is acknowledged when it is in memory.
  ACK_BEFORE_DURABLE,
  /// A write is acknowledged after the first replica.
  EARLY_ACK,
  /// A replica keeps what comes last instead of what is newest.
  LAST_ARRIVAL_WINS,
  /// A write that is superseded counts as acknowledged.
  SUPERSEDED_IS_ACK,
  /// A read that finds its replicas different answers at once.
  NO_READ_REPAIR,
  /// Digests are not compared.
  DIGEST_MISMATCH_IGNORED,
  /// A write does not queue behind the disk read of its key.
  LATCH_SKIPPED,
  /// A read-modify-write asks only its own replica.
  UPDATE_READS_LOCALLY,
  /// A forwarded update that arrives twice is done twice.
  FORWARD_APPLIED_TWICE,
  /// A write with a context replaces nothing.
  CONTEXT_IGNORED,
  /// A read tells of dots that the disk does not have yet as if the reader had been shown them.
  UNSYNCED_CLOCK_ADVERTISED,
  /// A record with siblings is stored as it comes, not merged with what is there.
  REPAIR_OVERWRITES_NEWER,
  /// A delete is stripped when it is stored.
  TOMBSTONE_STRIPPED_TOO_EARLY,
  /// Anti-entropy claims dots without the records that belong to them.
  REPAIR_CLAIMS_WITHOUT_RECORDS,
  /// A write that shall be held for another node is not.
  HINT_DROPPED,
  /// After a restart dots are given out again that an earlier life gave out and lost.
  REUSED_DOTS,
  /// What replaced a version is deleted when the version's time has passed.
  EXPIRY_DELETES_WHAT_REPLACED_IT,
  /// A write leaves the hash of its segment as it was.
  HASH_KEPT_PAST_WRITE,
  /// The hash tree's repair brings back what the clock says was replaced, without asking further.
  HEALS_WHAT_WAS_REPLACED,
  /// What a replica said of a hot key answers reads of any level.
  HOT_READS_AT_ANY_LEVEL,
  /// What is missing under a dot that the clock knows of counts as replaced, whatever others hold.
  LOSS_TAKEN_FOR_REPLACED,
  /// A context that was read of one key is taken for another.
  CONTEXT_NOT_SEALED,
  /// An update takes a stamp of its own instead of that of what it was computed from.
  UPDATE_TAKES_FRESH_STAMP,
  /// A put that waited for a silent replica is minted anew when that one is given up.
  PUT_MINTED_ANEW_AFTER_SILENCE,
  /// The delete of what expired takes the time of the delete.
  EXPIRY_TAKES_FRESH_STAMP,
  /// A linearizable put is minted without a look at the stamps of others.
  LINEARIZABLE_PUT_ASKS_NO_STAMPS,
  /// Updates of one key share a round whatever was asked of each.
  ROUND_MERGES_OPTIONS,
  /// A held write that is refused is tried over and over before those that came after it.
  HINT_REFUSAL_STOPS_ALL,
  /// A page of dots is claimed as it comes, whether or not what replaced their versions has come.
  DOT_CLAIMED_WITHOUT_RECORD,
  /// What has expired is told by this node's own wall clock.
  EXPIRY_BY_OWN_CLOCK,
  /// A stamp far ahead of the time is refused though other replicas hold it.
  FAR_STAMP_REFUSED_IN_REPAIR,
  /// A replica answers before it knows what the others have.
  BEHIND_REPLICA_ANSWERS,
  /// A put that an update of itself has replaced at some replica is minted anew, above the update.
  OWN_UPDATES_TAKEN_FOR_RIVALS,
  /// A held write is forgotten when it was sent, whatever its replica says of it.
  HINT_FORGOTTEN_WHEN_SENT,
  /// Of two versions the one with the greater counter of updates is newer, whatever their times.
  UPDATES_COUNTED_BEFORE_TIME,
  /// Deletes are stripped though a node that is no replica may hold a write that is older.
  STRIP_WITHOUT_ASKING_HOLDERS,
  /// A replica takes updates of a leader though it has answered the read of a later one.
  BALLOTS_IGNORED,
  /// A linearizable read, or an update that changes nothing, shows an update whose leader another
  /// one has outvoted, and brings it to other replicas without a ballot.
  READ_SHOWS_OUTVOTED,
  /// A replica promises a leader's ballot that lies above what its disk has of reservations.
  PROMISE_FORGOTTEN,
  /// A page of a scan shows what one of the replicas that were asked has.
  SCAN_SHOWS_ONE_REPLICA,
  /// The bytes of a value stay counted when another value replaces it.
  COUNTS_BYTES_OF_REPLACED,
  /// Figures of a partition that are off stay off, though all its records were counted.
  COUNTS_NOT_CORRECTED,
  /// A replica takes writes of who goes by the lists of before, though a move needs all to know the
  /// new ones.
  STALE_OWNER_ACCEPTS,
  /// A list that gets shorter is read though those that stay may lack what those that leave have.
  SHRUNK_UNFILLED,
  /// A read whose replicas agree is answered though the other list of a move lacks the version.
  UNIFORM_READ_OF_ONE_LIST,
  /// A new replica counts as filled though writes that old ones had admitted may not be there.
  BARRIER_SKIPPED,
  /// Acknowledgements are counted in the old list only while a partition moves.
  ACKS_OF_ONE_LIST,
  /// Deletes are stripped though a replica that waits to be filled may not have had them.
  STRIP_WITHOUT_PENDING,
  /// A replica that left drops what it holds though the others may lack some of it.
  DROPPED_BEFORE_DRAINED,
  /// A replica that left drops what no replica has instead of having it held for them.
  DROPPED_WITHOUT_OFFERING,
  /// A member says that it has nothing of partitions that it left, so that it is given them again
  /// before it has handed on what it alone has.
  LEFT_NOT_TOLD,
  /// A replica that comes to lead does not hear under which ballots others led before.
  BALLOTS_NOT_TOLD,
  /// A snapshot that is taken in replaces what was written here meanwhile.
  SNAPSHOT_REPLACES_WRITES,
  /// What was written here meanwhile hides what the snapshot has of the same keys.
  SNAPSHOT_UNMERGED,
  /// A snapshot's clock is claimed when its first rows are here.
  SNAPSHOT_CUT_SHORT
}
