package dev.tern.core.topology;

import dev.tern.core.keyspace.KeyHash;
import dev.tern.core.ring.Plan;
import dev.tern.core.ring.Planner;
import dev.tern.core.ring.ZonePolicy;
import java.util.Collections;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// All that the topology log has decided so far. Immutable; equal states have equal parts.
///
/// Invariants: the epoch grows by one with each change; numbers of members, ids of keyspaces, ids
/// of replicas and numbers of groups lie below their `next` and were each given out once.
///
/// @param cluster what it is called; [ClusterId#NONE] before the log's first entry
/// @param epoch 0 before the founding
/// @param level of the protocol between members and of shared formats that all work at; 1 at first
/// @param founding how it began
/// @param members in order of numbers
/// @param keyspaces in order of ids
/// @param groups one for each policy that a keyspace has, in order of their making
/// @param voters of this log, as they shall be; sorted
/// @param nextMember numbers below it are taken or were
/// @param nextKeyspace as is this for ids
/// @param nextReplica and this
/// @param nextSet and numbers of groups
/// @param lives what members drew that lost their vote with their disk, or came later and may vote:
///   by number
/// @param movesHeld whether no move of replicas begins: the operator wants it so
public record TopologyState(
    ClusterId cluster,
    long epoch,
    int level,
    Founding founding,
    List<MemberEntry> members,
    List<KeyspaceDefinition> keyspaces,
    List<ReplicaGroups> groups,
    List<Integer> voters,
    int nextMember,
    int nextKeyspace,
    int nextReplica,
    int nextSet,
    SortedMap<Integer, Long> lives,
    boolean movesHeld) {
  /// The level that the topology log of each cluster begins at. Part of the format of commands,
  /// whatever levels a version speaks: a log is replayed from here, and its commands must come to
  /// what they came to then. Logs of format 2 began at 4.
  public static final int FIRST_LEVEL = 5;

  /// Before anything.
  public static final TopologyState NOTHING =
      new TopologyState(
          ClusterId.NONE,
          0,
          FIRST_LEVEL,
          Founding.NOTHING,
          List.of(),
          List.of(),
          List.of(),
          List.of(),
          1,
          1,
          1,
          1,
          Collections.emptySortedMap(),
          false);

  public TopologyState {
    members = List.copyOf(members);
    keyspaces = List.copyOf(keyspaces);
    groups = List.copyOf(groups);
    voters = List.copyOf(voters);
    lives = Collections.unmodifiableSortedMap(new TreeMap<>(lives));
  }

  /// A state and what the command before it came to.
  public record Step(TopologyState state, TopologyOutcome outcome) {}

  /// What a command makes of this. A pure function: the same at every member.
  public Step apply(Proposed proposed) {
    return Transition.of(this, proposed, /* cancelsFenced= */ false);
  }

  /// The same with a mistake that tests plant: a move may be cancelled that is fenced.
  public Step applyCancellingFenced(Proposed proposed) {
    return Transition.of(this, proposed, /* cancelsFenced= */ true);
  }

  /// This with other members and nothing else changed, to plan what they would hold.
  ///
  /// @param supposed in order of numbers
  public TopologyState suppose(List<MemberEntry> supposed) {
    return new TopologyState(
        cluster,
        epoch,
        level,
        founding,
        supposed,
        keyspaces,
        groups,
        voters,
        nextMember,
        nextKeyspace,
        nextReplica,
        nextSet,
        lives,
        movesHeld);
  }

  /// What a member drew that was let in again, 0 for others.
  public long life(int member) {
    return lives.getOrDefault(member, 0L);
  }

  public boolean founded() {
    return epoch > 0;
  }

  public int partitions() {
    return founding.partitions();
  }

  public @Nullable MemberEntry member(int number) {
    for (MemberEntry member : members) {
      if (member.number() == number) {
        return member;
      }
    }
    return null;
  }

  public @Nullable KeyspaceDefinition keyspace(String name) {
    for (KeyspaceDefinition keyspace : keyspaces) {
      if (keyspace.name().equals(name)) {
        return keyspace;
      }
    }
    return null;
  }

  /// The groups of a policy, null if no keyspace has it.
  public @Nullable ReplicaGroups groups(PlacementPolicy policy) {
    for (ReplicaGroups each : groups) {
      if (each.policy().equals(policy)) {
        return each;
      }
    }
    return null;
  }

  /// The groups of a number, null for none.
  public @Nullable ReplicaGroups groupsNumbered(int number) {
    for (ReplicaGroups each : groups) {
      if (each.number() == number) {
        return each;
      }
    }
    return null;
  }

  /// Whether a member is in any group, by the old list or the new one.
  public boolean holds(int member) {
    return groups.stream().anyMatch(each -> each.names(member));
  }

  /// The command that makes a keyspace, with lists where its policy has none yet.
  ///
  /// @param hash of its keys, of a seed that no other keyspace has
  /// @throws IllegalArgumentException if the settings make no sense or nobody may hold it
  public Command.CreateKeyspace create(KeyspaceSettings settings, KeyHash hash) {
    String problem = settings.problem();
    if (problem != null) {
      throw new IllegalArgumentException(problem);
    }
    boolean placed = groups(settings.policy()) != null;
    return new Command.CreateKeyspace(
        settings,
        hash,
        placed
            ? ReplicaLists.NONE
            : ReplicaLists.of(fresh(partitions(), members, settings.policy())));
  }

  static int[][] fresh(int partitions, List<MemberEntry> members, PlacementPolicy policy) {
    int[][] nothing = new int[partitions][0];
    return plan(members, policy, nothing).lists();
  }

  private static Plan plan(List<MemberEntry> members, PlacementPolicy policy, int[][] present) {
    return Planner.plan(
        members.stream().map(MemberEntry::candidate).toList(), policy.n(), policy.zones(), present);
  }

  /// Whether each key has as many replicas as its keyspace asks for without a member.
  public boolean suffices(int without) {
    long others =
        members.stream().filter(each -> each.eligible() && each.number() != without).count();
    return groups.stream().allMatch(each -> each.policy().n() <= others);
  }

  /// Why members may not be as given instead, null if they may: keyspaces would have fewer replicas
  /// than they ask for and have now, or the replicas of a key would share zones that they do not
  /// share now.
  public @Nullable String violated(List<MemberEntry> instead) {
    List<MemberEntry> before = members.stream().filter(MemberEntry::eligible).toList();
    List<MemberEntry> after = instead.stream().filter(MemberEntry::eligible).toList();
    for (ReplicaGroups each : groups) {
      PlacementPolicy policy = each.policy();
      if (after.size() < Math.min(policy.n(), before.size())) {
        return "keyspaces of n=%d would have %d members to hold them, and have %d"
            .formatted(policy.n(), after.size(), before.size());
      }
      long zones = zones(after);
      if (policy.zones() == ZonePolicy.SPREAD && zones < Math.min(policy.n(), zones(before))) {
        return "replicas of keyspaces of n=%d would be in %d zones, and are in %d"
            .formatted(policy.n(), zones, Math.min(policy.n(), zones(before)));
      }
    }
    return null;
  }

  private static long zones(List<MemberEntry> members) {
    return members.stream().map(MemberEntry::zone).distinct().count();
  }

  /// What would have to be moved for groups to be as members, zones and weights now want them, once
  /// the moves under way are done.
  ///
  /// @throws IllegalArgumentException if nobody may hold anything
  public Plan plan(ReplicaGroups of) {
    return plan(members, of.policy(), of.targets().copied());
  }

  /// What requests of a policy's keyspaces go by.
  ///
  /// @throws IllegalArgumentException if no keyspace has it
  public Topology topology(PlacementPolicy policy) {
    ReplicaGroups of = groups(policy);
    if (of == null) {
      throw new IllegalArgumentException("no keyspace is placed by " + policy);
    }
    List<Member> all = members.stream().map(MemberEntry::member).toList();
    return Topology.placed(epoch, all, of);
  }
}
