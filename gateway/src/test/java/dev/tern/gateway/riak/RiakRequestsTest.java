package dev.tern.gateway.riak;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import java.util.List;
import org.junit.jupiter.api.Test;

class RiakRequestsTest {
  private static String text(Reason reason, long retryAfterMillis) {
    return RiakRequests.text(new Unanswered.Refused(reason, "why", retryAfterMillis), "r");
  }

  @Test
  void refusalsAreInRiaksWords() {
    assertEquals("overload, retry after 250 ms", text(Reason.OVERLOADED, 250));
    assertEquals("overload", text(Reason.OVERLOADED, 0));
    assertEquals("why", text(Reason.TRY_AGAIN, 0));
    assertEquals("timeout", RiakRequests.text(new Unanswered.Unknown("why"), "r"));
    Unanswered.Shortfall shortfall = new Unanswered.Shortfall(2, 1, List.of(3));
    assertEquals(
        "{r_val_unsatisfied,2,1}",
        RiakRequests.text(new Unanswered.Refused(Reason.UNAVAILABLE, "why", 0, shortfall), "r"));
  }
}
