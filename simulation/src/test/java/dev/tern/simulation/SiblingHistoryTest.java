package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/// What the checker of keyspaces with siblings takes for possible.
class SiblingHistoryTest {
  private final SiblingHistory history = new SiblingHistory();

  private SiblingHistory.Write put(String value, Set<String> over, long began, long acknowledged) {
    SiblingHistory.Write write = history.begin("k", value, over, began);
    write.acknowledged = acknowledged;
    return write;
  }

  private void read(List<String> shown, long began, long ended) {
    history.read("k", shown, began, ended, /* strict= */ true);
  }

  @Test
  void anAcknowledgedWriteIsShownUntilSomebodyTriesToReplaceIt() {
    put("a", Set.of(), 1, 2);
    put("b", Set.of(), 3, 4);
    assertThrows(History.Violation.class, () -> read(List.of("b"), 5, 6));
    put("c", Set.of("a"), 7, Long.MAX_VALUE);
    assertThrows(History.Violation.class, () -> read(List.of("b"), 5, 6));
    assertDoesNotThrow(() -> read(List.of("b", "c"), 8, 9));
    assertDoesNotThrow(() -> read(List.of("a", "b"), 8, 9));
  }

  /// What replaced it is shown, or is gone itself.
  @Test
  void anAcknowledgedWriteIsNotReplacedByWhatNobodyIsShown() {
    put("a", Set.of(), 1, 2);
    put("b", Set.of("a"), 3, Long.MAX_VALUE);
    assertThrows(History.Violation.class, () -> read(List.of(), 5, 6));
    assertDoesNotThrow(() -> read(List.of("b"), 5, 6));
    put("-c", Set.of("b"), 7, Long.MAX_VALUE);
    assertDoesNotThrow(() -> read(List.of(), 8, 9));
  }

  /// Seed 1885761275652981528: a replica took both in the same event of the clock.
  @Test
  void aReadShowsWhatBeganAtTheMomentThatItEnded() {
    put("a", Set.of(), 1, 2);
    put("b", Set.of("a"), 5, 5);
    assertDoesNotThrow(() -> read(List.of("b"), 5, 5));
  }

  @Test
  void nothingIsShownThatAnAcknowledgedWriteHasReplaced() {
    put("a", Set.of(), 1, 2);
    put("b", Set.of("a"), 3, 4);
    assertDoesNotThrow(() -> read(List.of("a"), 4, 5));
    assertThrows(History.Violation.class, () -> read(List.of("a", "b"), 5, 6));
  }
}
