package dev.tern.core.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ForegroundTest {
  private final Foreground foreground = new Foreground();

  private void take(int requests, long nanos) {
    for (int i = 0; i < requests; i++) {
      if (foreground.measures()) {
        foreground.took(nanos);
      }
    }
  }

  @Test
  void eachBucketEndsWhereTheNextBegins() {
    for (int bucket = 0; Foreground.most(bucket) < Long.MAX_VALUE / 2; bucket++) {
      long most = Foreground.most(bucket);
      assertEquals(bucket, Foreground.bucket(most));
      assertEquals(bucket + 1, Foreground.bucket(most + 1));
    }
    assertEquals(Foreground.bucket(Long.MAX_VALUE), Foreground.bucket(Long.MAX_VALUE - 1));
  }

  @Test
  void fewRequestsSayNothing() {
    take((int) Foreground.LEAST_REQUESTS - 4, 1_000_000);
    foreground.endPeriod(false);
    assertEquals(0, foreground.lateNanos());
    assertEquals(0, foreground.usualNanos());
  }

  @Test
  void oneInAHundredMayTakeLonger() {
    take(4 * 995, 1_000_000);
    take(4 * 5, 80_000_000);
    foreground.endPeriod(false);
    long late = foreground.lateNanos();
    assertTrue(late >= 1_000_000 && late <= 1_130_000, () -> late + " ns");
    take(4 * 20, 80_000_000);
    foreground.endPeriod(false);
    assertTrue(foreground.lateNanos() >= 80_000_000);
  }

  @Test
  void whatIsUsualOutlastsADisturbance() {
    take(4_000, 1_000_000);
    foreground.endPeriod(false);
    long usual = foreground.usualNanos();
    for (int i = 0; i < 1_000; i++) {
      take(400, 50_000_000);
      foreground.endPeriod(true);
    }
    assertEquals(usual, foreground.usualNanos());
    assertTrue(foreground.lateNanos() >= 50_000_000);
  }

  @Test
  void whatIsUsualIsKnownAfterAnHourWithoutRequests() {
    take(4_000, 1_000_000);
    foreground.endPeriod(false);
    long usual = foreground.usualNanos();
    for (int i = 0; i < 4 * 3_600; i++) {
      foreground.endPeriod(false);
    }
    assertEquals(usual, foreground.usualNanos());
    assertEquals(0, foreground.lateNanos());
  }

  @Test
  void aLoadThatStaysBecomesUsual() {
    take(4_000, 1_000_000);
    foreground.endPeriod(false);
    for (int i = 0; i < 400; i++) {
      take(4_000, 5_000_000);
      foreground.endPeriod(false);
    }
    assertTrue(foreground.usualNanos() >= 5_000_000);
  }
}
