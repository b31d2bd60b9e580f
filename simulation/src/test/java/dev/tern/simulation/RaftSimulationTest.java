package dev.tern.simulation;

import dev.tern.raft.RaftBug;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Raft groups from seeds; and what the seeds are worth.
class RaftSimulationTest {
  /// More than any needs.
  private static final int MAX_SEEDS = 3_000;

  @Test
  void theFirstSeedsAreClean() {
    Seeds.areClean(RaftSimulation::run, 200);
  }

  @Test
  void aSeedRunsAlikeTwice() {
    Seeds.runAlikeTwice(RaftSimulation::run);
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aMistakeIsFoundBySeedsThatAreCleanWithoutIt(RaftBug bug) {
    Seeds.find(RaftSimulation::run, bug.name(), first(bug), first(bug) + MAX_SEEDS);
  }

  /// Where the search begins. From 1 on the rarest are found by seeds 281, 319 and 761, a minute of
  /// CPU; here they begin later, to be quick.
  private static long first(RaftBug bug) {
    return switch (bug) {
      case VOTE_NOT_PERSISTED -> 270;
      case JOINT_COUNTS_ONE_MAJORITY -> 310;
      case COMMIT_OF_OLDER_TERM -> 750;
      case NONE,
          DOUBLE_VOTE,
          SNAPSHOT_APPLIED_HALF,
          READ_ROUND_REUSED,
          ACK_BEFORE_DURABLE,
          LEASE_TOO_LONG,
          LEASE_KEPT_IN_TRANSFER ->
          1;
    };
  }
}
