package dev.tern.core.version;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HybridClockTest {
  private static final long NOW = 1_780_000_000_000L;

  private static HybridClock reserved(long floor, long fromMillis) {
    HybridClock clock = new HybridClock(floor, 0);
    clock.reserved(HybridClock.ofMillis(fromMillis + HybridClock.RESERVE_MILLIS));
    return clock;
  }

  @Test
  void stampsGrowWhateverTheWallClockDoes() {
    HybridClock clock = reserved(0, NOW);
    long last = 0;
    for (long wall : new long[] {NOW, NOW, NOW - 60_000, NOW + 1, NOW - 1}) {
      long stamp = clock.next(wall, 0);
      assertTrue(stamp > last);
      last = stamp;
    }
    assertTrue(clock.next(NOW, last + 500) > last + 500);
  }

  @Test
  void anIdleClockWhoseReservationIsOldGoesOnCounting() {
    HybridClock clock = reserved(0, NOW);
    long later = NOW + 3_600_000;
    long first = clock.next(later, 0);
    long second = clock.next(later, 0);
    assertTrue(first != 0 && second > first);
    assertTrue(clock.wanted(later) != 0);
  }

  @Test
  void nothingIsGivenOutAtOrAboveTheReservation() {
    HybridClock clock = reserved(0, NOW);
    long limit = HybridClock.ofMillis(NOW + HybridClock.RESERVE_MILLIS);
    assertEquals(0, clock.next(NOW, limit));
    assertEquals(limit - 1, clock.next(NOW, limit - 2));
    assertEquals(0, clock.next(NOW, 0));
  }

  @Test
  void stampsTooFarAheadAreNotBelieved() {
    HybridClock clock = reserved(0, NOW);
    long far = HybridClock.ofMillis(NOW + HybridClock.MAX_AHEAD_MILLIS + 1000);
    assertFalse(clock.observe(far, NOW));
    assertTrue(clock.observe(HybridClock.ofMillis(NOW + 1000), NOW));
  }
}
