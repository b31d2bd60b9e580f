package dev.tern.core.topology.log;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.Voters;
import dev.tern.raft.Membership;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// How the log's members follow the voters that the topology wants.
final class Voting {
  private Voting() {}

  /// Who shall vote; those who do, unless enough others are better.
  ///
  /// @param excluded who must not, whoever else there is
  static List<Integer> wanted(
      TopologyState state, Membership present, IntPredicate reliable, IntPredicate excluded) {
    List<MemberEntry> members = new ArrayList<>(state.members());
    members.removeIf(member -> excluded.test(member.number()));
    return Voters.choose(members, present.voters(), reliable);
  }

  /// The removal of a member that leaves and has no part any more; null if there is none.
  ///
  /// @param stays of a member, whether it still holds something for others
  static Command.@Nullable RemoveMember removal(
      TopologyState state, Membership membership, IntPredicate stays) {
    for (MemberEntry member : state.members()) {
      int number = member.number();
      boolean free = !state.holds(number) && !membership.contains(number);
      if (member.leaving() && free && !membership.joint() && !stays.test(number)) {
        return new Command.RemoveMember(number);
      }
    }
    return null;
  }

  /// The next step from a membership to one of these voters; null if there is nothing to do now. A
  /// newcomer learns the log before it votes.
  ///
  /// @param matched how far each member's log agrees
  /// @param commit what a newcomer must have to vote
  /// @param settled whether a newcomer may vote as far as it tells
  static @Nullable Membership next(
      Membership present,
      List<Integer> voters,
      Map<Integer, Long> matched,
      long commit,
      IntPredicate settled) {
    boolean same = present.voters().equals(voters);
    if (present.joint() || same && present.learners().isEmpty()) {
      return null;
    }
    if (same) {
      return Membership.of(voters, List.of());
    }
    List<Integer> newcomers = new ArrayList<>(voters);
    newcomers.removeAll(present.voters());
    if (!present.learners().equals(newcomers)) {
      return Membership.of(present.voters(), newcomers);
    }
    boolean ready =
        newcomers.stream()
            .allMatch(member -> matched.getOrDefault(member, 0L) >= commit && settled.test(member));
    return ready ? Membership.of(voters, List.of()) : null;
  }
}
