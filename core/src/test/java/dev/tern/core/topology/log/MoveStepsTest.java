package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.KeyspaceProperty;
import dev.tern.core.topology.KeyspaceSettings;
import dev.tern.core.topology.Member;
import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Which steps of moves a leader proposes.
class MoveStepsTest {
  private static final int ADOPTED = MoveReport.ADOPTED;
  private static final int FILLED = MoveReport.ADOPTED | MoveReport.FILLED;
  private static final int DRAINED = MoveReport.ADOPTED | MoveReport.DRAINED;
  private static final int P = 1;

  private final MoveReports reports = new MoveReports();
  private final Set<Integer> down = new TreeSet<>();
  private final Set<Integer> lost = new TreeSet<>();
  private final Set<Integer> roomless = new TreeSet<>();
  private final Set<Integer> stuck = new TreeSet<>();
  private final Set<Integer> slow = new TreeSet<>();
  private MoveSteps steps = steps(100, 100);
  private TopologyState state = founded(3, 2, 2);

  private static MoveSteps steps(int receiving, int sending) {
    return new MoveSteps(new MoveLimits(true, receiving, sending, 1, 1), TopologyBug.NONE);
  }

  private static Member member(int number) {
    Member.Ports ports = Member.Ports.NONE.with("internode", number).with("redis", 9);
    return new Member(number, "%040x".formatted(number), "z" + number, "one", ports);
  }

  /// Three members that hold 8 partitions, and a fourth one that holds nothing.
  private static TopologyState founded(int n, int r, int w) {
    List<MemberEntry> founders = new ArrayList<>();
    for (int number = 1; number <= 3; number++) {
      founders.add(MemberEntry.of(member(number)));
    }
    KeyspaceSettings keyspace =
        KeyspaceSettings.usual("a")
            .with(KeyspaceProperty.N, n)
            .with(KeyspaceProperty.R, r)
            .with(KeyspaceProperty.W, w);
    Founding founding = new Founding(8, founders, List.of(keyspace));
    TopologyState founded = applied(TopologyState.NOTHING, founding.command(new ClusterId(1, 2)));
    return applied(founded, new Command.AdmitMember(member(4), 100));
  }

  private static TopologyState applied(TopologyState state, Command command) {
    TopologyState.Step step = state.apply(new Proposed(0, command));
    assertTrue(step.state() != state, step.outcome()::toString);
    return step.state();
  }

  private ReplicaGroups groups() {
    return state.groups().getFirst();
  }

  private @Nullable Moves next() {
    return steps.next(
        new MoveSteps.View(
            state,
            reports,
            member -> !down.contains(member),
            lost::contains,
            stuck::contains,
            member -> !slow.contains(member),
            member -> !roomless.contains(member)));
  }

  private List<Kind> nextFor(int partition) {
    Moves moves = next();
    return moves == null
        ? List.of()
        : moves.steps().stream()
            .filter(step -> step.partition() == partition)
            .map(Step::kind)
            .toList();
  }

  private void says(int flags, int... members) {
    for (int member : members) {
      MoveReport report = new MoveReport(1, P, groups().epoch(P), flags);
      reports.take(member, List.of(report), state);
    }
  }

  /// Each member goes by the state, and has nothing left.
  private void nothingLeft() {
    for (MemberEntry member : state.members()) {
      reports.take(member.number(), LeftReport.nothing(state.epoch()), state);
    }
  }

  private void left(int member, long epoch, int... partitions) {
    BitSet left = new BitSet();
    Arrays.stream(partitions).forEach(left::set);
    reports.take(member, new LeftReport(epoch, left, new BitSet()), state);
  }

  /// Partitions that begin to move to a member.
  private List<Integer> toReceive(int member) {
    Moves moves = next();
    return moves == null
        ? List.of()
        : moves.steps().stream()
            .filter(step -> step.kind() == Kind.BEGIN && step.list().contains(member))
            .filter(step -> !has(groups().lists().list(step.partition()), member))
            .map(Step::partition)
            .toList();
  }

  private static boolean has(int[] list, int member) {
    return Arrays.stream(list).anyMatch(each -> each == member);
  }

  /// Partition 1 moves from [2, 3, 1] to [2, 3, 4], and has come there.
  private void moving(Kind... kinds) {
    state = applied(state, new Command.HoldMoves(true));
    assertEquals(List.of(2, 3, 1), Arrays.stream(groups().lists().list(P)).boxed().toList());
    for (Kind kind : kinds) {
      List<Integer> list = kind == Kind.BEGIN ? List.of(2, 3, 4) : List.of();
      Step step = new Step(P, groups().epoch(P), kind, list);
      state = applied(state, new Moves(1, List.of(step)));
    }
  }

