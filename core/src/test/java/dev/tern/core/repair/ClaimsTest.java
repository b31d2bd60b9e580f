package dev.tern.core.repair;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.version.DotSet;
import org.junit.jupiter.api.Test;

/// A dot is claimed when its record or its replacement is here.
class ClaimsTest {
  private static DotSet dots(long from, long to) {
    DotSet dots = new DotSet();
    dots.addRun(7, from, to);
    return dots;
  }

  /// Dots 1 to 10 come first, one of them replaced by dot 200, which is on a later page.
  @Test
  void aReplacedDotWaitsForWhatReplacedIt() {
    Claims claims = new Claims();
    DotSet here = dots(1, 4);
    claims.page(dots(1, 10), dots(1, 200), new DotSet(), new DotSet());
    assertTrue(claims.ripe(here).isEmpty(), "claimed before its replacement came");
    here.addRun(7, 11, 199);
    assertTrue(claims.ripe(here).isEmpty(), "claimed before its replacement came");
    here.addRun(7, 200, 200);
    assertEquals(10, claims.ripe(here).size());
    assertTrue(claims.ripe(here).isEmpty());
  }

  @Test
  void theLastPageRipensThoseBeforeIt() {
    Claims claims = new Claims();
    claims.page(dots(1, 100), dots(1, 200), new DotSet(), new DotSet());
    assertTrue(claims.ripe(new DotSet()).isEmpty());
    assertEquals(100, claims.toAsk(dots(1, 200)).size());
    claims.page(dots(101, 200), dots(1, 200), new DotSet(), new DotSet());
    assertEquals(200, claims.ripe(new DotSet()).size());
  }

  /// It has dots 1 to 21 of 63 left: those behind them, which it waited for, come from nobody.
  @Test
  void whatAReplicaSaidBeforeItWasSetBackIsAskedForAgain() {
    Claims claims = new Claims();
    claims.page(dots(18, 22), dots(1, 63), new DotSet(), new DotSet());
    claims.heard(dots(1, 70));
    assertTrue(claims.toAsk(dots(18, 21)).isEmpty());
    claims.heard(dots(1, 21));
    assertEquals(4, claims.toAsk(dots(18, 21)).size());
    claims.page(dots(18, 21), dots(1, 21), new DotSet(), new DotSet());
    assertEquals(4, claims.ripe(dots(1, 17)).size());
  }

  /// What a refused record replaced is not claimed, and the record is not asked for over and over.
  @Test
  void whatWasRefusedHoldsClaimsBackAndIsPassedOver() {
    Claims claims = new Claims();
    DotSet others = dots(1, 99);
    others.addRun(7, 101, 200);
    claims.page(others, dots(1, 200), dots(100, 100), new DotSet());
    assertTrue(claims.ripe(new DotSet()).isEmpty());
    assertTrue(claims.toAsk(dots(1, 200)).isEmpty());
    assertTrue(claims.hasPassedOver());
    claims.again();
    assertFalse(claims.hasPassedOver());
    assertEquals(1, claims.toAsk(dots(1, 200)).size());
    assertEquals(199, claims.ripe(dots(100, 100)).size());
  }

  /// A set with more gaps than are kept forgets some: nothing is claimed for that.
  @Test
  void nothingIsClaimedBecauseASetForgot() {
    DotSet clock = new DotSet();
    for (int i = 0; i < DotSet.MAX_RUNS; i++) {
      clock.addRun(1, 10L * i + 1, 10L * i + 5);
    }
    DotSet here = new DotSet();
    for (int i = 0; i < DotSet.MAX_RUNS; i++) {
      // Each run of the clock is left in two pieces, the last one in none.
      here.addRun(1, 10L * i + 3, i == DotSet.MAX_RUNS - 1 ? 10L * i + 5 : 10L * i + 3);
    }
    DotSet replaced = new DotSet();
    replaced.addRun(2, 1, 1);
    for (int i = 0; i < DotSet.MAX_RUNS / 2; i++) {
      replaced.addRun(1, 10L * i + 1, 10L * i + 5);
    }
    Claims claims = new Claims();
    claims.page(replaced, clock, new DotSet(), new DotSet());
    assertTrue(claims.ripe(here).isEmpty());
    here.addAll(clock);
    assertEquals(replaced.size(), claims.ripe(here).size());
  }

  @Test
  void whatCannotBeReadInTwoPassesWillNotBeGiven() {
    Claims claims = new Claims();
    claims.page(new DotSet(), new DotSet(), dots(1, 1), dots(2, 3));
    claims.page(new DotSet(), new DotSet(), new DotSet(), dots(2, 3));
    assertTrue(claims.ungiven().isEmpty(), "in one pass");
    assertEquals(1, claims.toAsk(dots(1, 4)).size());
    claims.again();
    assertEquals(4, claims.toAsk(dots(1, 4)).size());
    claims.page(new DotSet(), new DotSet(), dots(1, 1), dots(3, 4));
    assertEquals(1, claims.ungiven().size());
    assertTrue(claims.ungiven().contains(7, 3));
  }

  @Test
  void whatIsRefusedInTwoPassesIsNotWaitedForAndNothingOfItIsClaimed() {
    Claims claims = new Claims();
    claims.page(dots(1, 1), dots(1, 2), dots(2, 2), new DotSet());
    claims.page(dots(1, 1), dots(1, 2), dots(2, 2), new DotSet());
    assertTrue(claims.untaken().isEmpty(), "in one pass");
    claims.again();
    assertTrue(claims.untaken().isEmpty());
    claims.page(dots(1, 1), dots(1, 2), dots(2, 2), new DotSet());
    assertEquals(1, claims.untaken().size());
    assertTrue(claims.ungiven().isEmpty(), "the other replica could give it");
    assertTrue(claims.ripe(new DotSet()).isEmpty(), "what it replaced is claimed");
    assertTrue(claims.ripe(dots(2, 2)).contains(7, 1));
  }
}
