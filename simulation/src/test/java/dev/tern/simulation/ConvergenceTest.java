package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.version.DotSet;
import java.util.List;
import org.junit.jupiter.api.Test;

/// How many records replicas that were alike may send each other.
class ConvergenceTest {
  private final DotSet none = new DotSet();
  private final DotSet one = new DotSet();
  private final DotSet two = new DotSet();

  ConvergenceTest() {
    one.add(7, 1);
    two.add(7, 1);
    two.add(7, 2);
  }

  @Test
  void nothingIsSentThatAllHave() {
    assertDoesNotThrow(() -> Convergence.mayBeSent(0, List.of(one), List.of(one), 3));
    assertThrows(
        History.Violation.class,
        () -> Convergence.mayBeSent(1, List.of(one, two), List.of(one, two), 3));
  }

  /// A write was on its way when the last replica came to be like the others.
  @Test
  void whatComesMeanwhileMayBeSentToTheOthers() {
    List<DotSet> before = List.of(none, one);
    List<DotSet> after = List.of(none, two);
    assertDoesNotThrow(() -> Convergence.mayBeSent(2, before, after, 3));
    assertThrows(History.Violation.class, () -> Convergence.mayBeSent(3, before, after, 3));
  }
}
