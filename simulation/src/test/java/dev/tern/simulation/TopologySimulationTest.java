package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.fail;

import dev.tern.core.topology.log.TopologyBug;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Topology logs from seeds; and what the seeds are worth.
class TopologySimulationTest {
  /// More than any needs.
  private static final int MAX_SEEDS = 500;

  @Test
  void theFirstSeedsAreClean() {
    for (long seed = 1; seed <= Rounds.of(400); seed++) {
      assertNull(TopologySimulation.run(seed, "NONE").failure(), "seed " + seed);
    }
  }

  @Test
  void aSeedRunsAlikeTwice() {
    for (long seed = 1; seed <= 5; seed++) {
      assertEquals(TopologySimulation.run(seed, "NONE"), TopologySimulation.run(seed, "NONE"));
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aMistakeIsFoundBySeedsThatAreCleanWithoutIt(TopologyBug bug) {
    for (long seed = 1; seed <= MAX_SEEDS; seed++) {
      if (TopologySimulation.run(seed, bug.name()).failure() != null) {
        assertNull(
            TopologySimulation.run(seed, "NONE").failure(), "seed " + seed + " without " + bug);
        return;
      }
    }
    fail(bug + " was not found by " + MAX_SEEDS + " seeds");
  }
}
