package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.fail;

import java.util.function.LongPredicate;

/// What every simulation from seeds must be: clean, the same twice, and able to find mistakes.
final class Seeds {
  private Seeds() {}

  /// One seed, with a mistake planted or `NONE`.
  interface Run {
    Simulation.Result of(long seed, String mistake);
  }

  static void areClean(Run run, long count) {
    for (long seed = 1; seed <= count; seed++) {
      assertNull(run.of(seed, "NONE").failure(), "seed " + seed);
    }
  }

  static void runAlikeTwice(Run run) {
    for (long seed = 1; seed <= 5; seed++) {
      assertEquals(run.of(seed, "NONE"), run.of(seed, "NONE"));
    }
  }

  /// One of the seeds up to `last` finds the mistake, and is clean without it.
  static void find(Run run, String mistake, long first, long last) {
    find(run, mistake, first, last, seed -> true);
  }

  /// One of some of the seeds up to `last` does.
  static void find(Run run, String mistake, long first, long last, LongPredicate some) {
    for (long seed = first; seed <= last; seed++) {
      if (some.test(seed) && run.of(seed, mistake).failure() != null) {
        assertNull(run.of(seed, "NONE").failure(), "seed " + seed + " without " + mistake);
        return;
      }
    }
    fail(mistake + " was not found by the seeds from " + first + " to " + last);
  }
}
