package dev.tern.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/// What a leader knows of one follower.
class ProgressTest {
  private final Progress follower = new Progress(2, 10);

  @Test
  void anAnswerOfAProbeLetsManyFollow() {
    assertEquals(Progress.State.PROBE, follower.state);
    assertTrue(follower.matched(9));
    follower.replicate();
    assertEquals(10, follower.next);
    follower.sent(12, 300);
    follower.sent(15, 500);
    assertEquals(16, follower.next);
    assertEquals(800, follower.inflightBytes());
  }

  @Test
  void anAnswerEndsAllThatWasSentUpToIt() {
    follower.matched(9);
    follower.replicate();
    follower.sent(12, 300);
    follower.sent(15, 500);
    follower.sent(18, 50);
    assertTrue(follower.matched(15));
    assertEquals(50, follower.inflightBytes());
    assertEquals(15, follower.match);
    assertEquals(19, follower.next);
  }

  @Test
  void anOldAnswerIsNoNewsAndTakesNothingBack() {
    follower.matched(9);
    follower.replicate();
    follower.sent(12, 300);
    follower.matched(12);
    assertFalse(follower.matched(11));
    assertFalse(follower.matched(12));
    assertEquals(12, follower.match);
    assertEquals(13, follower.next);
  }

  /// What the follower has is never sent again, whatever it says it lacks.
  @Test
  void aProbeBeginsBehindWhatAgrees() {
    follower.matched(20);
    follower.probe(5);
    assertEquals(21, follower.next);
    follower.probe(30);
    assertEquals(30, follower.next);
  }

  @Test
  void anotherStateForgetsWhatIsInFlight() {
    follower.matched(9);
    follower.replicate();
    follower.sent(12, 300);
    follower.probing = true;
    follower.snapshot(new SnapshotMark(40, 3, Membership.NOBODY));
    assertEquals(0, follower.inflightBytes());
    assertFalse(follower.probing);
    assertFalse(follower.full(1));
    assertEquals(0, follower.chunkOffset);
    assertEquals(40, follower.snapshot.index());
  }

  @Test
  void bytesAndMessagesInFlightAreBounded() {
    follower.matched(9);
    follower.replicate();
    follower.sent(10, 99);
    assertFalse(follower.full(100));
    follower.sent(11, 1);
    assertTrue(follower.full(100));
    follower.matched(11);
    for (int i = 0; i < 1024; i++) {
      assertFalse(follower.full(100), "after " + i);
      follower.sent(12 + i, 0);
    }
    assertTrue(follower.full(100));
  }
}
