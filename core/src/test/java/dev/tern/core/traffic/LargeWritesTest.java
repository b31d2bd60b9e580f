package dev.tern.core.traffic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.env.Clock;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LargeWritesTest {
  private static final long MILLI = 1_000_000;
  private static final long MIB = 1 << 20;
  private static final long COST = 64 * MIB;
  private static final long FIRST_WINDOW = 8;

  private long now;
  private double full;
  private int refusals;
  private final Clock clock =
      new Clock() {
        @Override
        public long monotonicNanos() {
          return now;
        }

        @Override
        public long wallMillis() {
          return now / MILLI;
        }
      };
  private final LargeWrites<String> writes =
      new LargeWrites<>(clock, COST, request -> full, () -> full, () -> refusals++);

  /// Those under way, from the oldest on.
  private final ArrayDeque<Completion<UpdateOutcome>> underWay = new ArrayDeque<>();

  private final List<UpdateOutcome> outcomes = new ArrayList<>();

  private void submit(int count, long timeoutMillis) {
    for (int i = 0; i < count; i++) {
      writes.submit("any", now + timeoutMillis * MILLI, MIB, underWay::add, outcomes::add);
    }
  }

  private void end(UpdateOutcome outcome) {
    underWay.remove().complete(outcome);
  }

  @Test
  void whatDoesNotFitWaitsAndIsRefusedInTime() {
    submit(100, 5_000);
    assertEquals(FIRST_WINDOW, underWay.size());
    assertEquals(100 - FIRST_WINDOW - 16, outcomes.size(), "as many wait as may");
    assertEquals(outcomes.size(), refusals);
    assertEquals(0, writes.room());
    end(UpdateOutcome.Done.WRITTEN);
    assertTrue(underWay.size() >= FIRST_WINDOW, "the next has begun");
    int waited = 100 - outcomes.size() - underWay.size();
    now += 999 * MILLI;
    writes.beginWaiting();
    assertEquals(waited, 100 - outcomes.size() - underWay.size());
    now += MILLI;
    writes.beginWaiting();
    assertEquals(100, outcomes.size() + underWay.size(), "nobody waits any more");
    Unanswered.Refused why =
        assertInstanceOf(Unanswered.Refused.class, outcomes.getLast(), outcomes::toString);
    assertEquals(Unanswered.Reason.OVERLOADED, why.reason());
    assertTrue(why.retryAfterMillis() >= 1);
  }

  @Test
  void nobodyWaitsForMoreThanAQuarterOfItsTime() {
    submit(20, 400);
    now += 99 * MILLI;
    writes.beginWaiting();
    assertEquals(0, outcomes.size());
    now += MILLI;
    end(UpdateOutcome.Done.WRITTEN);
    assertEquals(20 - FIRST_WINDOW + 1, outcomes.size(), "late ones are not begun");
    assertEquals(FIRST_WINDOW - 1, underWay.size());
  }

  @Test
  void theWindowGrowsWhileWritesAreQuickAndFillIt() {
    submit(20, 5_000);
    for (int i = 1; i <= 100; i++) {
      submit(4, 5_000);
      now += 5 * MILLI;
      end(UpdateOutcome.Done.WRITTEN);
      assertEquals(Math.min(32, FIRST_WINDOW + i), underWay.size(), "half of the cost at most");
    }
  }

  @Test
  void whatIsNotUsedDoesNotGrow() {
    for (int i = 0; i < 100; i++) {
      submit(1, 5_000);
      end(UpdateOutcome.Done.WRITTEN);
    }
    submit(100, 5_000);
    assertEquals(FIRST_WINDOW, underWay.size());
  }

  @Test
  void theWindowShrinksOnceForAllThatWereUnderWayTogether() {
    submit((int) FIRST_WINDOW, 5_000);
    now += 2 * LargeWrites.TARGET_NANOS;
    while (!underWay.isEmpty()) {
      end(UpdateOutcome.Done.WRITTEN);
    }
    submit(100, 5_000);
    assertEquals(6, underWay.size(), "three quarters of 8 MiB");
  }

  @Test
  void failuresHalveItDownToTheLeast() {
    Unanswered.Unknown failure = new Unanswered.Unknown("late");
    submit((int) FIRST_WINDOW, 5_000);
    while (!underWay.isEmpty()) {
      end(failure);
    }
    submit(4, 5_000);
    submit(1, 5_000);
    assertEquals(4, underWay.size());
    for (int i = 0; i < 10; i++) {
      now += 10 * MILLI;
      end(failure);
      submit(1, 5_000);
    }
    while (!underWay.isEmpty()) {
      now += MILLI;
      end(failure);
    }
    submit(10, 5_000);
    assertEquals(2, underWay.size());
  }

  @Test
  void fullMemtablesNarrowItAndShutIt() {
    full = 0.25;
    submit(10, 5_000);
    assertEquals(FIRST_WINDOW / 2, underWay.size());
    full = 0.5;
    while (!underWay.isEmpty()) {
      end(UpdateOutcome.Done.WRITTEN);
    }
    submit(1, 5_000);
    assertEquals(0, underWay.size());
    assertEquals(0, writes.room());
    full = 0.4;
    writes.beginWaiting();
    assertTrue(underWay.size() >= 1);
  }

  @Test
  void oneIsBegunHoweverLargeItIs() {
    writes.submit("any", 1_000 * MILLI, 2 * COST, underWay::add, outcomes::add);
    assertEquals(1, underWay.size());
    end(UpdateOutcome.Done.WRITTEN);
    assertTrue(writes.room() > 0);
  }
}
