package dev.tern.env;

/// What happened on a node, for people. Nothing in a node acts on an event.
///
/// A kind is added here, with its text; every sink shows it by [#kind] and [#text].
public sealed interface NodeEvent {
  /// How much an event asks for somebody's attention.
  enum Severity {
    /// Ordinary life of a cluster.
    INFO,
    /// Something is wrong, or was refused.
    WARNING
  }

  /// One sentence without its end.
  String text();

  default Severity severity() {
    return Severity.INFO;
  }

  /// The name of the kind, as logs and pages show it.
  default String kind() {
    return getClass().getSimpleName();
  }

  /// The topology log has another leader, as this node sees it.
  ///
  /// @param leader a member's number, 0 while none is known
  record LeaderChanged(long term, int leader) implements NodeEvent {
    @Override
    public String text() {
      return leader == 0
          ? "the topology log has no leader in term " + term
          : "node %d leads the topology log in term %d".formatted(leader, term);
    }
  }

  /// This node's part of the topology log does nothing any more.
  record TopologyLogFailed(String why) implements NodeEvent {
    @Override
    public String text() {
      return why;
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }

  /// A member is believed to be down.
  record MemberSuspected(int member) implements NodeEvent {
    @Override
    public String text() {
      return "node %d is believed to be down".formatted(member);
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }

  /// A member is believed to be up.
  record MemberReachable(int member) implements NodeEvent {
    @Override
    public String text() {
      return "node %d is up".formatted(member);
    }
  }

  /// A node that greeted is not listened to.
  record StrangerRefused(int node, String why) implements NodeEvent {
    @Override
    public String text() {
      return "node %d is refused: %s".formatted(node, why);
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }

  /// A store mints its next versions under another replica id, as its directory may be an old copy.
  record ReplicaIdTaken(int shard, int replicaId) implements NodeEvent {
    @Override
    public String text() {
      return "shard %d takes the new replica id %08x: its directory may be an old copy"
          .formatted(shard, replicaId);
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }

  /// A partition held what belongs to an earlier admission of this node to its groups: it is
  /// dropped, and the other replicas fill the partition again.
  ///
  /// @param set number of the partition's replica groups
  record PartitionEmptied(int set, int partition) implements NodeEvent {
    @Override
    public String text() {
      return "partition %d of set %d is emptied: its rows are of an earlier admission"
          .formatted(partition, set);
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }

  /// A partition is taken whole from other replicas.
  ///
  /// @param set number of the partition's replica groups
  record RebuildBegan(int set, int partition) implements NodeEvent {
    @Override
    public String text() {
      return "partition %d of set %d is taken whole from the other replicas"
          .formatted(partition, set);
    }
  }

  /// A rebuild has ended.
  record RebuildEnded(int set, int partition) implements NodeEvent {
    @Override
    public String text() {
      return "partition %d of set %d has been rebuilt".formatted(partition, set);
    }
  }

  /// A store refuses writes.
  record WritesRefused(int shard, String why) implements NodeEvent {
    @Override
    public String text() {
      return "shard %d refuses writes: %s".formatted(shard, why);
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }

  /// A store takes writes again.
  record WritesTaken(int shard) implements NodeEvent {
    @Override
    public String text() {
      return "shard %d takes writes again".formatted(shard);
    }
  }

  /// Stored bytes cannot be decoded or read.
  record Corruption(int shard, String what) implements NodeEvent {
    @Override
    public String text() {
      return "shard %d: %s".formatted(shard, what);
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }

  /// A door closed the connection of a client that did not ask for it.
  ///
  /// @param door its name
  /// @param client the client's address
  record ConnectionClosed(String door, String client, String why) implements NodeEvent {
    @Override
    public String text() {
      return "the %s door closed the connection of %s: %s".formatted(door, client, why);
    }

    @Override
    public Severity severity() {
      return Severity.WARNING;
    }
  }
}
