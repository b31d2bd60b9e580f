package dev.tern.core.version;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
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
      long stamp = clock.next(wall);
      assertTrue(stamp > last);
      last = stamp;
    }
    clock.follow(last + 500);
    assertTrue(clock.next(NOW) > last + 500);
  }

  @Test
  void anIdleClockWhoseReservationIsOldGoesOnCounting() {
    HybridClock clock = reserved(0, NOW);
    long later = NOW + 3_600_000;
    long first = clock.next(later);
    long second = clock.next(later);
    assertTrue(first != 0 && second > first);
    assertTrue(clock.isLow(later));
  }

  @Test
  void nothingIsGivenOutAtOrAboveTheReservation() {
    HybridClock clock = reserved(0, NOW);
    long limit = HybridClock.ofMillis(NOW + HybridClock.RESERVE_MILLIS);
    clock.follow(limit - 2);
    assertFalse(clock.exhausted());
    assertEquals(limit - 1, clock.next(NOW));
    assertTrue(clock.exhausted());
    assertThrows(IllegalStateException.class, () -> clock.next(NOW));
  }

  @Test
  void manyRestartsCarryStampsHardlyAhead() {
    long limit = 0;
    for (int restart = 0; restart < 100; restart++) {
      HybridClock clock = new HybridClock(limit, 0);
      limit = clock.wanted(NOW);
      clock.reserved(limit);
      assertTrue(clock.next(NOW) < limit);
    }
    assertTrue(HybridClock.millis(limit) < NOW + 2 * HybridClock.RESERVE_MILLIS);
  }

  @Test
  void whatReplacesAVersionLiesAboveItHoweverFarAheadThatIs() {
    HybridClock clock = reserved(0, NOW);
    long far = HybridClock.ofMillis(NOW + HybridClock.MAX_AHEAD_MILLIS + 1000);
    clock.follow(far);
    assertTrue(clock.exhausted());
    clock.reserved(clock.wanted(NOW));
    assertTrue(clock.next(NOW) > far);
  }
}
