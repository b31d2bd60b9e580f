package dev.tern.raft;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

/// Nothing is said to others before it is on the disk.
class OutboxTest {
  private final Outbox outbox = new Outbox(RaftBug.NONE);

  private static RaftMessage message(long index) {
    return new RaftMessage.Appended(1, index);
  }

  private long persist() {
    long number = outbox.nextWrite();
    outbox.persist(new Effect.Persist(number, HardState.NOTHING, List.of(), null));
    return number;
  }

  private static Effect.Send sent(int to, long index) {
    return new Effect.Send(to, message(index));
  }

  @Test
  void aMessageWaitsForItsWrite() {
    long first = persist();
    long second = persist();
    outbox.drain();
    outbox.sendAfter(second, 3, message(2));
    outbox.sendAfter(first, 2, message(1));
    assertTrue(outbox.isEmpty());
    outbox.persisted(first);
    assertEquals(List.of(sent(2, 1)), outbox.drain());
    outbox.persisted(second);
    assertEquals(List.of(sent(3, 2)), outbox.drain());
  }

  @Test
  void whatIsOnTheDiskIsSaidAtOnce() {
    long write = persist();
    outbox.drain();
    outbox.persisted(write);
    outbox.sendAfter(write, 2, message(1));
    assertEquals(List.of(sent(2, 1)), outbox.drain());
  }

  @Test
  void aLaterWriteIsNotForgottenByAnEarlierOneThatIsToldLate() {
    long first = persist();
    long second = persist();
    outbox.drain();
    outbox.persisted(second);
    outbox.persisted(first);
    assertTrue(outbox.isPersisted(second));
  }

  @Test
  void messagesKeepTheirOrder() {
    long write = persist();
    outbox.drain();
    for (int i = 1; i <= 5; i++) {
      outbox.sendAfter(write, 2, message(i));
    }
    outbox.persisted(write);
    assertEquals(
        List.of(sent(2, 1), sent(2, 2), sent(2, 3), sent(2, 4), sent(2, 5)), outbox.drain());
  }

  @Test
  void aWriteThatWasNeverHandedOutIsRefused() {
    assertThrows(IllegalStateException.class, () -> outbox.persisted(1));
  }
}
