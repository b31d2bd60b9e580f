package dev.tern.core.topology;

import java.util.BitSet;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/// What every state of the topology keeps. One that was decoded and does not is refused before a
/// node goes by it: its numbers are places in lists, and sizes of them.
final class StateCheck {
  /// Ids of keyspaces: each takes a place in lists by id, for ever.
  static final int MAX_KEYSPACES = 1 << 20;

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
    flaw = flaw == null ? groupsFlaw(state) : flaw;
    return flaw == null ? replicaIdsFlaw(state) : flaw;
  }

  private static @Nullable String membersFlaw(TopologyState state) {
    int last = 0;
    if (state.nextMember() < 1 || state.nextMember() > Member.MAX_NUMBER + 1) {
      return "next member " + state.nextMember();
    }
    if (state.founded() && state.founding().problem() != null) {
      return "a founding of which is said: " + state.founding().problem();
    }
    for (MemberEntry member : state.members()) {
      if (member.number() <= last || member.number() >= state.nextMember()) {
        return "member " + member.number() + " after " + last;
      }
      last = member.number();
    }
    last = 0;
    for (int voter : state.voters()) {
      if (voter <= last || state.member(voter) == null) {
        return "voter " + voter + " after " + last;
      }
      last = voter;
    }
    for (int member : state.lives().keySet()) {
      if (state.member(member) == null) {
        return "a life of node " + member;
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
    if (state.nextSet() > ReplicaGroups.MAX_NUMBER + 1) {
      return "next groups " + state.nextSet();
    }
    BitSet members = new BitSet();
    state.members().forEach(member -> members.set(member.number()));
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
        long epoch = each.epoch(p);
        if (each.replicaSet(p).size() == 0 || epoch > state.epoch()) {
          return "partition %d with replicas %s at epoch %d"
              .formatted(p, each.replicaSet(p), epoch);
        }
        for (int member : each.replicaSet(p).members()) {
          if (!members.get(member)) {
            return "a replica at node " + member;
          }
        }
      }
    }
    return null;
  }

  /// An id belongs to one admission, for ever.
  private static @Nullable String replicaIdsFlaw(TopologyState state) {
    IntStream.Builder all = IntStream.builder();
    for (ReplicaGroups each : state.groups()) {
      for (int p = 0; p < state.partitions(); p++) {
        for (int place = 0; place < each.replicaSet(p).size(); place++) {
          all.add(each.replicaId(p, place));
        }
      }
    }
    int[] ids = all.build().sorted().toArray();
    for (int i = 0; i < ids.length; i++) {
      if (ids[i] < 1 || ids[i] >= state.nextReplica() || i > 0 && ids[i] == ids[i - 1]) {
        return "replica id " + ids[i];
      }
    }
    return null;
  }
}
