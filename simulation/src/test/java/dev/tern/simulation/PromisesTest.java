package dev.tern.simulation;

import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.core.wire.Message;
import dev.tern.core.wire.RoutedKey;
import org.junit.jupiter.api.Test;

/// What [Promises] takes for a promise that was forgotten.
class PromisesTest {
  private static final int LEADER = 1;
  private static final int REPLICA = 2;
  private static final RoutedKey KEY = RoutedKey.of(1, 1, new byte[] {'k'});

  private final Promises promises = new Promises(3);

  private void readUnder(long id, long ballot) {
    promises.arrived(LEADER, REPLICA, new Message.Read(id, 1, KEY, false, false, false, ballot));
  }

  private void answers(Message message) {
    promises.sent(REPLICA, LEADER, message);
  }

  private void promisedBeforeARestart() {
    promises.started(REPLICA);
    readUnder(1, 100);
    answers(new Message.Value(1, null));
    promises.started(REPLICA);
  }

  @Test
  void anAnswerUnderALowerBallotAfterARestartIsFound() {
    promisedBeforeARestart();
    readUnder(2, 99);
    assertThrows(History.Violation.class, () -> answers(new Message.Value(2, null)));
  }

  @Test
  void whatIsRefusedOrOfAHigherBallotIsNot() {
    promisedBeforeARestart();
    readUnder(2, 99);
    answers(new Message.Outvoted(2, 100));
    readUnder(3, 101);
    assertDoesNotThrow(() -> answers(new Message.Value(3, null)));
  }

  /// Within a life an answer may be on its way when the next leader is promised more.
  @Test
  void norIsALateAnswerOfTheSameLife() {
    promises.started(REPLICA);
    readUnder(1, 99);
    readUnder(2, 100);
    answers(new Message.Value(2, null));
    assertDoesNotThrow(() -> answers(new Message.Value(1, null)));
  }

  @Test
  void norWhatADiskHasLost() {
    promisedBeforeARestart();
    promises.mayForget(REPLICA);
    readUnder(2, 99);
    assertDoesNotThrow(() -> answers(new Message.Value(2, null)));
  }
}