  @Test
  void fillingWaitsForAdoptionAndForWhatTheNewcomerLacks() {
    moving(Kind.BEGIN);
    assertNull(next());
    says(FILLED, 4);
    says(ADOPTED, 1, 2);
    assertNull(next(), "3 is live and has not adopted it");
    says(ADOPTED, 3);
    assertEquals(List.of(Kind.SWITCH), nextFor(P));
    says(ADOPTED, 4);
    assertNull(next(), "4 is not filled");
  }

  @Test
  void whoseDiskIsNearlyFullGetsNothingMore() {
    nothingLeft();
    assertTrue(!toReceive(4).isEmpty());
    roomless.add(4);
    assertEquals(List.of(), toReceive(4));
    roomless.clear();
    assertTrue(!toReceive(4).isEmpty());
  }

  /// A live member whose disk has no room adopts nothing.
  @Test
  void nothingBeginsWhereALiveReplicaAdoptsNothing() {
    nothingLeft();
    slow.addAll(Set.of(1, 2, 3));
    assertEquals(List.of(), toReceive(4));
    down.addAll(Set.of(1, 2, 3));
    slow.clear();
    assertEquals(List.of(), toReceive(4), "nobody could adopt it");
    down.clear();
    assertTrue(!toReceive(4).isEmpty());
  }

  @Test
  void aMemberThatAdoptsNothingForLongIsNotWaitedFor() {
    moving(Kind.BEGIN);
    says(ADOPTED, 2, 3, 4);
    says(FILLED | ADOPTED, 4);
    assertNull(next(), "1 is live and has not adopted it");
    stuck.add(1);
    assertEquals(List.of(Kind.SWITCH), nextFor(P));
    stuck.add(2);
    reports.clear();
    says(ADOPTED, 3);
    says(FILLED | ADOPTED, 4);
    assertNull(next(), "two of the old list go by the entry before");
  }

  @Test
  void aMoveToAMemberThatAdoptsNothingForLongIsCancelled() {
    moving(Kind.BEGIN);
    says(ADOPTED, 1, 2, 3);
    assertNull(next());
    stuck.add(4);
    assertEquals(List.of(Kind.CANCEL), nextFor(P));
  }

  @Test
  void whoIsNotLiveIsNotWaitedForButAQuorumIs() {
    moving(Kind.BEGIN);
    says(FILLED, 4);
    says(ADOPTED, 2, 3);
    down.add(1);
    assertEquals(List.of(Kind.SWITCH), nextFor(P));
    down.add(3);
    reports.prune(state, member -> !down.contains(member));
    assertNull(next(), "two of the old list might go by the entry before");
  }

  /// Where one replica may read alone, all have to have adopted a step.
  @Test
  void theSmallestLevelsSayHowManyMustAdopt() {
    state = founded(3, 1, 3);
    moving(Kind.BEGIN);
    says(FILLED, 4);
    says(ADOPTED, 2, 3);
    down.add(1);
    assertNull(next());
    down.clear();
    says(ADOPTED, 1);
    assertEquals(List.of(Kind.SWITCH), nextFor(P));
  }

  /// Linearizable requests go by majorities: two of the old list could acknowledge such a put
  /// beside two of the new one that answer a get.
  @Test
  void aMajorityAdoptsThoughTheDefaultsAskForAll() {
    state = founded(3, 3, 3);
    moving(Kind.BEGIN);
    says(FILLED, 4);
    says(ADOPTED, 3);
    down.add(1);
    down.add(2);
    assertNull(next());
    down.remove(2);
    says(ADOPTED, 2);
    assertEquals(List.of(Kind.SWITCH), nextFor(P));
  }

  private void admit(int... numbers) {
    for (int number : numbers) {
      state = applied(state, new Command.AdmitMember(member(number), 100));
    }
  }

  /// Whatever becomes of the newcomers, those that stay are a majority of both lists.
  @Test
  void aListGetsSoManyNewcomersAtOnceThatTheOthersAreAMajority() {
    admit(5, 6);
    nothingLeft();
    boolean waits = false;
    for (int round = 0; round < 3; round++) {
      Moves moves = next();
      assertNotNull(moves);
      for (Step step : moves.steps()) {
        int[] old = groups().lists().list(step.partition());
        long stay = Arrays.stream(old).filter(m -> step.list().contains(m)).count();
        assertTrue(stay >= 2, step.toString());
        waits |=
            !Arrays.equals(
                state.plan(groups()).lists()[step.partition()],
                step.list().stream().mapToInt(m -> m).toArray());
      }
      done(moves);
      nothingLeft();
    }
    assertTrue(waits, "no list was to get two newcomers");
  }

