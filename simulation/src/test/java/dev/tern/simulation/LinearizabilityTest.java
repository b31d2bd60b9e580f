package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.simulation.Linearizability.Effect;
import dev.tern.simulation.Linearizability.Value;
import dev.tern.simulation.Linearizability.Verdict;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/// Histories that can be, and histories that cannot.
class LinearizabilityTest {
  private final Linearizability history = new Linearizability();

  private static Effect set(String value) {
    return before -> new Value(value);
  }

  private static Effect get(@Nullable String value) {
    return before -> Objects.equals(before, value) ? new Value(before) : Linearizability.IMPOSSIBLE;
  }

  private static Effect add(long result) {
    return before ->
        (before == null ? 0 : Long.parseLong(before)) + 1 == result
            ? new Value(Long.toString(result))
            : Linearizability.IMPOSSIBLE;
  }

  private void did(long from, long to, Effect effect) {
    history.begin("o", from, effect).answered(to, "", effect);
  }

  private void is(Verdict verdict) {
    assertEquals(verdict, history.verdict());
  }

  @Test
  void anEmptyHistoryIs() {
    is(Verdict.POSSIBLE);
  }

  @Test
  void whatFollowsOneAnotherIs() {
    did(1, 2, set("a"));
    did(3, 4, get("a"));
    did(5, 6, set("b"));
    did(7, 8, get("b"));
    is(Verdict.POSSIBLE);
  }

  @Test
  void aStaleReadIsNot() {
    did(1, 2, set("a"));
    did(3, 4, set("b"));
    did(5, 6, get("a"));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void concurrentWritesComeInEitherOrderButOneOnly() {
    did(1, 10, set("a"));
    did(1, 10, set("b"));
    did(11, 12, get("a"));
    is(Verdict.POSSIBLE);
    did(13, 14, get("b"));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void whatWasReadIsNotUnread() {
    did(1, 20, set("a"));
    did(2, 3, get("a"));
    did(4, 5, get(null));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void anUnknownWriteMayComeLate() {
    history.begin("o", 1, set("late"));
    did(3, 4, set("b"));
    did(5, 6, get("b"));
    did(7, 8, get("late"));
    did(9, 10, get("late"));
    is(Verdict.POSSIBLE);
    did(11, 12, get("b"));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void whatWasRefusedIsNotThere() {
    history.begin("o", 1, set("refused")).refused();
    did(5, 6, get("refused"));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void aPutBesideAnIncrementIsNotLost() {
    did(1, 2, set("5"));
    did(3, 10, add(6));
    did(4, 5, set("1000"));
    did(11, 12, get("6"));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void aPutBesideAnIncrementComesBeforeOrAfterIt() {
    did(1, 2, set("5"));
    did(3, 10, add(6));
    did(4, 5, set("1000"));
    did(11, 12, get("1000"));
    is(Verdict.POSSIBLE);
  }

  @Test
  void manyConcurrentWritesAreDecided() {
    for (int i = 0; i < 200; i++) {
      did(10L * i, 10L * i + 35, set("v" + i));
    }
    did(3_000, 3_001, get("v199"));
    is(Verdict.POSSIBLE);
    did(3_002, 3_003, get("v100"));
    is(Verdict.IMPOSSIBLE);
  }

  private void mayRepeat(long from, long to, String value) {
    history.begin("p", from, set(value)).mayRepeat().answered(to, "", set(value));
  }

  @Test
  void aPutMayBeSeenReplacedAndSeenOnceMoreBeforeItIsAnswered() {
    mayRepeat(1, 10, "1");
    did(2, 3, add(2));
    did(4, 5, set("7"));
    did(6, 7, add(2));
    is(Verdict.POSSIBLE);
  }

  @Test
  void aPutDoesNotComeBackAfterItsAnswer() {
    mayRepeat(1, 5, "1");
    did(2, 3, add(2));
    did(6, 7, set("7"));
    did(8, 9, add(2));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void aPutDoesNotComeBackTwice() {
    mayRepeat(1, 20, "1");
    did(2, 3, add(2));
    did(4, 5, set("7"));
    did(6, 7, add(2));
    did(8, 9, set("8"));
    did(10, 11, add(2));
    is(Verdict.IMPOSSIBLE);
  }

  @Test
  void aPutNeedNotComeBack() {
    mayRepeat(1, 10, "1");
    mayRepeat(2, 10, "2");
    did(11, 12, set("7"));
    did(13, 14, get("7"));
    mayRepeat(15, 20, "3");
    did(16, 17, add(4));
    did(21, 22, get("3"));
    is(Verdict.POSSIBLE);
  }
}
