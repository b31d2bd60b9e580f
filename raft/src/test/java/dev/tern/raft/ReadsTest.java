package dev.tern.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Reads of a leader are answered once a quorum has acknowledged a round that began after them.
class ReadsTest {
  private final Reads reads = new Reads();
  private final List<Long> answered = new ArrayList<>();

  private boolean bind(long context) {
    return reads.bind(1, context, 100, RaftBug.NONE);
  }

  private boolean confirm(long round) {
    return reads.confirm(round, read -> answered.add(read.context()));
  }

  /// A round that was under way may have been acknowledged before the read came: a new leader may
  /// have written since.
  @Test
  void aRoundUnderWayConfirmsNoLaterRead() {
    assertTrue(bind(1), "the first read begins a round");
    assertEquals(1, reads.begin(0));
    assertFalse(bind(2), "the next one waits for the round under way to end");
    assertTrue(confirm(1), "then its own round begins");
    assertEquals(List.of(1L), answered);
    assertEquals(2, reads.begin(3));
    assertFalse(confirm(2));
    assertEquals(List.of(1L, 2L), answered);
    assertEquals(0, reads.size());
  }

  @Test
  void aLaterRoundConfirmsAllBeforeIt() {
    bind(1);
    reads.begin(0);
    bind(2);
    reads.begin(1);
    assertFalse(confirm(2));
    assertEquals(List.of(1L, 2L), answered);
  }

  @Test
  void anOldAcknowledgementChangesNothing() {
    bind(1);
    reads.begin(0);
    confirm(1);
    bind(2);
    reads.begin(5);
    assertFalse(confirm(1));
    assertEquals(List.of(1L), answered);
  }

  @Test
  void aLeaseCountsFromTheBeginningOfTheRound() {
    assertFalse(reads.leased(0, 10), "no round was ever confirmed");
    reads.begin(100);
    assertFalse(reads.leased(100, 10));
    confirm(1);
    assertTrue(reads.leased(109, 10));
    assertFalse(reads.leased(110, 10), "counted from the answer the lease would be too long");
  }

  @Test
  void earlyReadsWaitForTheFirstCommitOfTheTerm() {
    reads.wait(2, 7L);
    reads.wait(3, 8L);
    assertEquals(2, reads.size());
    assertEquals(2, reads.takeEarly().size());
    assertEquals(0, reads.size());
  }

  @Test
  void whoCeasesToLeadForgetsAllAndSaysSo() {
    reads.wait(2, 7L);
    bind(8);
    reads.forget(read -> answered.add(read.context()));
    assertEquals(List.of(7L, 8L), answered);
    assertEquals(0, reads.size());
  }
}
