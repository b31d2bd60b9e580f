package dev.tern.core.topology;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.Command.Moves;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyOutcome.Reason;
import dev.tern.env.ByteReader;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// The steps of moves in the topology's state.
class MovesTest {
  private static final int P = 5;

  /// Partition 5 of four members lies at [3, 1, 2] and moves to this.
  private static final List<Integer> NEW = List.of(4, 2, 3);

  /// The steps that lead to each stage from the stable entry.
  private static final Map<String, List<Kind>> WAYS =
      Map.of(
          "stable", List.of(),
          "filling", List.of(Kind.BEGIN),
          "switched", List.of(Kind.BEGIN, Kind.SWITCH),
          "fenced", List.of(Kind.BEGIN, Kind.SWITCH, Kind.FENCE),
          "returning", List.of(Kind.BEGIN, Kind.SWITCH, Kind.CANCEL),
          "finished", List.of(Kind.BEGIN, Kind.SWITCH, Kind.FENCE, Kind.FINISH));

  /// Where each step leads from each stage; where none is named it is passed over.
  private static final Map<String, Map<Kind, String>> TABLE =
      Map.of(
          "stable", Map.of(Kind.BEGIN, "filling"),
          "filling", Map.of(Kind.SWITCH, "switched", Kind.CANCEL, "stable"),
          "switched", Map.of(Kind.FENCE, "fenced", Kind.CANCEL, "returning"),
          "fenced", Map.of(Kind.FINISH, "finished"),
          "returning", Map.of(Kind.CANCEL, "stable"),
          "finished", Map.of());

  private static final TopologyState FOUR =
      TopologyStateTest.done(
          TopologyStateTest.founded("a", "b", "c"),
          new Command.AdmitMember(TopologyStateTest.member(4, "d"), 100));

  private static ReplicaGroups groups(TopologyState state) {
    return state.groups().getFirst();
  }

  private static Step step(TopologyState state, int partition, Kind kind) {
    List<Integer> list = kind == Kind.BEGIN ? NEW : List.of();
    return new Step(partition, groups(state).epoch(partition), kind, list);
  }

  private static Command moves(Step... steps) {
    return new Moves(1, List.of(steps));
  }

  private static TopologyState walked(List<Kind> way) {
    TopologyState state = FOUR;
    for (Kind kind : way) {
      state = TopologyStateTest.done(state, moves(step(state, P, kind)));
    }
    return state;
  }

  private static void passedOver(TopologyState state, Step step) {
    passedOver(state, step, Reason.STALE_EPOCH);
  }

  private static void passedOver(TopologyState state, Step step, Reason reason) {
    TopologyState.Step after = state.apply(new Proposed(0, moves(step)));
    assertSame(state, after.state());
    TopologyOutcome.Refused refused =
        assertInstanceOf(TopologyOutcome.Refused.class, after.outcome(), step + "");
    assertEquals(reason, refused.reason());
  }

  private static String stage(TopologyState state) {
    ReplicaGroups groups = groups(state);
    return switch (groups.replicaSet(P).phase()) {
      case STABLE -> groups.lists().list(P)[0] == 4 ? "finished" : "stable";
      case FILLING -> groups.returns(P) ? "returning" : "filling";
      case SWITCHED -> "switched";
      case FENCED -> "fenced";
    };
  }

  @Test
  void eachStepFromEachStage() {
    assertArrayEquals(new int[] {3, 1, 2}, groups(FOUR).lists().list(P));
    WAYS.forEach(
        (stage, way) -> {
          TopologyState from = walked(way);
          assertEquals(stage, stage(from));
          for (Kind kind : Kind.values()) {
            Step step = step(from, P, kind);
            String to = TABLE.get(stage).get(kind);
            passedOver(from, new Step(P, step.entryEpoch() + 1, kind, step.list()));
            passedOver(from, new Step(P, step.entryEpoch() - 1, kind, step.list()));
            if (to == null) {
              passedOver(from, step);
            } else {
              TopologyState after = TopologyStateTest.done(from, moves(step));
              assertEquals(to, stage(after), stage + " " + kind);
              assertEquals(after.epoch(), groups(after).epoch(P));
              assertEquals(groups(from).epoch(P), groups(after).compatibleFrom(P));
              assertSame(groups(from).replicaSet(P + 1), groups(after).replicaSet(P + 1));
              assertNull(StateCheck.flaw(after));
              byte[] bytes = TopologyStateTest.bytes(after);
              assertEquals(after, TopologyCodec.state(new ByteReader(bytes)));
            }
          }
        });
  }

