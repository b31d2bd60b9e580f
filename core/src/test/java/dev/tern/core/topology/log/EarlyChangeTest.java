package dev.tern.core.topology.log;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import dev.tern.core.topology.Command;
import dev.tern.core.topology.Proposed;
import dev.tern.core.topology.TopologyOutcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Changes that are wanted as soon as a node has started, before its cluster is founded.
class EarlyChangeTest {
  private static final int STEPS = 200;

  private final SoleVoter node = new SoleVoter();

  @Test
  void aChangeWaitsForTheFounding() throws IOException {
    TopologyLog log = node.open(1 << 20);
    List<Decision> decisions = new ArrayList<>();
    node.world.schedule(0, 1, log::start);
    for (int step = 0; step < STEPS; step++) {
      node.world.schedule(
          step * 10_000_000L,
          1,
          () -> log.propose(new Proposed(0, new Command.RaiseLevel(1)), decisions::add));
    }
    node.world.runUntil(node.world.nanos() + 30 * SoleVoter.SECOND);
    assertEquals(STEPS, decisions.size());
    for (Decision decision : decisions) {
      TopologyOutcome outcome = assertInstanceOf(Decision.Decided.class, decision).outcome();
      assertInstanceOf(TopologyOutcome.Unchanged.class, outcome);
    }
  }
}
