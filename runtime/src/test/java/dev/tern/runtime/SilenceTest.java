package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class SilenceTest {
  private final Silence silence = new Silence(50, 5, 1000);

  private boolean lookUntil(long from, long to) {
    boolean tooLong = false;
    for (long now = from; now <= to; now += 5) {
      tooLong = silence.tooLong(now);
    }
    return tooLong;
  }

  @Test
  void itIsTooLongAfterItsBound() {
    assertFalse(lookUntil(1005, 1050));
    assertTrue(lookUntil(1055, 1055));
  }

  @Test
  void whoIsHeardIsNotSilent() {
    assertFalse(lookUntil(1005, 1045));
    silence.heard(1045);
    assertFalse(lookUntil(1050, 1095));
    assertTrue(lookUntil(1100, 1100));
  }

  @Test
  void theTimeInWhichNobodyLookedDoesNotCount() {
    assertFalse(lookUntil(1005, 1020));
    assertFalse(silence.tooLong(9000));
    assertFalse(lookUntil(9005, 9025));
    assertTrue(lookUntil(9030, 9100));
  }
}
