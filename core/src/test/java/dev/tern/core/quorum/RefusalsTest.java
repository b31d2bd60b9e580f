package dev.tern.core.quorum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Unanswered.Refused;
import dev.tern.core.keyspace.Unanswered.Shortfall;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What a client is told whose read had too few answers: the cause that it can do something about.
class RefusalsTest {
  private static final Shortfall SHORTFALL = new Shortfall(2, 1, List.of(2, 3));
  private static final Refused FULL = new Refused(Reason.DISK_FULL, "full", 500);
  private static final Refused BUSY = new Refused(Reason.OVERLOADED, "busy", 20);

  private static Refused tell(Refusals refusals) {
    return refusals.tell("1 of 3 answered", SHORTFALL);
  }

  @Test
  void nobodySaidAnything() {
    assertEquals(
        new Refused(Reason.UNAVAILABLE, "1 of 3 answered", 0, SHORTFALL), tell(Refusals.NONE));
  }

  @Test
  void aStoreThatTakesNothingIsTheCause() {
    assertSame(BUSY, tell(Refusals.NONE.with(BUSY)));
    assertSame(FULL, tell(Refusals.NONE.with(BUSY).with(FULL)));
    assertSame(FULL, tell(Refusals.NONE.with(FULL).withUnreadable("rot")));
  }

  @Test
  void whatCannotBeReadIsSaidBesides() {
    assertEquals("1 of 3 answered; rot", tell(Refusals.NONE.withUnreadable("rot")).message());
    Refused unreadable = new Refused(Reason.UNAVAILABLE, "rot", 0);
    assertEquals("1 of 3 answered; rot", tell(Refusals.NONE.with(unreadable)).message());
  }

  @Test
  void otherRefusalsSayNothingOfTheReplica() {
    Refused invalid = new Refused(Reason.INVALID, "no", 0);
    assertSame(Refusals.NONE, Refusals.NONE.with(invalid));
  }
}
