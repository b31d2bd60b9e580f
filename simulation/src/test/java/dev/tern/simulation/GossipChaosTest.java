package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.fail;

import dev.tern.core.gossip.GossipBug;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class GossipChaosTest {
  private static final int MAX_SEEDS = 100;

  @Test
  void theFirstSeedsAreClean() {
    for (long seed = 1; seed <= 40; seed++) {
      assertNull(GossipChaos.run(seed, GossipBug.NONE).failure(), "seed " + seed);
    }
  }

  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
  void aMistakeIsFoundBySeedsThatAreCleanWithoutIt(GossipBug mistake) {
    for (long seed = 1; seed <= MAX_SEEDS; seed++) {
      if (GossipChaos.run(seed, mistake).failure() != null) {
        assertNull(GossipChaos.run(seed, GossipBug.NONE).failure(), "seed " + seed);
        return;
      }
    }
    fail(mistake + " was not found by " + MAX_SEEDS + " seeds");
  }

  @Test
  void aSeedRunsAlikeTwice() {
    assertEquals(GossipChaos.run(5, GossipBug.NONE), GossipChaos.run(5, GossipBug.NONE));
    assertNotEquals(
        GossipChaos.run(5, GossipBug.NONE).hash(), GossipChaos.run(6, GossipBug.NONE).hash());
  }
}
