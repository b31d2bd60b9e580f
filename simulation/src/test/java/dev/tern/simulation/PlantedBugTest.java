package dev.tern.simulation;

import dev.tern.core.context.PlantedBug;
import dev.tern.lsm.LsmBug;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Measures the simulator: each planted mistake falls to seeds that are clean without it.
class PlantedBugTest {
  /// More than any needs; far fewer than ten minutes of seeds.
  private static final int MAX_SEEDS = 2_000;

  /// Mistakes that scripted tests find and seeds do not yet, or not for sure: what the seeds lack
  /// for them stands in docs/known-gaps.md.
  private static final Set<String> NOT_YET = Set.of("PROMISE_FORGOTTEN");

  static Stream<String> mistakes() {
    return Stream.concat(
            Stream.of(PlantedBug.values()).map(Enum::name),
            Stream.of(LsmBug.values()).filter(bug -> !bug.isOfTheEngineAlone()).map(Enum::name))
        .filter(name -> !name.equals("NONE") && !NOT_YET.contains(name));
  }

  @ParameterizedTest
  @MethodSource("mistakes")
  void isFoundBySeedsThatAreCleanWithoutIt(String mistake) {
    String word = word(mistake);
    Seeds.find(
        Simulation::run,
        mistake,
        first(mistake),
        first(mistake) + MAX_SEEDS,
        seed -> word.isEmpty() || Simulation.describe(seed).contains(word));
  }

  /// Where the search begins. From 1 on the rarest is found after minutes; here it begins later, to
  /// be quick.
  private static long first(String mistake) {
    return switch (mistake) {
      // In seed 573 on the commit of 2026-12-01: from 1 on it takes four minutes.
      case "TOMBSTONE_STRIPPED_TOO_EARLY" -> 573;
      // In seed 258 on the commit of 2026-12-01.
      case "LEFT_NOT_TOLD" -> 200;
      // In seed 914 on the commit of 2026-12-01, the 59th of its theme.
      case "READ_SHOWS_OUTVOTED" -> 700;
      default -> 1;
    };
  }

  /// What a run concentrates on that finds a mistake which all seeds find after a minute or more;
  /// empty for the others. The other seeds are passed over, to be quick.
  private static String word(String mistake) {
    return switch (mistake) {
      case "ACKS_OF_ONE_LIST",
          "BARRIER_SKIPPED",
          "LEFT_NOT_TOLD",
          "SNAPSHOT_CUT_SHORT",
          "SNAPSHOT_REPLACES_WRITES",
          "STALE_OWNER_ACCEPTS",
          "STRIP_WITHOUT_PENDING",
          "UNIFORM_READ_OF_ONE_LIST" ->
          " moving";
      case "DOT_CLAIMED_WITHOUT_RECORD" -> "HALF_FETCHED";
      case "READ_SHOWS_OUTVOTED" -> "OUTVOTED";
      case "REUSED_DOTS" -> "MINT_CUT";
      case "BALLOTS_NOT_TOLD", "SHRUNK_UNFILLED", "SNAPSHOT_UNMERGED" -> " short lists";
      case "STRIP_WITHOUT_ASKING_HOLDERS" -> "HELD";
      default -> "";
    };
  }

  @Test
  void theFirstSeedsAreClean() {
    Seeds.areClean(Simulation::run, 60);
  }
}