  /// All steps of some moves.
  private void done(Moves moves) {
    state = applied(state, moves);
    for (Kind kind : List.of(Kind.SWITCH, Kind.FENCE, Kind.FINISH)) {
      List<Step> next =
          moves.steps().stream()
              .map(step -> Step.of(step.partition(), groups().epoch(step.partition()), kind))
              .toList();
      state = applied(state, new Moves(1, next));
    }
  }

  /// Partitions that lack two replicas of three cannot adopt anything: those that lack one do not
  /// wait for them.
  @Test
  void whatCannotGoOnDoesNotBeginAndTakesNoPlace() {
    admit(5, 6);
    nothingLeft();
    Moves moves = next();
    assertNotNull(moves);
    done(moves);
    down.add(1);
    down.add(2);
    nothingLeft();
    state = applied(state, new Command.SetAway(1, true));
    state = applied(state, new Command.SetAway(2, true));
    nothingLeft();
    steps = steps(1, 1);
    Moves healing = next();
    assertNotNull(healing);
    for (Step step : healing.steps()) {
      int[] old = groups().lists().list(step.partition());
      assertTrue(
          Arrays.stream(old).filter(m -> !down.contains(m)).count() >= 2, Arrays.toString(old));
    }
  }

  /// Where a list gets shorter, all that stay are filled: no write is at fewer replicas afterwards.
  @Test
  void aShorterListIsReadWhenThoseThatStayAreFilled() {
    state = applied(state, new Command.HoldMoves(true));
    state = applied(state, new Command.SetWeight(3, 0));
    state = applied(state, new Command.SetWeight(4, 0));
    Step begin = new Step(P, groups().epoch(P), Kind.BEGIN, List.of(2, 1));
    state = applied(state, new Moves(1, List.of(begin)));
    says(MoveReport.ADOPTED, 1, 2, 3);
    assertEquals(List.of(), nextFor(P));
    says(FILLED, 1);
    assertEquals(List.of(), nextFor(P));
    says(FILLED, 2);
    assertEquals(List.of(Kind.SWITCH), nextFor(P));
  }

  /// A list gets shorter where a dead member and a live one leave a cluster that is then too small.
  @Test
  void aListThatGetsShorterChangesAtOnce() {
    state = applied(state, new Command.SetAway(4, true));
    state = applied(state, new Command.RemoveMember(1));
    state = applied(state, new Command.RemoveMember(2));
    down.add(1);
    nothingLeft();
    Moves moves = next();
    assertNotNull(moves);
    assertEquals(8, moves.steps().size());
    assertEquals(List.of(3), moves.steps().getFirst().list());
  }

  /// The newcomer in a dead one's place stands where the others do not, also while weights change.
  @Test
  void theDeadAreReplacedZoneByZone() {
    for (int number = 4; number <= 9; number++) {
      if (number > 4) {
        admit(number);
      }
      state = applied(state, new Command.SetZone(number, "z" + ((number - 1) % 3 + 1)));
    }
    for (int round = 0; round < 4; round++) {
      nothingLeft();
      Moves moves = next();
      if (moves != null) {
        done(moves);
      }
    }
    TopologyState whole = state;
    int checked = 0;
    for (int dead = 1; dead <= 9; dead++) {
      for (int light = 1; light <= 9; light++) {
        state = applied(whole, new Command.SetAway(dead, true));
        state = applied(state, new Command.SetWeight(light, 1));
        state = applied(state, new Command.SetWeight(light % 9 + 1, 300));
        down.clear();
        down.add(dead);
        nothingLeft();
        Moves healing = next();
        for (Step step : healing == null ? List.<Step>of() : healing.steps()) {
          assertEquals(3, step.list().stream().map(this::zone).distinct().count(), step.toString());
          checked++;
        }
      }
    }
    assertTrue(checked > 100, checked + " steps");
  }

  private String zone(int number) {
    MemberEntry member = state.member(number);
    assertNotNull(member);
    return member.zone();
  }

  @Test
  void reportsOfAnEarlierEntryCountForNothing() {
    moving(Kind.BEGIN);
    says(FILLED, 4);
    says(ADOPTED, 1, 2, 3);
    goesOn(Kind.SWITCH);
    assertNull(next());
    assertEquals(4, reports.size());
    reports.prune(state, member -> true);
    assertEquals(0, reports.size());
    reports.take(7, List.of(new MoveReport(1, P, groups().epoch(P), ADOPTED)), state);
    reports.take(1, List.of(new MoveReport(9, P, groups().epoch(P), ADOPTED)), state);
    reports.take(1, List.of(new MoveReport(1, 8, groups().epoch(P), ADOPTED)), state);
    assertEquals(0, reports.size());
    says(ADOPTED, 1, 2, 3, 4);
    assertEquals(List.of(Kind.FENCE), nextFor(P));
  }

