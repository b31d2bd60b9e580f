package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyHash;
import java.util.List;

/// A change of the topology, as it stands in the log. Commands say what, never how: lists come
/// planned, so that members of different versions apply the same.
public sealed interface Command {
  /// The first command. Repeated with the same founding it changes nothing.
  ///
  /// @param placed for each policy of the keyspaces, in order of their first appearance
  record Found(ClusterId cluster, Founding founding, List<ReplicaLists> placed) implements Command {
    public Found {
      placed = List.copyOf(placed);
    }
  }

  /// A node may take part. It holds nothing until replicas are moved to it.
  record AdmitMember(Member member, int weight) implements Command {}

  /// A member begins to leave; one that does and neither holds replicas nor votes is gone, and its
  /// number does not come back.
  record RemoveMember(int number) implements Command {}

  /// How much a member shall hold; moves nothing.
  record SetWeight(int number, int weight) implements Command {}

  /// Where a member stands; moves nothing.
  record SetZone(int number, String zone) implements Command {}

  /// @param hash of its keys, of a seed drawn for it
  /// @param lists for its policy, if no keyspace has it; else [ReplicaLists#NONE]
  record CreateKeyspace(KeyspaceSettings settings, KeyHash hash, ReplicaLists lists)
      implements Command {}

  /// Changes the keyspace of that name: levels, durability, time to live and timeout.
  record AlterKeyspace(KeyspaceSettings settings) implements Command {}

  /// A keyspace is gone, and its groups if no other has its policy.
  record DropKeyspace(String name) implements Command {}

  /// All members work at this level from now on; it never falls.
  record RaiseLevel(int level) implements Command {}

  /// A member that lost what it had voted has no vote, and may get one again in this life.
  record Readmit(int number, long life) implements Command {}

  /// Who shall vote in the topology log.
  record RecordVoters(List<Integer> voters) implements Command {
    public RecordVoters {
      voters = List.copyOf(voters);
    }
  }
}
