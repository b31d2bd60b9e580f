package dev.tern.core.topology.log;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyState;
import dev.tern.raft.RaftMessage;
import java.util.List;

/// What nodes say to each other about the topology.
sealed interface TopologyMessage {
  /// Who I am; the first thing said on a connection.
  ///
  /// @param answer whether the receiver shall greet back
  /// @param level the cluster's, as far as the sender knows
  /// @param life see [Amnesia#life]
  /// @param pair whether the log decides nothing without both sender and receiver
  /// @param departs whether the sender leaves, and holds nothing for others any more
  record Greeting(
      boolean answer,
      Levels levels,
      int level,
      ClusterId cluster,
      long epoch,
      Founding founding,
      long life,
      boolean pair,
      boolean departs)
      implements TopologyMessage {}

  record Raft(RaftMessage message) implements TopologyMessage {}

  /// What I go by.
  record State(TopologyState state) implements TopologyMessage {}

  /// How far I am: who is ahead of the other tells him.
  ///
  /// @param leader of the log in that term, 0 if unknown
  record Beat(long epoch, long term, int leader) implements TopologyMessage {}

  /// Somebody wants this; for the leader.
  record Propose(long id, Proposed proposed) implements TopologyMessage {}

  /// What became of it.
  record Answer(long id, Decision decision) implements TopologyMessage {}

  /// What the sender says of moves that it has a part in, and of what it has left; for the leader,
  /// which forgets it.
  ///
  /// @param entries at most [#MAX_ENTRIES]
  record MoveReports(LeftReport left, List<MoveReport> entries) implements TopologyMessage {
    static final int MAX_ENTRIES = 1_000;

    public MoveReports {
      entries = List.copyOf(entries);
    }
  }

  /// It was not taken: ask that member, 0 for another.
  record NotLeader(long id, int leader) implements TopologyMessage {}
}
