package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.env.CoverageMarks;
import dev.tern.env.NodeEvent;
import dev.tern.raft.RaftMark;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/// Some seed reaches each rare state: what goes wrong there would be seen.
class CoverageMarksTest {
  /// More than the rarest needs.
  private static final int MAX_SEEDS = 300;

  /// Seeds that reached what few others do: tried first, to be quick. Others may take their place.
  private static final long[] RICH = {358, 194, 111, 75, 70};

  /// What no seed up to 300 reaches, or hardly one. Scripted tests do: DroppedGroupsTest and
  /// DroppedGroupsInNodesTest drop keyspaces, TreeTest heals and writes over rot and compares what
  /// it hides, OwnDotsTest meets dots of its own, RotAndReadinessTest passes over what nobody can
  /// read, LargeSiblingsTest merges what fits no frame, FillRateTest lets pages wait,
  /// SnapshotMoveTest ends a node behind an install. The seeds' values are too small for the
  /// counters, their frames are whole, their clocks seldom reach what is reserved, and one in
  /// twenty has rot.
  private static final Set<Object> UNREACHED =
      Set.of(
          CoreMark.FILL_WAITED,
          CoreMark.GROUPS_LET_GO,
          CoreMark.HEALED_OVER_ROT,
          CoreMark.INSTALL_ENDED_AT_START,
          CoreMark.LATE_FOR_GROUPS,
          CoreMark.OWN_DOT_MET,
          CoreMark.REBUILD_PAGE_REFUSED,
          CoreMark.REBUILD_PASSED_OVER_UNREADABLE,
          CoreMark.REBUILD_STUCK,
          CoreMark.SIBLINGS_TOO_LARGE_TOGETHER,
          CoreMark.STRIP_AWAITS_RESERVATION,
          CoreMark.WRITTEN_OVER_ROT,
          Counter.FRAMES_MALFORMED,
          Counter.LARGE_REFUSED,
          Counter.MESSAGES_TOO_LARGE,
          Counter.TREE_SEGMENTS_UNREADABLE);

  /// Doors, foreign disks and members that were never let in are no part of these runs.
  private static final Set<Object> NOT_HERE =
      Set.of(
          NodeEvent.ConnectionClosed.class,
          NodeEvent.Corruption.class,
          NodeEvent.PartitionEmptied.class,
          NodeEvent.StrangerRefused.class);

  private static void reached(List<Object> states, Seeds.Run run) {
    CoverageMarks.clear();
    List<Object> missing = new ArrayList<>(states);
    LongStream seeds = LongStream.concat(LongStream.of(RICH), LongStream.rangeClosed(1, MAX_SEEDS));
    for (long seed : seeds.toArray()) {
      if (!missing.isEmpty()) {
        assertNull(run.of(seed, "NONE").failure(), "seed " + seed);
        missing.removeIf(CoverageMarks::isReached);
      }
    }
    assertEquals(List.of(), missing, "no seed up to " + MAX_SEEDS + " reaches these");
  }

  private static List<Object> without(Object[] all, Set<Object> some) {
    return Arrays.stream(all).filter(each -> !some.contains(each)).toList();
  }

  @Test
  void seedsReachTheRareStatesOfNodes() {
    List<Object> states = new ArrayList<>(without(CoreMark.values(), UNREACHED));
    states.addAll(without(Counter.values(), UNREACHED));
    states.addAll(without(NodeEvent.class.getPermittedSubclasses(), NOT_HERE));
    reached(states, Simulation::run);
  }

  @Test
  void seedsReachTheRareStatesOfRaft() {
    reached(List.of((Object[]) RaftMark.values()), RaftSimulation::run);
  }
}
