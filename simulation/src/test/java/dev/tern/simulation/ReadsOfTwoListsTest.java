package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet.Phase;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.wire.FrameKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What was shown while a partition has two lists stays, whichever list is read next: answers that
/// agree are of one list.
class ReadsOfTwoListsTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long MILLI = Cluster.MILLI;
  private static final Update NEW =
      new Update.Put("new".getBytes(US_ASCII), Update.NO_EXPIRY, Update.Condition.NONE, false);

  private final Cluster cluster = new Cluster(4);
  private final Script script = new Script(cluster, 4);
  private final Placement placement = new Placement(cluster, 4);

  ReadsOfTwoListsTest() {
    placement.settleOnTheFirstThree();
    cluster.runFor(5 * SECOND);
  }

  /// Whether two nodes stand on different sides of a cut between some and the others.
  private static boolean apart(int from, int to, int one, int other) {
    return (from == one || from == other) != (to == one || to == other);
  }

  /// 4 takes the place of 3, is filled, and does not say so.
  private void fill() {
    placement.hold(100, 100, 0, 100);
    cluster.runFor(2 * SECOND);
    cluster.drops = (from, to, kind) -> kind == FrameKind.TOPOLOGY && from == 4;
    placement.propose(new Command.HoldMoves(false));
    placement.reach(Phase.FILLING);
    cluster.within(
        30 * SECOND, () -> cluster.node(4).moving().stream().allMatch(move -> move.filled()));
  }

  /// A put reaches 3 and 1, which the old list has; the new one has 1 alone.
  private void putAtTwoOfTheOldList(String key) {
    cluster.drops =
        (from, to, kind) ->
            kind == FrameKind.TOPOLOGY && from == 4
                || kind == FrameKind.DATA && apart(from, to, 1, 3);
    script.begin(3, key, NEW, Level.DEFAULT, outcome -> {});
    cluster.runFor(50 * MILLI);
  }

  private void switchWithoutDataOfTheOthers() {
    cluster.drops = (from, to, kind) -> kind == FrameKind.DATA && apart(from, to, 1, 3);
    cluster.within(10 * SECOND, () -> placement.phase(2) != Phase.FILLING);
  }

  /// A read that is answered by those that do not hear of the put shows it, if it was shown before.
  private void expectShown(boolean wasShown, String key, Level level) {
    List<String> later = new ArrayList<>();
    script.beginGet(2, key, level, later::add);
    cluster.runFor(SECOND);
    later.forEach(value -> assertEquals(wasShown ? "new" : value, value));
  }

  /// What a read of each level shows while the other list cannot be told is shown later, or nothing
  /// is shown.
  private void shownStays(Level level) {
    script.put(1, "key", "old", Level.DEFAULT);
    cluster.runFor(5 * SECOND);
    fill();
    putAtTwoOfTheOldList("key");
    List<String> shown = new ArrayList<>();
    script.beginGet(3, "key", level, shown::add);
    cluster.runFor(300 * MILLI);
    switchWithoutDataOfTheOthers();
    expectShown(shown.contains("new"), "key", level);
    cluster.drops = (from, to, kind) -> false;
    cluster.runFor(5 * SECOND);
    assertEquals("new", script.get(2, "key", level));
  }

  @Test
  void whatALinearizableReadShowsStays() {
    shownStays(Level.LINEARIZABLE);
  }

  @Test
  void whatAQuorumReadShowsStays() {
    shownStays(Level.DEFAULT);
  }

  /// What was told to be there by an update that changes nothing stays.
  @Test
  void whatASetIfAbsentFoundStays() {
    String key = "key";
    for (int i = 0; script.replicas("data", key)[0] == 2; i++) {
      key = "key" + i;
    }
    fill();
    putAtTwoOfTheOldList(key);
    List<UpdateOutcome> told = new ArrayList<>();
    script.beginSetIfAbsent(3, key, "lock", false, Level.DEFAULT, told::add);
    cluster.runFor(300 * MILLI);
    switchWithoutDataOfTheOthers();
    boolean exists =
        !told.isEmpty() && told.getFirst() instanceof UpdateOutcome.Done done && !done.applied();
    expectShown(exists, key, Level.DEFAULT);
  }

  /// A move that is cancelled goes back to the old list.
  @Test
  void whatTheNewListShowedStaysWhenTheMoveIsCancelled() {
    placement.weigh(100, 100, 0, 100);
    placement.reach(Phase.SWITCHED);
    cluster.drops =
        (from, to, kind) ->
            kind == FrameKind.TOPOLOGY && from == 4
                || kind == FrameKind.DATA && apart(from, to, 1, 4);
    script.begin(4, "key", NEW, Level.DEFAULT, outcome -> {});
    cluster.runFor(50 * MILLI);
    List<String> shown = new ArrayList<>();
    script.beginGet(4, "key", Level.LINEARIZABLE, shown::add);
    cluster.runFor(300 * MILLI);
    TopologyState state = cluster.node(1).view().state();
    for (ReplicaGroups groups : state.groups()) {
      List<Command.Moves.Step> steps = new ArrayList<>();
      for (int p = 0; p < state.partitions(); p++) {
        Command.Moves.Kind cancel = Command.Moves.Kind.CANCEL;
        steps.add(Command.Moves.Step.of(p, groups.epoch(p), cancel));
      }
      placement.propose(new Command.Moves(groups.number(), steps));
    }
    cluster.within(10 * SECOND, () -> placement.phase(2) != Phase.SWITCHED);
    cluster.drops = (from, to, kind) -> kind == FrameKind.DATA && apart(from, to, 1, 4);
    expectShown(shown.contains("new"), "key", Level.LINEARIZABLE);
  }
}
