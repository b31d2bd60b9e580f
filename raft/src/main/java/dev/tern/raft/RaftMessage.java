package dev.tern.raft;

import java.util.List;

/// What the members of a group say to each other. May be lost, doubled and reordered.
public sealed interface RaftMessage {
  /// The sender's term; in [PreVote] and a granted [PreVoteReply] the term that would begin.
  long term();

  /// Would you vote for me in this term?
  record PreVote(long term, long lastIndex, long lastTerm) implements RaftMessage {}

  /// An answer that binds nobody.
  record PreVoteReply(long term, boolean granted) implements RaftMessage {}

  /// Vote for me.
  ///
  /// @param transfer the leader asked for this election: no promise to it stands in the way
  record Vote(long term, long lastIndex, long lastTerm, boolean transfer) implements RaftMessage {}

  /// An answer that is on disk.
  record VoteReply(long term, boolean granted) implements RaftMessage {}

  /// Entries from the leader, right after an entry that it names; perhaps none.
  record Append(long term, long prevIndex, long prevTerm, long commit, List<Entry> entries)
      implements RaftMessage {}

  /// The sender's log agrees with the leader's up to `index`, on disk.
  record Appended(long term, long index) implements RaftMessage {}

  /// The sender has no entry like the one named in an [Append].
  ///
  /// @param rejected the index named
  /// @param hintIndex at this or an earlier entry the logs may agree
  /// @param hintTerm of that entry in the sender's log
  record Conflict(long term, long rejected, long hintIndex, long hintTerm) implements RaftMessage {}

  /// The leader lives.
  ///
  /// @param commit what the receiver may take for committed
  /// @param round of this leader; its acknowledgement counts for this round and those before
  record Heartbeat(long term, long commit, long round) implements RaftMessage {}

  /// The sender follows this leader, and votes for nobody else for a while.
  record HeartbeatReply(long term, long round) implements RaftMessage {}

  /// A part of a snapshot.
  record Chunk(long term, SnapshotMark mark, long offset, byte[] bytes, boolean last)
      implements RaftMessage {}

  /// The answer to the chunk at `offset` of the snapshot at `index`: the next should be at `next`.
  record ChunkReply(long term, long index, long offset, long next) implements RaftMessage {}

  /// Begin an election at once: the leader hands over.
  record TimeoutNow(long term) implements RaftMessage {}

  /// A follower wants to read; `context` is its own.
  record Read(long term, long context) implements RaftMessage {}

  /// The follower may read when it has applied `index`.
  record ReadReply(long term, long context, long index) implements RaftMessage {}

  /// The receiver's term is over; this one is later.
  record Stale(long term) implements RaftMessage {}
}
