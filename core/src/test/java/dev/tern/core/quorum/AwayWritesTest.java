package dev.tern.core.quorum;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class AwayWritesTest {
  private final AwayWrites writes = new AwayWrites();

  @Test
  void aWriteCountsUntilAllHaveAnswered() {
    writes.sent(7, 3, 1, 0);
    writes.sent(7, 3, 2, 0);
    writes.answered(1, 7);
    assertTrue(writes.any(3, 1));
    assertFalse(writes.any(4, 1));
    writes.answered(1, 7);
    writes.answered(2, 8);
    assertTrue(writes.any(3, 1));
    writes.answered(2, 7);
    assertFalse(writes.any(3, 1));
  }

  @Test
  void oneThatIsNeverAnsweredCountsForItsTime() {
    writes.sent(7, 3, 1, 0);
    assertTrue(writes.any(3, AwayWrites.LINGER_NANOS - 1));
    assertFalse(writes.any(3, AwayWrites.LINGER_NANOS));
  }

  @Test
  void beyondTheBoundEveryPartitionCounts() {
    for (int i = 0; i <= AwayWrites.MAX; i++) {
      writes.sent(i, 3, 1, 5);
      writes.answered(i == AwayWrites.MAX ? 1 : 2, i);
    }
    assertTrue(writes.any(4, AwayWrites.LINGER_NANOS));
    assertFalse(writes.any(4, AwayWrites.LINGER_NANOS + 5));
  }
}
