package dev.tern.simulation;

import dev.tern.core.PlantedBug;
import dev.tern.lsm.LsmBug;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Measures the simulator: each planted mistake falls to seeds that are clean without it.
class PlantedBugTest {
  /// More than any needs; far fewer than ten minutes of seeds.
  private static final int MAX_SEEDS = 2_000;

  static Stream<String> mistakes() {
    return Stream.concat(
            Stream.of(PlantedBug.values()).map(Enum::name),
            Stream.of(LsmBug.values()).filter(bug -> !bug.isOfTheEngineAlone()).map(Enum::name))
        .filter(name -> !name.equals("NONE"));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void isFoundBySeedsThatAreCleanWithoutIt(String mistake) {
    Seeds.find(Simulation::run, mistake, 1, MAX_SEEDS);
  }

  @Test
  void theFirstSeedsAreClean() {
    Seeds.areClean(Simulation::run, 60);
  }
}
