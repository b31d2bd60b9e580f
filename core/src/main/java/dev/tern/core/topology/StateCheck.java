package dev.tern.core.topology;

import org.jspecify.annotations.Nullable;

/// What every state of the topology keeps. One that was decoded and does not is refused before a
/// node goes by it: its numbers are places in lists, and sizes of them.
final class StateCheck {
  /// Ids of keyspaces: each takes a place in lists by id, for ever.
  private static final int MAX_KEYSPACES = 1 << 20;

  /// Replicas of a key.
  private static final int MAX_REPLICAS = 255;

  private StateCheck() {}

  /// The first thing that is wrong with a state; null if nothing is.
  static @Nullable String flaw(TopologyState state) {
    boolean empty =
        state.members().isEmpty() && state.keyspaces().isEmpty() && state.groups().isEmpty();
    if (!empty || state.partitions() != 0) {
      String problem = Slots.problem(state.partitions());
      if (problem != null) {
        return problem;
      }
    }
    if (state.epoch() < 0 || state.level() < 1 || state.nextReplica() < 1 || state.nextSet() < 1) {
      return "epoch %d, level %d, next replica %d, next set %d"
          .formatted(state.epoch(), state.level(), state.nextReplica(), state.nextSet());
    }
    String flaw = membersFlaw(state);
    flaw = flaw == null ? keyspacesFlaw(state) : flaw;
    return flaw == null ? groupsFlaw(state) : flaw;
  }

  private static @Nullable String membersFlaw(TopologyState state) {
    int last = 0;
    for (MemberEntry member : state.members()) {
      if (member.number() <= last || member.number() >= state.nextMember()) {
        return "member " + member.number() + " after " + last;
      }
      last = member.number();
    }
    for (int voter : state.voters()) {
      if (!isNumber(voter)) {
        return "voter " + voter;
      }
    }
    return null;
  }

  private static @Nullable String keyspacesFlaw(TopologyState state) {
    if (state.nextKeyspace() < 1 || state.nextKeyspace() > MAX_KEYSPACES) {
      return "next keyspace " + state.nextKeyspace();
    }
    int last = 0;
    for (KeyspaceDefinition keyspace : state.keyspaces()) {
      if (keyspace.id() <= last || keyspace.id() >= state.nextKeyspace()) {
        return "keyspace " + keyspace.id() + " after " + last;
      }
      last = keyspace.id();
      String problem = keyspace.settings().problem();
      if (problem != null) {
        return problem;
      }
      PlacementPolicy policy = keyspace.settings().policy();
      if (state.groups().stream().noneMatch(each -> each.policy().equals(policy))) {
        return "keyspace " + keyspace.id() + " lies nowhere";
      }
    }
    return null;
  }

  private static @Nullable String groupsFlaw(TopologyState state) {
    int last = 0;
    for (ReplicaGroups each : state.groups()) {
      if (each.number() <= last || each.number() >= state.nextSet()) {
        return "groups of number " + each.number() + " after " + last;
      }
      last = each.number();
      if (each.lists().partitions() != state.partitions()) {
        return "lists of " + each.lists().partitions() + " partitions";
      }
      for (int p = 0; p < state.partitions(); p++) {
        int[] list = each.lists().list(p);
        if (list.length == 0 || list.length > MAX_REPLICAS || each.epoch(p) < 0) {
          return "partition %d with %d replicas at epoch %d"
              .formatted(p, list.length, each.epoch(p));
        }
        for (int member : list) {
          if (!isNumber(member)) {
            return "a replica at node " + member;
          }
        }
      }
    }
    return null;
  }

  private static boolean isNumber(int member) {
    return member >= 1 && member <= Member.MAX_NUMBER;
  }
}