  private void goesOn(Kind kind) {
    Step step = Step.of(P, groups().epoch(P), kind);
    state = applied(state, new Moves(1, List.of(step)));
  }

  @Test
  void fencedWaitsForThoseThatLeaveUnlessTheyAreDead() {
    moving(Kind.BEGIN, Kind.SWITCH, Kind.FENCE);
    says(ADOPTED, 1, 2, 3, 4);
    assertNull(next(), "1 has not handed over");
    says(DRAINED, 1);
    assertEquals(List.of(Kind.FINISH), nextFor(P));
    says(ADOPTED, 1);
    down.add(1);
    assertNull(next(), "1 may be back in a moment");
    lost.add(1);
    assertEquals(List.of(Kind.FINISH), nextFor(P));
    lost.clear();
    state = applied(state, new Command.AdmitMember(member(5), 100));
    TopologyState before = state;
    state = applied(state, new Command.SetAway(1, true));
    assertEquals(List.of(Kind.FINISH), nextFor(P), "1 is away");
    down.clear();
    assertNull(next(), "1 is back");
    down.add(1);
    lost.add(1);
    state = before;
    down.add(3);
    reports.prune(state, member -> !down.contains(member));
    assertEquals(List.of(Kind.FINISH), nextFor(P), "two of the new list have adopted it");
    down.add(2);
    reports.prune(state, member -> !down.contains(member));
    assertNull(next());
  }

  @Test
  void aMoveToAMemberThatIsGoneIsCancelledUntilItIsFenced() {
    for (List<Kind> way : List.of(List.of(Kind.BEGIN), List.of(Kind.BEGIN, Kind.SWITCH))) {
      state = founded(3, 2, 2);
      moving(way.toArray(Kind[]::new));
      down.add(4);
      lost.add(4);
      assertNull(next(), "nobody has adopted it");
      says(ADOPTED, 1, 2, 3);
      assertEquals(List.of(Kind.CANCEL), nextFor(P));
      down.clear();
      lost.clear();
      state = applied(state, new Command.RemoveMember(4));
      says(ADOPTED, 4);
      assertEquals(List.of(Kind.CANCEL), nextFor(P));
    }
    goesOn(Kind.CANCEL);
    assertEquals(Phase.FILLING, groups().replicaSet(P).phase());
    assertNull(next());
    says(FILLED, 1, 2, 3, 4);
    assertEquals(List.of(Kind.CANCEL), nextFor(P), "it goes back all the way");
    state = founded(3, 2, 2);
    moving(Kind.BEGIN, Kind.SWITCH, Kind.FENCE);
    says(DRAINED, 1, 2, 3);
    down.add(4);
    lost.add(4);
    assertEquals(List.of(Kind.FINISH), nextFor(P));
  }

  @Test
  void newMovesAreThoseOfThePlanWithinTheLimits() {
    nothingLeft();
    int planned = state.plan(groups()).moves().size();
    assertEquals(6, planned);
    Moves all = next();
    assertNotNull(all);
    long joining = all.steps().stream().filter(step -> step.list().contains(4)).count();
    assertEquals(planned, joining);
    steps = steps(2, 100);
    Moves some = next();
    assertNotNull(some);
    assertEquals(2, some.steps().stream().filter(step -> step.list().contains(4)).count());
    state = applied(state, some);
    says(ADOPTED, 1, 2, 3, 4);
    Moves more = next();
    assertTrue(more == null || more.steps().stream().noneMatch(s -> s.list().contains(4)));
    steps = steps(100, 1);
    state = founded(3, 2, 2);
    nothingLeft();
    Moves fewer = next();
    assertNotNull(fewer);
    assertEquals(3, fewer.steps().size(), "one for each member that gives something away");
  }

  @Test
  void nothingBeginsWhileMovesAreHeldOrTheNewcomerIsDown() {
    nothingLeft();
    state = applied(state, new Command.HoldMoves(true));
    assertNull(next());
    state = applied(state, new Command.HoldMoves(false));
    assertNotNull(next());
    down.add(4);
    Moves moves = next();
    assertTrue(moves == null || moves.steps().stream().noneMatch(s -> s.list().contains(4)));
  }

