package dev.tern.core.quorum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// What is said in place of an answer that cannot be sent.
class StandInTest {
  private static final Siblings RECORD = Siblings.of(Version.put(3, 7, 9, 0, new byte[5]));

  /// An update whose answer is lost may have been carried out: to say that it was refused would be
  /// wrong.
  @Test
  void whatMayHaveBeenDoneIsNeverRefused() {
    Message.Updated done = new Message.Updated(4, new UpdateOutcome.Done(true, true, new byte[9]));
    Message.Updated instead =
        assertInstanceOf(Message.Updated.class, StandIn.of(done, "too large"));
    assertEquals(4, instead.id());
    assertInstanceOf(Unanswered.Unknown.class, instead.outcome());
  }

  @Test
  void aReadIsRefusedWithTheCause() {
    Message.Refused instead =
        assertInstanceOf(
            Message.Refused.class, StandIn.of(new Message.Value(4, RECORD), "too large"));
    assertEquals("too large", instead.why().message());
  }

  @Test
  void recordsOfDotsAreUnreadableAndThoseOfARangeAreAskedForElsewhere() {
    DotSet dots = RECORD.dots();
    dots.addRun(3, 8, 9);
    List<RepairPage.RepairRecord> records =
        List.of(new RepairPage.RepairRecord(7, 1, new byte[1], RECORD));
    RepairPage page =
        new RepairPage(dots, dots, new DotSet(), new byte[0], RepairPage.Answer.RECORDS, records);
    Message.Repaired instead =
        assertInstanceOf(
            Message.Repaired.class, StandIn.of(new Message.Repaired(1, 2, 5, page), "too large"));
    assertTrue(instead.page().unreadable().contains(3, 7));
    assertTrue(instead.page().covered().contains(3, 8));
    assertTrue(instead.page().records().isEmpty());
    RepairPage range =
        new RepairPage(
            dots, new DotSet(), new DotSet(), new byte[9], RepairPage.Answer.RECORDS, records);
    assertNull(StandIn.of(new Message.Repaired(1, 2, 5, range), "too large"));
  }

  @Test
  void largeAnswersThatFindNoRoomAreKeptAsSmallOnes() {
    List<Message.Reply> sent = new ArrayList<>();
    boolean[] open = {false};
    UnsentAnswers unsent = new UnsentAnswers((node, shard, answer) -> open[0] && sent.add(answer));
    for (int i = 0; i < 8; i++) {
      unsent.add(2, 0, new Message.Value(i, RECORD), 4 << 20, 0);
    }
    open[0] = true;
    unsent.send(2);
    assertEquals(8, sent.size());
    assertInstanceOf(Message.Value.class, sent.get(2));
    assertInstanceOf(Message.Refused.class, sent.get(3));
    assertNotNull(sent.get(7));
  }
}
