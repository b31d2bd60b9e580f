package dev.tern.core.version;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Clock;
import org.junit.jupiter.api.Test;

class ClusterTimeTest {
  private static final long NOW = 1_780_000_000_000L;
  private static final long HOUR = 3_600_000;

  private final Hands hands = new Hands();
  private final ClusterTime time =
      new ClusterTime(hands, 1, new int[] {1, 2, 3}, /* ownClock= */ false);

  private static final class Hands implements Clock {
    long monotonicMillis = 77_000;
    long wallMillis = NOW;

    @Override
    public long monotonicNanos() {
      return monotonicMillis * 1_000_000;
    }

    @Override
    public long wallMillis() {
      return wallMillis;
    }
  }

  /// Lets time pass; others say what they are off by, and nothing of their time.
  private void pass(long millis, long... others) {
    for (long passed = 0; passed < millis; passed += 50) {
      hands.monotonicMillis += 50;
      hands.wallMillis += 50;
      trueMillis += 50;
      for (int i = 0; i < others.length; i++) {
        time.heard(i + 2, trueMillis + others[i], 0);
      }
      time.tick();
    }
  }

  private long trueMillis = NOW;

  private long off() {
    return time.wallMillis() - trueMillis;
  }

  @Test
  void itIsNotSetBeforeMoreThanHalfOfTheClocksAgree() {
    assertFalse(time.isSet());
    assertEquals(0, time.stampMillis(), "one clock is not to be trusted");
    pass(50, HOUR);
    assertFalse(time.isSet(), "two that differ");
    assertEquals(trueMillis, time.expiryMillis(), "the earliest says what has expired");
    pass(50, HOUR, 10);
    assertTrue(time.isSet());
    assertEquals(10, off());
  }

  @Test
  void aWrongMinorityDoesNotMoveIt() {
    pass(50, 0, 0);
    pass(60_000, 0, HOUR);
    assertEquals(0, off());
    pass(60_000, 0, -HOUR);
    assertEquals(0, off());
    hands.wallMillis += HOUR;
    pass(60_000, 0, 0);
    assertEquals(0, off());
    assertEquals(HOUR, time.clocks().ownMillis());
    assertEquals(HOUR, time.clocks().spreadMillis());
  }

  @Test
  void aMajorityThatTurnsWrongMovesItByATenth() {
    pass(50, 0, 0);
    pass(10_000, HOUR, HOUR);
    assertEquals(1_000, off());
    pass(10_000, 0, 0);
    assertEquals(0, off());
    pass(10_000, -HOUR, HOUR);
    assertEquals(0, off(), "no majority agrees");
  }

  @Test
  void whatAllClocksSayHolds() {
    pass(50, 0, 0);
    hands.wallMillis += HOUR;
    pass(50, HOUR, HOUR);
    assertEquals(HOUR, off());
    hands.wallMillis -= 2 * HOUR;
    pass(50, -HOUR, -HOUR);
    assertEquals(-HOUR, off());
  }

  @Test
  void aTimeThatIsSetGoesOnInANodeThatStarts() {
    hands.wallMillis += HOUR;
    time.heard(2, NOW, NOW + 3);
    time.heard(3, NOW + HOUR, 0);
    time.tick();
    assertTrue(time.isSet());
    assertEquals(3, off());
  }

  @Test
  void aMonotonicClockThatStoodStillIsMadeUpFor() {
    pass(50, 0, 0);
    // The machine slept for an hour, its peers did not.
    trueMillis += HOUR;
    hands.wallMillis += HOUR;
    time.heard(2, trueMillis, trueMillis);
    time.tick();
    assertEquals(0, off());
  }

  @Test
  void whatCameLateDoesNotTurnItBack() {
    pass(50, 0, 0);
    time.heard(2, trueMillis - 20_000, trueMillis - 20_000);
    time.heard(3, trueMillis - 20_000, trueMillis - 20_000);
    time.tick();
    assertEquals(0, off());
  }
}
