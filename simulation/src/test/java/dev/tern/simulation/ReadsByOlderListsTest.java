package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.core.topology.Command;
import dev.tern.core.topology.Command.Moves.Kind;
import dev.tern.core.topology.Command.Moves.Step;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.core.topology.ReplicaSet;
import dev.tern.core.topology.Slots;
import dev.tern.core.wire.FrameKind;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A node that has not heard of a move goes by the one list of before.
class ReadsByOlderListsTest {
  private static final long SECOND = Cluster.SECOND;
  private static final long MILLI = Cluster.MILLI;
  private static final String KEY = "key";

  private final Cluster cluster = new Cluster(5);
  private final Script script = new Script(cluster, 5);
  private final Placement placement = new Placement(cluster, 5);
  private final int[] list = script.replicas("data", KEY);
  private final int newcomer = script.outsiders("data", KEY)[0];
  private final int uninformed = script.outsiders("data", KEY)[1];

  private ReplicaGroups groups(int node) {
    return cluster.node(node).view().state().groups().getFirst();
  }

  private int partition() {
    return cluster.node(list[0]).view().partitionOf(Slots.of(KEY.getBytes(US_ASCII)));
  }

  /// The newcomer takes the place of the last of the list.
  private void begin() {
    ReplicaGroups groups = groups(list[0]);
    List<Integer> newList = List.of(list[0], list[1], newcomer);
    Step step = new Step(partition(), groups.epoch(partition()), Kind.BEGIN, newList);
    boolean[] told = {false};
    Proposed proposed = new Proposed(0, new Command.Moves(groups.number(), List.of(step)));
    cluster.world.schedule(
        0, list[0], () -> cluster.node(list[0]).propose(proposed, decision -> told[0] = true));
    cluster.within(10 * SECOND, () -> told[0]);
  }

  private boolean isAt(ReplicaSet.Phase phase, int... nodes) {
    for (int node : nodes) {
      if (groups(node).replicaSet(partition()).phase() != phase) {
        return false;
      }
    }
    return true;
  }

  /// Nothing of the topology passes to a node or from it.
  private boolean isUntold(int from, int to, FrameKind kind) {
    boolean ofTopology = kind == FrameKind.TOPOLOGY || kind == FrameKind.RAFT;
    return ofTopology && (from == uninformed || to == uninformed);
  }

  /// Nor does the newcomer say that it is filled.
  private boolean isFilling(int from, int to, FrameKind kind) {
    return isUntold(from, to, kind) || kind == FrameKind.TOPOLOGY && from == newcomer;
  }

  /// The second of the list and the newcomer are apart from the others.
  private boolean isApart(int from, int to) {
    return (from == list[1] || from == newcomer) != (to == list[1] || to == newcomer);
  }

  /// A put reaches two of the old list, and one of the new one.
  @Test
  void whatAReadByTheListOfBeforeShowsStays() {
    placement.propose(new Command.HoldMoves(true));
    cluster.drops = this::isUntold;
    cluster.runFor(10 * SECOND);
    cluster.drops = this::isFilling;
    begin();
    cluster.within(
        10 * SECOND,
        () ->
            isAt(ReplicaSet.Phase.FILLING, list[0], list[1], list[2], newcomer)
                && cluster.node(newcomer).moving().stream().allMatch(move -> move.filled()));
    cluster.drops =
        (from, to, kind) ->
            isFilling(from, to, kind) || kind == FrameKind.DATA && isApart(from, to);
    Update put =
        new Update.Put("new".getBytes(US_ASCII), Update.NO_EXPIRY, Update.Condition.NONE, false);
    script.begin(list[2], KEY, put, Level.DEFAULT, outcome -> {});
    cluster.runFor(50 * MILLI);
    List<String> shown = new ArrayList<>();
    script.beginGet(uninformed, KEY, Level.DEFAULT, shown::add);
    cluster.runFor(300 * MILLI);
    cluster.drops =
        (from, to, kind) -> isUntold(from, to, kind) || kind == FrameKind.DATA && isApart(from, to);
    cluster.within(
        10 * SECOND,
        () ->
            !isAt(ReplicaSet.Phase.FILLING, list[1]) && !isAt(ReplicaSet.Phase.FILLING, newcomer));
    List<String> later = new ArrayList<>();
    script.beginGet(list[1], KEY, Level.DEFAULT, later::add);
    cluster.runFor(SECOND);
    assertFalse(later.isEmpty(), "the new list did not answer");
    later.forEach(value -> assertEquals(shown.contains("new") ? "new" : value, value));
    cluster.drops = (from, to, kind) -> false;
    cluster.runFor(5 * SECOND);
    assertEquals("new", script.get(uninformed, KEY, Level.DEFAULT));
  }
}
