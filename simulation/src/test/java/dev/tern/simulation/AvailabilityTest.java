package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/// A short look; `./tern simulate --availability HOURS` is the long one.
class AvailabilityTest {
  @Test
  void oneNodesTroubleIsHardlyNoticed() {
    AvailabilityRun.Result result = AvailabilityRun.run(1, 2);
    assertTrue(result.faults() >= 12, result.toString());
    assertTrue(result.percent() >= 99.99, result.toString());
    assertEquals(
        AvailabilityRun.run(1, 0.25),
        AvailabilityRun.run(1, 0.25),
        "the same seed, another outcome");
  }
}
