package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Command.SetAway;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.TopologyStateTest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class AbsencesTest {
  private static final TopologyState FIVE = TopologyStateTest.founded("a", "a", "b", "c", "d");

  /// @param dead members that are not live, for long
  private static @Nullable SetAway next(TopologyState state, Integer... dead) {
    List<Integer> missing = List.of(dead);
    return Absences.next(
        state, member -> !missing.contains(member), missing::contains, member -> true);
  }

  private static TopologyState done(TopologyState state, Command command) {
    return TopologyStateTest.done(state, command);
  }

  @Test
  void aMemberThatIsDownForLongIsAwayUntilItIsBack() {
    assertNull(next(FIVE));
    assertEquals(new SetAway(2, true), next(FIVE, 2));
    TopologyState away = done(FIVE, new SetAway(2, true));
    assertNull(next(away, 2), "it is away already");
    assertEquals(new SetAway(2, false), next(away));
    assertEquals(FIVE.members(), done(away, new SetAway(2, false)).members());
  }

  @Test
  void oneThatIsDownForAMomentIsNotAway() {
    assertNull(Absences.next(FIVE, member -> member != 2, member -> false, member -> true));
  }

  @Test
  void oneThatIsLiveStaysAwayUntilItHasHandedOnWhatItHasLeft() {
    TopologyState away = done(FIVE, new SetAway(2, true));
    assertNull(Absences.next(away, member -> true, member -> false, member -> member != 2));
    assertEquals(
        new SetAway(2, false),
        Absences.next(away, member -> true, member -> false, member -> member == 2));
  }

  @Test
  void whoIsAwayIsPlannedNothing() {
    TopologyState away = done(FIVE, new SetAway(2, true));
    for (int[] list : away.plan(away.groups().getFirst()).lists()) {
      assertTrue(java.util.Arrays.stream(list).noneMatch(member -> member == 2));
    }
  }

  @Test
  void twoOfOneZoneMayBeAwayAndNotTwoOfTwo() {
    TopologyState away = done(FIVE, new SetAway(1, true));
    assertEquals(new SetAway(2, true), next(away, 1, 2));
    assertNull(next(FIVE, 1, 3));
    assertNull(next(away, 1, 3));
  }

  /// One that is down for good would hold up the replacement of all others.
  @Test
  void oneThatHoldsNothingAnyMoreDoesNotCount() {
    TopologyState away = done(FIVE, new SetAway(1, true));
    assertNull(next(away, 1, 3));
    TopologyState healed = moved(away);
    assertEquals(new SetAway(3, true), next(healed, 1, 3));
  }

  /// What the plan wants has been moved.
  private static TopologyState moved(TopologyState state) {
    int[][] wanted = state.plan(state.groups().getFirst()).lists();
    TopologyState after = state;
    for (Kind kind : List.of(Kind.BEGIN, Kind.SWITCH, Kind.FENCE, Kind.FINISH)) {
      ReplicaGroups groups = after.groups().getFirst();
      List<Step> steps = new ArrayList<>();
      for (int p = 0; p < wanted.length; p++) {
        List<Integer> list = Arrays.stream(wanted[p]).boxed().toList();
        if (!Arrays.equals(wanted[p], state.groups().getFirst().lists().list(p))) {
          steps.add(new Step(p, groups.epoch(p), kind, kind == Kind.BEGIN ? list : List.of()));
        }
      }
      after = done(after, new Command.Moves(groups.number(), steps));
    }
    return after;
  }

  @Test
  void nobodyIsAwayWhereTheOthersAreTooFewOrMovesAreHeld() {
    TopologyState three = TopologyStateTest.founded("a", "b", "c");
    assertNull(next(three, 2));
    assertInstanceOf(
        TopologyOutcome.Refused.class,
        three.apply(new Proposed(0, new SetAway(2, true))).outcome());
    assertNull(next(done(FIVE, new Command.HoldMoves(true)), 2));
  }

  @Test
  void oneThatLeavesOrHoldsNothingIsNotReplaced() {
    assertNull(next(done(FIVE, new Command.RemoveMember(2)), 2));
    TopologyState six = done(FIVE, new Command.AdmitMember(TopologyStateTest.member(6, "e"), 100));
    assertNull(next(six, 6));
  }
}
