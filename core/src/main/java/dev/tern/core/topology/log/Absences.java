package dev.tern.core.topology.log;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/// Says which member counts as away: its replicas are given to others until it is back, as a plan
/// gives nothing to a member that is away. It is back when it is live and has handed on what it has
/// of partitions that were given to others meanwhile, as far as it can read it.
///
/// A member that was not live for long is away where the others can hold what it held, and where no
/// member of another zone that holds replicas is missing as well: two zones that cannot be reached
/// are rather a network that is cut than machines that are lost, and to copy all they hold would
/// make that worse.
final class Absences {
  private Absences() {}

  /// The next change; null if there is none.
  ///
  /// @param live whether a member is believed alive
  /// @param lost whether a member has not been live for so long that it counts as away
  /// @param handedOn whether a member that is live has handed on what it has left
  static Command.@Nullable SetAway next(
      TopologyState state, IntPredicate live, IntPredicate lost, IntPredicate handedOn) {
    for (MemberEntry member : state.members()) {
      int number = member.number();
      if (member.away() && live.test(number) && handedOn.test(number)) {
        return new Command.SetAway(member.number(), false);
      }
    }
    if (state.movesHeld() || zonesMissing(state, live) > 1) {
      return null;
    }
    for (MemberEntry member : state.members()) {
      boolean counts = !member.away() && !member.leaving() && state.holds(member.number());
      if (counts && lost.test(member.number()) && state.suffices(member.number())) {
        return new Command.SetAway(member.number(), true);
      }
    }
    return null;
  }

  private static long zonesMissing(TopologyState state, IntPredicate live) {
    return state.members().stream()
        .filter(member -> !live.test(member.number()) && state.holds(member.number()))
        .map(MemberEntry::zone)
        .distinct()
        .count();
  }
}
