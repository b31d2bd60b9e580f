package dev.tern.core.repair;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.context.FillBounds;
import dev.tern.core.context.Foreground;
import org.junit.jupiter.api.Test;

class FillBudgetTest {
  private static final int PAGE = 64 << 10;
  private static final long MIB = 1 << 20;
  private static final long STEP = 5_000_000;

  private final Foreground foreground = new Foreground();
  private long now = 77;

  private static void go(FillBudget budget, long bytes) {
    budget.end(budget.begin(), bytes);
  }

  /// Bytes that a fill which always has a page gets through in so many periods, while requests take
  /// so long.
  private long fill(FillBudget budget, int periods, long requestNanos) {
    long bytes = 0;
    for (int period = 0; period < periods; period++) {
      for (int request = 0; request < 400; request++) {
        if (requestNanos > 0) {
          request(requestNanos);
        }
      }
      long end = now + FillBudget.PERIOD_NANOS;
      for (; now < end; now += STEP) {
        while (budget.mayGo(now)) {
          go(budget, PAGE);
          bytes += PAGE;
        }
      }
      endPeriod(budget);
    }
    return bytes;
  }

  private void request(long nanos) {
    foreground.began();
    foreground.ended();
    if (foreground.measures()) {
      foreground.took(nanos);
    }
  }

  private void endPeriod(FillBudget budget) {
    assertTrue(budget.isDue(now));
    budget.endPeriod(now);
    assertFalse(budget.isDue(now));
  }

  /// Requests without a fill, until what they take is usual.
  private void usually(FillBudget budget, long requestNanos) {
    for (int period = 0; period < 40; period++) {
      for (int request = 0; request < 400; request++) {
        request(requestNanos);
      }
      now += FillBudget.PERIOD_NANOS;
      endPeriod(budget);
    }
  }

  private FillBudget budget(long floor, long ceiling) {
    return new FillBudget(new FillBounds(floor, ceiling), foreground, now);
  }

  @Test
  void withoutClientsItGrowsToTheCeilingAndNotBeyond() {
    FillBudget budget = budget(MIB, 200 * MIB);
    fill(budget, 40, 0);
    assertEquals(200 * MIB, budget.rate());
    long second = fill(budget, 4, 0);
    assertTrue(second > 190 * MIB && second < 225 * MIB, () -> second + " bytes in a second");
  }

  @Test
  void clientsThatWaitTwiceAsLongSlowItDownToTheFloor() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    usually(budget, 2_000_000);
    fill(budget, 7, 4_500_000);
    assertEquals(2 * MIB, budget.rate());
    long second = fill(budget, 4, 4_500_000);
    assertTrue(second > 1.5 * MIB, () -> second + " bytes in a second");
  }

  /// What requests take at the floor is not the fill's doing.
  @Test
  void aLoadThatGrowsBecomesUsualAtTheFloor() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    usually(budget, 2_000_000);
    fill(budget, 400, 4_500_000);
    assertTrue(budget.rate() > 100 * MIB, () -> budget.rate() + " bytes a second");
  }

  @Test
  void slowRequestsOfANodeThatJustStartedBecomeUsualToo() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    fill(budget, 400, 40_000_000);
    assertTrue(budget.rate() > 100 * MIB, () -> budget.rate() + " bytes a second");
  }

  @Test
  void whereTooFewRequestsEndToSayTheRateStays() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    long rate = budget.rate();
    for (int i = 0; i < 60; i++) {
      for (int request = 0; request < 4; request++) {
        request(300_000_000);
      }
      fill(budget, 1, 0);
    }
    assertEquals(rate, budget.rate());
  }

  @Test
  void whereNoRequestEndsTheRateFalls() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    foreground.began();
    fill(budget, 30, 0);
    assertEquals(2 * MIB, budget.rate());
    foreground.ended();
    fill(budget, 60, 0);
    assertEquals(200 * MIB, budget.rate());
  }

  @Test
  void whatWasExpectedOfAPageThatDoesNotComeIsGivenBack() {
    FillBudget budget = budget(MIB, MIB);
    long expected = budget.begin();
    assertFalse(budget.mayGo(now));
    budget.giveBack(expected);
    assertTrue(budget.mayGo(now));
  }

  @Test
  void itGoesOnWhenClientsWaitNoLonger() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    usually(budget, 2_000_000);
    fill(budget, 12, 4_500_000);
    fill(budget, 60, 2_000_000);
    assertEquals(200 * MIB, budget.rate());
  }

  @Test
  void whereTheUsualIsUnknownARequestMayTakeWhatIsPromised() {
    FillBudget slow = budget(2 * MIB, 200 * MIB);
    fill(slow, 7, 3 * FillBudget.UNKNOWN_NANOS);
    assertEquals(2 * MIB, slow.rate());
    FillBudget fast = budget(2 * MIB, 200 * MIB);
    fill(fast, 60, FillBudget.UNKNOWN_NANOS / 2);
    assertEquals(200 * MIB, fast.rate());
  }

  @Test
  void microsecondsMoreAreNoise() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    usually(budget, 50_000);
    fill(budget, 60, 200_000);
    assertEquals(200 * MIB, budget.rate());
  }

  @Test
  void pagesThatTakeLongSlowItDown() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    for (int i = 0; i < 60; i++) {
      budget.took(FillBudget.SLOW_PAGE_NANOS);
      fill(budget, 1, 0);
    }
    assertEquals(2 * MIB, budget.rate());
  }

  @Test
  void aRateThatIsNotUsedDoesNotGrow() {
    FillBudget budget = budget(2 * MIB, 200 * MIB);
    long rate = budget.rate();
    for (int i = 0; i < 40; i++) {
      now += FillBudget.PERIOD_NANOS;
      assertTrue(budget.mayGo(now));
      go(budget, 1);
      endPeriod(budget);
    }
    assertEquals(rate, budget.rate());
  }

  @Test
  void aPageLargerThanTheRoomGoesAndIsPaidForLater() {
    FillBudget budget = budget(MIB, MIB);
    assertTrue(budget.mayGo(now));
    go(budget, 10 * MIB);
    now += 9_000_000_000L;
    assertFalse(budget.mayGo(now));
    now += 1_000_000_000L;
    assertTrue(budget.mayGo(now));
  }

  @Test
  void whatTheShardsOfANodeDoIsWhatTheNodeMay() {
    assertEquals(new FillBounds(MIB, 5 * MIB), new FillBounds(2 * MIB, 10 * MIB).ofShards(2));
    assertEquals(new FillBounds(1, 1), new FillBounds(1, 2).ofShards(4));
  }
}