  /// What a member has of an earlier admission it would lose.
  @Test
  void aMemberIsGivenNothingThatItMayHaveLeft() {
    assertEquals(List.of(), toReceive(4), "4 has said nothing");
    left(4, groups().epoch(P) - 1);
    assertEquals(List.of(), toReceive(4), "4 may have been a replica when it said so");
    left(4, state.epoch());
    List<Integer> all = toReceive(4);
    assertEquals(6, all.size());
    left(4, state.epoch(), all.getFirst());
    assertEquals(all.subList(1, 6), toReceive(4));
    reports.prune(state, member -> member != 4);
    assertEquals(List.of(), toReceive(4), "4 was not live");
    left(4, state.epoch());
    assertEquals(all, toReceive(4));
    reports.clear();
    assertEquals(List.of(), toReceive(4), "this leader has heard nothing");
  }

  /// The word of a member holds for the entry that it was given by: it is one of the replicas when
  /// it has adopted the entry after.
  @Test
  void aCancelledMoveBeginsAnewWhenTheNewcomerHasLeftNothing() {
    moving(Kind.BEGIN);
    left(4, state.epoch());
    goesOn(Kind.CANCEL);
    state = applied(state, new Command.HoldMoves(false));
    assertTrue(!toReceive(4).contains(P), "4 may not know of it yet");
    left(4, state.epoch(), P);
    assertTrue(!toReceive(4).contains(P) && !toReceive(4).isEmpty(), () -> toReceive(4).toString());
    left(4, state.epoch());
    assertTrue(toReceive(4).contains(P));
  }

  @Test
  void whatAMemberHoldsThatIsBackStaysThere() {
    nothingLeft();
    state = applied(state, new Command.SetAway(2, true));
    down.add(2);
    Moves replacing = next();
    assertNotNull(replacing);
    assertEquals(8, replacing.steps().size());
    down.clear();
    assertNull(next(), "2 will count as back in a moment");
    down.add(3);
    assertNull(next(), "3 is not away");
    state = applied(state, new Command.RemoveMember(2));
    assertNull(next(), "a live replica stays while another one is down");
    down.clear();
    assertNotNull(next());
  }

  @Test
  void aMemberHasHandedOnWhenItKnowsWhatWasDecidedWhileItWasNotLive() {
    long before = state.epoch();
    state = applied(state, new Command.SetAway(2, true));
    assertTrue(!reports.hasHandedOn(2));
    left(2, before);
    assertTrue(!reports.hasHandedOn(2), "it does not know yet that it is away");
    left(2, state.epoch(), 3);
    assertTrue(!reports.hasHandedOn(2));
    assertEquals(Set.of(2), reports.left().keySet());
    BitSet three = new BitSet();
    three.set(3);
    reports.take(2, new LeftReport(state.epoch(), three, three), state);
    assertTrue(reports.hasHandedOn(2), "what remains cannot be read");
    state = applied(state, new Command.SetWeight(3, 50));
    left(2, state.epoch() - 1);
    assertTrue(reports.hasHandedOn(2), "what was decided since it is live is drained first");
    reports.prune(state, member -> member != 2);
    assertTrue(!reports.hasHandedOn(2));
  }

  /// A replica that is well is not moved while another one of its group is down.
  @Test
  void liveReplicasStayWhileAnotherOneIsDown() {
    nothingLeft();
    down.add(2);
    Moves moves = next();
    if (moves != null) {
      for (Step step : moves.steps()) {
        assertTrue(!step.list().contains(2), step.toString());
      }
    }
    state = applied(state, new Command.RemoveMember(2));
    Moves replacing = next();
    assertNotNull(replacing);
    assertEquals(8, replacing.steps().size());
    for (Step step : replacing.steps()) {
      List<Integer> old = Arrays.stream(groups().lists().list(step.partition())).boxed().toList();
      assertEquals(old.stream().filter(m -> m != 2).toList().size() + 1, step.list().size());
      assertTrue(step.list().contains(4) && !step.list().contains(2), step.toString());
    }
  }

  /// With room for one, the partition that lacks a replica comes before balance.
  @Test
  void redundancyComesFirst() {
    state = applied(state, new Command.AdmitMember(member(5), 100));
    state = applied(state, new Command.RemoveMember(3));
    nothingLeft();
    steps = steps(100, 1);
    Moves moves = next();
    assertNotNull(moves);
    List<Integer> first =
        Arrays.stream(groups().lists().list(moves.steps().getFirst().partition())).boxed().toList();
    assertTrue(first.contains(3) && !moves.steps().getFirst().list().contains(3));
  }
}
