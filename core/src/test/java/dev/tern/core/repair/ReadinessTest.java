package dev.tern.core.repair;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.version.DotSet;
import org.junit.jupiter.api.Test;

class ReadinessTest {
  private static final long LATER = Readiness.PATIENCE_NANOS;
  private final boolean[] live = {true, false};
  private boolean filled = true;
  private final DotSet[] ungiven = {new DotSet(), new DotSet()};
  private final boolean[] pending = {false, false};
  private final Readiness readiness =
      new Readiness(2, () -> filled, place -> ungiven[place], place -> pending[place], 0);

  private static DotSet dots(long to) {
    DotSet dots = new DotSet();
    dots.addRun(1, 1, to);
    return dots;
  }

  private boolean ready(DotSet here, long nanos) {
    return readiness.isReady(here, place -> live[place], nanos);
  }

  @Test
  void aPeerThatIsAwayIsNotWaitedForForLong() {
    readiness.told(0, dots(2), dots(9));
    assertFalse(ready(dots(5), LATER - 1));
    assertTrue(ready(dots(5), LATER));
    assertFalse(readiness.isSettled());
    assertTrue(ready(dots(9), LATER));
    assertTrue(readiness.isSettled());
  }

  /// What it had may be what the third has stripped.
  @Test
  void aPeerThatToldAndIsLostTakesReadinessWithIt() {
    readiness.told(0, dots(2), dots(9));
    assertTrue(ready(dots(5), LATER));
    live[0] = false;
    assertFalse(ready(dots(5), LATER));
    readiness.told(1, dots(9), dots(9));
    assertFalse(ready(dots(5), LATER));
    assertTrue(ready(dots(9), LATER));
    assertTrue(readiness.isSettled());
  }

  /// It gives nothing: two replicas would wait for each other.
  @Test
  void aPeerThatWaitsToBeFilledIsNotWaitedFor() {
    filled = false;
    live[1] = true;
    readiness.told(0, dots(2), dots(5));
    readiness.told(1, dots(2), dots(9));
    assertFalse(ready(dots(5), LATER), "a replica gives what it has");
    pending[1] = true;
    assertTrue(ready(dots(5), LATER));
    assertFalse(ready(dots(4), LATER));
  }

  @Test
  void aPeerThatComesMustTellFirst() {
    readiness.told(0, dots(2), dots(9));
    assertTrue(ready(dots(5), LATER));
    readiness.came(1, LATER);
    assertFalse(ready(dots(5), LATER));
    readiness.told(1, dots(2), dots(9));
    assertTrue(ready(dots(5), LATER));
    assertTrue(readiness.isSettled());
  }

  @Test
  void whatIsGoneFromALogMustBeHere() {
    live[1] = true;
    readiness.told(0, dots(2), dots(9));
    readiness.told(1, dots(7), dots(9));
    assertFalse(ready(dots(5), LATER));
    assertEquals(2, readiness.lacking(1, dots(5)).size());
    readiness.taken(dots(9));
    assertTrue(ready(dots(9), LATER));
  }

  /// It cut its log while the others were away: no delete can have been stripped.
  @Test
  void whatOnlyALostPeerHadIsNotWaitedFor() {
    readiness.told(0, dots(2), dots(5));
    readiness.told(1, dots(7), dots(9));
    live[1] = true;
    assertFalse(ready(dots(5), LATER));
    live[1] = false;
    assertTrue(ready(dots(5), LATER));
    assertFalse(readiness.isSettled());
    live[1] = true;
    assertFalse(ready(dots(5), LATER));
    assertTrue(ready(dots(9), LATER));
    assertTrue(readiness.isSettled());
  }

  /// What it acknowledged on a disk that is lost may be at one of the others only.
  @Test
  void oneThatIsNotFilledWaitsForAllThatALivePeerHad() {
    filled = false;
    live[1] = true;
    readiness.told(0, dots(2), dots(9));
    readiness.told(1, dots(2), dots(12));
    assertFalse(ready(dots(9), LATER));
    assertTrue(ready(dots(12), LATER));
    live[1] = false;
    assertTrue(ready(dots(9), LATER));
    assertFalse(ready(dots(8), LATER));
  }

  /// The first peer has cut dots 6 to 9 from its log, and its disk has altered what it had of them.
  @Test
  void whatAPeerCannotReadIsNotWaitedForIfItAloneHadIt() {
    live[1] = true;
    readiness.told(0, dots(9), dots(9));
    readiness.told(1, dots(5), dots(5));
    assertFalse(ready(dots(5), LATER));
    ungiven[0].addRun(1, 6, 9);
    assertTrue(ready(dots(5), LATER));
    filled = false;
    assertTrue(ready(dots(5), LATER));
    assertFalse(ready(dots(4), LATER));
  }

  /// One of them may be a delete that both have stripped.
  @Test
  void whatAnotherPeerHadTooIsWaitedFor() {
    live[1] = true;
    readiness.told(0, dots(9), dots(9));
    readiness.told(1, dots(5), dots(6));
    ungiven[0].addRun(1, 6, 9);
    assertFalse(ready(dots(5), LATER));
    assertTrue(ready(dots(6), LATER));
  }
}