  /// No replica serves a request by an entry that does not fit with the entry after its own.
  @Test
  void theOldestEpochOfRequestsInEachStage() {
    Map<String, List<Boolean>> own =
        Map.of(
            "filling", List.of(true, true),
            "switched", List.of(true, false),
            "fenced", List.of(false, true),
            "returning", List.of(true, true),
            "finished", List.of(false, false));
    own.forEach(
        (stage, readsAndWrites) -> {
          ReplicaGroups groups = groups(walked(WAYS.get(stage)));
          long before = groups.compatibleFrom(P);
          long epoch = groups.epoch(P);
          assertTrue(before < epoch);
          assertEquals(readsAndWrites.get(0) ? epoch : before, groups.readsFrom(P), stage);
          assertEquals(readsAndWrites.get(1) ? epoch : before, groups.writesFrom(P), stage);
        });
    assertEquals(groups(FOUR).epoch(P), groups(FOUR).readsFrom(P));
    assertEquals(groups(FOUR).epoch(P), groups(FOUR).writesFrom(P));
  }

  @Test
  void listsAndIdsThroughAWholeMove() {
    int next = FOUR.nextReplica();
    int[] ids = new int[3];
    Arrays.setAll(ids, place -> groups(FOUR).replicaId(P, place));
    TopologyState filling = walked(WAYS.get("filling"));
    ReplicaSet set = groups(filling).replicaSet(P);
    assertEquals(ReplicaSet.moving(Phase.FILLING, new int[] {3, 1, 2}, new int[] {4, 2, 3}), set);
    assertEquals(set, filling.topology(groups(filling).policy()).replicaSet(P));
    for (int place = 0; place < 3; place++) {
      assertEquals(ids[place], groups(filling).replicaId(P, place));
    }
    assertEquals(next, groups(filling).replicaId(P, set.place(4)));
    assertEquals(next + 1, filling.nextReplica());
    assertArrayEquals(new int[] {3, 1, 2}, groups(filling).lists().list(P));
    assertArrayEquals(new int[] {4, 2, 3}, groups(filling).targets().list(P));
    TopologyState finished = walked(WAYS.get("finished"));
    assertEquals(ReplicaSet.stable(4, 2, 3), groups(finished).replicaSet(P));
    assertEquals(next, groups(finished).replicaId(P, 0));
    assertEquals(ids[2], groups(finished).replicaId(P, 1));
    assertEquals(ids[0], groups(finished).replicaId(P, 2));
    assertEquals(
        groups(finished).compatibleFrom(P),
        finished.topology(groups(FOUR).policy()).writableFrom(P));
  }

  /// Who leaves a group and comes back, or was cancelled, is another replica.
  @Test
  void anIdIsNeverGivenTwice() {
    TopologyState cancelled = walked(List.of(Kind.BEGIN, Kind.SWITCH, Kind.CANCEL, Kind.CANCEL));
    assertEquals(ReplicaSet.stable(3, 1, 2), groups(cancelled).replicaSet(P));
    for (int place = 0; place < 3; place++) {
      assertEquals(groups(FOUR).replicaId(P, place), groups(cancelled).replicaId(P, place));
    }
    TopologyState again = TopologyStateTest.done(cancelled, moves(step(cancelled, P, Kind.BEGIN)));
    assertEquals(FOUR.nextReplica() + 1, groups(again).replicaId(P, 3));
    TopologyState state = FOUR;
    TreeSet<Integer> ofFour = new TreeSet<>();
    for (int i = 0; i < 5; i++) {
      for (List<Integer> list : List.of(NEW, List.of(1, 2, 3))) {
        long at = groups(state).epoch(P);
        state = TopologyStateTest.done(state, moves(new Step(P, at, Kind.BEGIN, list)));
        for (Kind kind : List.of(Kind.SWITCH, Kind.FENCE, Kind.FINISH)) {
          state = TopologyStateTest.done(state, moves(step(state, P, kind)));
        }
        if (list.equals(NEW)) {
          assertTrue(ofFour.add(groups(state).replicaId(P, 0)));
        }
      }
    }
  }

