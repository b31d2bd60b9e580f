package dev.tern.core.topology.log;

import dev.tern.raft.Raft;
import dev.tern.raft.group.RaftGroup;

/// The leader of the topology log, as far as this node knows: by its own part of the log, or by
/// what other members tell with their beats, as it may have no part any more.
///
/// Threads: the loop.
final class KnownLeader {
  /// Beats for which this node believes in a leader that another member named.
  private static final int LEADER_BEATS = 5;

  private final int self;
  private final RaftGroup group;
  private final Amnesia amnesia;
  private final KnownTopology known;

  /// The leader that other members named, for a node without a part in the log; 0 for none.
  private int named;

  private long namedTerm;
  private long namedTick;

  KnownLeader(int self, RaftGroup group, Amnesia amnesia, KnownTopology known) {
    this.self = self;
    this.group = group;
    this.amnesia = amnesia;
    this.known = known;
  }

  /// Whether this member leads.
  boolean isSelf() {
    return group.raft().role() == Raft.Role.LEADER;
  }

  /// Another member says who leads.
  void told(TopologyMessage.Beat beat, long ticks) {
    if (beat.leader() != 0 && beat.term() >= namedTerm) {
      named = beat.leader();
      namedTerm = beat.term();
      namedTick = ticks;
    }
  }

  /// As this member's part says, unless it has heard of a later term; 0 for nobody.
  int leader(long ticks) {
    Raft raft = group.raft();
    boolean recent = ticks - namedTick <= (long) LEADER_BEATS * TopologyLog.BEAT_TICKS;
    // Who lost its vote may never hear of that from the log.
    boolean votes =
        raft.membership().isVoter(self)
            && known.state().voters().contains(self)
            && !amnesia.forgetful();
    if (raft.leader() == 0 && votes || raft.leader() != 0 && namedTerm <= raft.term()) {
      return raft.leader();
    }
    return recent ? named : raft.leader();
  }
}
