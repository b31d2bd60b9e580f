package dev.tern.simulation;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.Founding;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyOutcome;
import dev.tern.core.topology.TopologyState;
import dev.tern.core.topology.log.Decision;
import java.util.LinkedHashSet;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What was seen of a topology log in a run, and what must hold of it: all nodes that go by an
/// epoch go by the same state; none goes back, not even over a crash; every change that was
/// acknowledged is the step from its epoch's predecessor, there once, later than all that were
/// acknowledged before it was proposed. Together: it is linearizable.
final class TopologyRecord {
  private final TreeMap<Long, TopologyState> byEpoch = new TreeMap<>();

  /// By epoch: the command that was told to have made it.
  private final Map<Long, Proposed> acknowledged = new TreeMap<>();

  /// By node: the epoch it last went by.
  private final Map<Integer, Long> adopted = new TreeMap<>();

  /// Commands proposed so far: each names something of its own, so no two are alike.
  private final Set<Command> proposed = new LinkedHashSet<>();

  /// No change that is proposed now may get this epoch or an earlier one.
  private long floor;

  int decisions;

  private static void fail(String what) {
    throw new History.Violation(what);
  }

  /// A node goes by a state, after it was told that founding.
  void adopted(int node, TopologyState state, Founding told, boolean founder) {
    long before = adopted.getOrDefault(node, 0L);
    if (state.epoch() < before) {
      fail("node %d goes by epoch %d after %d".formatted(node, state.epoch(), before));
    }
    adopted.put(node, state.epoch());
    if (!state.cluster().known()) {
      return;
    }
    if (founder && !state.founding().equals(told)) {
      fail(
          "node %d was told of another founding than that of cluster %s"
              .formatted(node, state.cluster()));
    }
    TopologyState other = byEpoch.putIfAbsent(state.epoch(), state);
    if (other != null && !other.equals(state)) {
      fail("node %d goes by another epoch %d than the others".formatted(node, state.epoch()));
    }
    check(state.epoch());
    check(state.epoch() + 1);
  }

  /// A node's disk is lost: it begins anew.
  void lost(int node) {
    adopted.remove(node);
  }

  long floor() {
    return floor;
  }

  /// Notes a command that is proposed; false if it was once.
  boolean proposes(Command command) {
    return proposed.add(command);
  }

  /// A change that was proposed when the floor was `atFloor` got its answer.
  void decided(Proposed change, long atFloor, Decision decision) {
    if (!(decision instanceof Decision.Decided decided)) {
      return;
    }
    decisions++;
    switch (decided.outcome()) {
      case TopologyOutcome.Changed changed -> {
        long epoch = changed.epoch();
        later(change, epoch, atFloor);
        if (change.onlyAtEpoch() != 0 && change.onlyAtEpoch() != epoch - 1) {
          fail("%s was to hold at one epoch only and made epoch %d".formatted(change, epoch));
        }
        Proposed other = acknowledged.putIfAbsent(epoch, change);
        if (other != null) {
          fail("epoch %d was made by %s and by %s".formatted(epoch, change, other));
        }
        floor = Math.max(floor, epoch);
        check(epoch);
      }
      case TopologyOutcome.Unchanged unchanged -> later(change, unchanged.epoch() + 1, atFloor);
      case TopologyOutcome.Refused refused -> {}
    }
  }

  private static void later(Proposed change, long epoch, long atFloor) {
    if (epoch <= atFloor) {
      fail("%s made epoch %d after epoch %d was acknowledged".formatted(change, epoch, atFloor));
    }
  }

  private void check(long epoch) {
    TopologyState before = byEpoch.get(epoch - 1);
    TopologyState after = byEpoch.get(epoch);
    Proposed change = acknowledged.get(epoch);
    if (before != null && after != null && change != null) {
      TopologyState.Step step = before.apply(new Proposed(0, change.command()));
      if (!step.state().equals(after)) {
        fail("%s was told to have made epoch %d and did not".formatted(change, epoch));
      }
    }
  }

  /// At the end all nodes go by this: nothing acknowledged is missing.
  void ends(TopologyState state) {
    if (state.epoch() < floor) {
      fail("the topology is at epoch %d after %d was acknowledged".formatted(state.epoch(), floor));
    }
  }
}
