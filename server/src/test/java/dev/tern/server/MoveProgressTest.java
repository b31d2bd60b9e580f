package dev.tern.server;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.tern.core.topology.TopologyState;
import org.junit.jupiter.api.Test;

/// How far moves have come, told of looks a second apart.
class MoveProgressTest {
  private static final long SECOND = 1_000_000_000;

  private final MoveProgress progress = new MoveProgress();
  private long now;

  private MoveProgress.Figures look(int remaining) {
    now += SECOND;
    progress.look(remaining, now);
    return progress.figures();
  }

  @Test
  void whatIsCopiedCountsAndTellsTheTimeLeft() {
    assertEquals(new MoveProgress.Figures(0, 0, 0), look(0));
    assertNull(look(100).secondsLeft());
    look(90);
    MoveProgress.Figures figures = look(80);
    assertEquals(new MoveProgress.Figures(20, 80, 10), figures);
    assertEquals(8L, figures.secondsLeft());
  }

  @Test
  void whatIsPlannedMeanwhileJoinsTheRun() {
    look(10);
    look(4);
    MoveProgress.Figures figures = look(50);
    assertEquals(6, figures.moved());
    assertEquals(50, figures.remaining());
  }

  @Test
  void aRunEndsWithItsLastReplica() {
    look(10);
    look(5);
    assertEquals(new MoveProgress.Figures(0, 0, 0), look(0));
    MoveProgress.Figures next = look(3);
    assertEquals(0, next.moved());
    assertNull(next.secondsLeft());
  }

  @Test
  void aRateIsThatOfTheLastMinute() {
    for (int i = 0; i < 100; i++) {
      look(1_000 - i);
    }
    for (int i = 0; i < 59; i++) {
      look(901);
    }
    MoveProgress.Figures stuck = look(901);
    assertEquals(0, stuck.aSecond());
    assertNull(stuck.secondsLeft());
  }

  /// Partitions 0 to 2 are being copied to member 4, partition 3 has been, and others are planned.
  @Test
  void whatIsUnderWayAndWhatIsPlannedRemains() {
    TopologyState state = MovesPagesTest.moving();
    int planned =
        (int)
            state.plan(state.groups().getFirst()).moves().stream()
                .filter(move -> move.to() != 0)
                .count();
    // Partition 4 goes back to what it was.
    assertEquals(3 + 1 + planned, MoveProgress.remaining(state));
  }
}
