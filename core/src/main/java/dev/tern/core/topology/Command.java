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

  /// Whether a member is taken for down for long: its replicas are given to others meanwhile, and
  /// it gets its share again when it is back.
  record SetAway(int number, boolean away) implements Command {}

  /// A member has lost its directory and begins with another one, under its old number and address.
  /// A directory that knows the member by the name of before is none of this member's.
  record Rejoin(int number, String name) implements Command {}

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

  /// Steps of moves, each of which holds if its entry has that epoch and a stage that it fits; the
  /// others are passed over. The command is refused if none holds.
  ///
  /// @param set the number of the groups
  /// @param steps at most [#MAX_STEPS]
  record Moves(int set, List<Step> steps) implements Command {
    /// A frame and an entry of the log hold them with lists of the greatest length, and applying
    /// them takes less than a tick.
    public static final int MAX_STEPS = 1_000;

    /// The steps of a move. The ordinal is stored: add at the end.
    public enum Kind {
      /// A stable entry gets a new list and is *filling*. Newcomers get replica ids.
      BEGIN,
      /// From *filling* to *switched*.
      SWITCH,
      /// From *switched* to *fenced*.
      FENCE,
      /// From *fenced* to *stable*: the new list is the list.
      FINISH,
      /// One step back: from *filling* to *stable* with the old list; from *switched* to *filling*,
      /// from where only another one follows.
      CANCEL
    }

    /// @param entryEpoch of the entry that it holds for
    /// @param list the new one, for [Kind#BEGIN]; else empty
    public record Step(int partition, long entryEpoch, Kind kind, List<Integer> list) {
      public Step {
        list = List.copyOf(list);
      }

      /// A step that names no list.
      public static Step of(int partition, long entryEpoch, Kind kind) {
        return new Step(partition, entryEpoch, kind, List.of());
      }
    }

    public Moves {
      steps = List.copyOf(steps);
    }
  }

  /// Whether moves wait: while they do none begins. Those under way go on.
  record HoldMoves(boolean held) implements Command {}

  /// Who shall vote in the topology log.
  record RecordVoters(List<Integer> voters) implements Command {
    public RecordVoters {
      voters = List.copyOf(voters);
    }
  }
}
