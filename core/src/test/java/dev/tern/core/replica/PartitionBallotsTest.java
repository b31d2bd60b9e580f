package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

/// What one partition knows of those who lead its updates.
class PartitionBallotsTest {
  private final PartitionBallots ballots = new PartitionBallots();

  @Test
  void aStartPromisesWhatMayHaveBeenPromisedBefore() {
    ballots.restarted(50);
    assertEquals(50, ballots.floor());
    assertEquals(50, ballots.heard());
    ballots.hear(20);
    assertEquals(50, ballots.heard());
  }

  @Test
  void aForgottenPromiseRaisesTheFloorAndALowerOneDoesNotLowerIt() {
    ballots.hear(9);
    ballots.forget(7);
    assertEquals(7, ballots.floor());
    ballots.forget(3);
    assertEquals(7, ballots.floor());
  }

  @Test
  void whoIsOutvotedLeadsNoMore() {
    ballots.hear(5);
    ballots.lead(5);
    ballots.outvoted(4);
    assertEquals(5, ballots.own());
    ballots.outvoted(6);
    assertEquals(0, ballots.own());
    assertEquals(6, ballots.heard());
  }

  /// A leader has to be shown the updates of its rivals, and need not wait for its own.
  @Test
  void rivalsAreTheUpdatesOfOtherBallots() {
    assertEquals(0, ballots.rivals(1));
    ballots.accepted(1, 10);
    ballots.accepted(1, 11);
    assertEquals(0, ballots.rivals(1));
    assertEquals(11, ballots.rivals(2));
    ballots.accepted(2, 12);
    ballots.accepted(2, 13);
    assertEquals(11, ballots.rivals(2));
    assertEquals(13, ballots.rivals(1));
    assertEquals(13, ballots.rivals(3));
  }
}