  @Test
  void aListThatCannotBeIsPassedOver() {
    long at = groups(FOUR).epoch(P);
    TopologyState leaving = TopologyStateTest.done(FOUR, new Command.RemoveMember(4));
    for (List<Integer> wrong :
        List.of(
            List.of(3, 1, 2),
            List.of(4, 1),
            List.of(4, 1, 2, 3),
            List.of(4, 4, 2),
            List.of(9, 1, 2),
            List.<Integer>of())) {
      passedOver(FOUR, new Step(P, at, Kind.BEGIN, wrong));
    }
    passedOver(leaving, new Step(P, at, Kind.BEGIN, NEW));
    passedOver(FOUR, new Step(64, at, Kind.BEGIN, NEW));
    TopologyState led =
        TopologyStateTest.done(FOUR, moves(new Step(P, at, Kind.BEGIN, List.of(1, 2, 3))));
    assertEquals(FOUR.nextReplica(), led.nextReplica());
    assertEquals(3, groups(led).replicaSet(P).size());
  }

  /// Where several replicas of a list leave, a move takes the place of one, and the next one
  /// follows.
  @Test
  void aReplicaThatLeavesMayStayForAnotherMove() {
    TopologyState leaving = TopologyStateTest.done(FOUR, new Command.RemoveMember(1));
    Step step = new Step(P, groups(leaving).epoch(P), Kind.BEGIN, List.of(4, 1, 2));
    TopologyState begun = TopologyStateTest.done(leaving, moves(step));
    assertEquals(Phase.FILLING, groups(begun).replicaSet(P).phase());
  }

  @Test
  void stepsThatFitHoldBesideStepsThatDoNot() {
    Step good = step(FOUR, P, Kind.BEGIN);
    TopologyState after =
        TopologyStateTest.done(
            FOUR, moves(good, good, step(FOUR, 6, Kind.SWITCH), step(FOUR, 7, Kind.BEGIN)));
    assertEquals(Phase.FILLING, groups(after).replicaSet(P).phase());
    assertEquals(Phase.STABLE, groups(after).replicaSet(6).phase());
    assertEquals(Phase.FILLING, groups(after).replicaSet(7).phase());
    assertEquals(FOUR.nextReplica() + 2, after.nextReplica());
    Step[] many = new Step[Moves.MAX_STEPS + 1];
    Arrays.fill(many, good);
    assertEquals(
        Reason.INVALID,
        assertInstanceOf(
                TopologyOutcome.Refused.class, FOUR.apply(new Proposed(0, moves(many))).outcome())
            .reason());
    assertEquals(
        Reason.UNKNOWN,
        assertInstanceOf(
                TopologyOutcome.Refused.class,
                FOUR.apply(new Proposed(0, new Moves(2, List.of(good)))).outcome())
            .reason());
  }

  /// A member is in a group as long as either list names it, and is removed only then.
  @Test
  void aMemberHoldsByBothLists() {
    assertFalse(FOUR.holds(4));
    TopologyState filling = walked(WAYS.get("filling"));
    assertTrue(filling.holds(4));
    TopologyState leaving = TopologyStateTest.done(filling, new Command.RemoveMember(4));
    assertEquals(
        new TopologyOutcome.Unchanged(leaving.epoch()),
        leaving.apply(new Proposed(0, new Command.RemoveMember(4))).outcome());
    TopologyState back = TopologyStateTest.done(leaving, moves(step(leaving, P, Kind.CANCEL)));
    TopologyState gone = TopologyStateTest.done(back, new Command.RemoveMember(4));
    assertNull(gone.member(4));
  }

  @Test
  void whatIsPlannedCountsMovesUnderWay() {
    int before = FOUR.plan(groups(FOUR)).moves().size();
    TopologyState filling = walked(WAYS.get("filling"));
    assertEquals(before - 1, filling.plan(groups(filling)).moves().size());
  }

  @Test
  void movesAreHeldUntilTheyAreNot() {
    TopologyState held = TopologyStateTest.done(FOUR, new Command.HoldMoves(true));
    assertTrue(held.movesHeld());
    assertEquals(
        new TopologyOutcome.Unchanged(held.epoch()),
        held.apply(new Proposed(0, new Command.HoldMoves(true))).outcome());
    assertFalse(TopologyStateTest.done(held, new Command.HoldMoves(false)).movesHeld());
  }
}
