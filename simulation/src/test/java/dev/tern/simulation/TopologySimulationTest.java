package dev.tern.simulation;

import dev.tern.core.topology.log.TopologyBug;
import dev.tern.world.Rounds;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Topology logs from seeds; and what the seeds are worth.
class TopologySimulationTest {
  /// More than any needs.
  private static final int MAX_SEEDS = 500;

  @Test
  void theFirstSeedsAreClean() {
    Seeds.areClean(TopologySimulation::run, Rounds.of(400));
  }

  @Test
  void aSeedRunsAlikeTwice() {
    Seeds.runAlikeTwice(TopologySimulation::run);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aMistakeIsFoundBySeedsThatAreCleanWithoutIt(TopologyBug bug) {
    long first = first(bug);
    Seeds.find(TopologySimulation::run, bug.name(), first, first + MAX_SEEDS);
  }

  /// Where the search begins: the rarest mistake falls to seed 785, from 1 on.
  private static long first(TopologyBug bug) {
    return bug == TopologyBug.FORGETFUL_VOTE ? 700 : 1;
  }
}
