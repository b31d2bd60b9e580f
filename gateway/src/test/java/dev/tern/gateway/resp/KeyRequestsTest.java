package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.gateway.session.KeyOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class KeyRequestsTest {
  private final ScriptedKeyspace keyspace = new ScriptedKeyspace();
  private final KeyOrder order = new KeyOrder();
  private final KeyRequests requests = new KeyRequests(keyspace, order);
  private final List<String> told = new ArrayList<>();

  @BeforeEach
  void slow() {
    keyspace.waits = true;
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  private void put(String key, String value, Level level) {
    Update put = new Update.Put(bytes(value), Update.NO_EXPIRY, Update.Condition.NONE, false);
    requests.update(bytes(key), put, level, outcome -> told.add("put " + value));
  }

  private void put(String key, String value) {
    put(key, value, Level.DEFAULT);
  }

  private void increment(String key, String name) {
    requests.update(
        bytes(key), new Update.Add(1), Level.DEFAULT, outcome -> told.add("update " + name));
  }

  private void get(String key, String name) {
    requests.read(
        bytes(key),
        Level.DEFAULT,
        /* valueOnly= */ true,
        outcome ->
            told.add(
                name
                    + "="
                    + (outcome instanceof ReadOutcome.Found found
                        ? new String(found.value(), US_ASCII)
                        : "?")));
  }

  @Test
  void pairsOfSetAndGetOfOneKeyCostNoRead() {
    put("k", "1");
    get("k", "a");
    put("k", "2");
    get("k", "b");
    assertEquals(1, keyspace.waiting());
    keyspace.answerNext();
    assertEquals(List.of("put 1", "a=1"), told);
    keyspace.answerNext();
    assertEquals(List.of("put 1", "a=1", "put 2", "b=2"), told);
    assertEquals(List.of("Put k", "Put k"), keyspace.asked);
    assertTrue(order.isIdle());
  }

  /// Two puts of one key that are under way together may be minted in any order, or one of them
  /// twice.
  @Test
  void aPutThatWaitsTakesEffectWithTheOneBehindIt() {
    put("k", "1");
    put("k", "2");
    get("k", "b");
    put("k", "3");
    put("k", "4");
    assertEquals(1, keyspace.waiting());
    keyspace.answerNext();
    assertEquals(1, keyspace.waiting());
    assertFalse(order.isIdle());
    keyspace.answerNext();
    assertEquals(List.of("put 1", "put 2", "b=2", "put 3", "put 4"), told);
    assertEquals(List.of("Put k", "Put k"), keyspace.asked);
    assertTrue(order.isIdle());
  }

  @Test
  void aPutOfAnotherLevelIsSentForItself() {
    put("k", "1");
    put("k", "2");
    put("k", "3", Level.LINEARIZABLE);
    for (int sent = 1; sent <= 3; sent++) {
      assertEquals(sent, keyspace.asked.size());
      keyspace.answerNext();
    }
    assertEquals(List.of("put 1", "put 2", "put 3"), told);
  }

  @Test
  void aGetThatCameLaterThanTheSetWaitsAndReads() {
    put("k", "1");
    requests.nextTurn();
    get("k", "a");
    assertEquals(List.of("Put k"), keyspace.asked);
    keyspace.answerNext();
    assertEquals(List.of("put 1"), told);
    assertEquals(List.of("Put k", "read k"), keyspace.asked);
    keyspace.answerNext();
    assertEquals(List.of("put 1", "a=1"), told);
  }

  @Test
  void aGetBehindASetThatFailedReads() {
    keyspace.failure = new Unanswered.Unknown("lost");
    put("k", "1");
    get("k", "a");
    keyspace.answerNext();
    assertEquals(List.of("Put k", "read k"), keyspace.asked);
    assertFalse(order.isIdle());
  }

  @Test
  void otherKeysGoOnBehindOneThatWaits() {
    increment("k", "1");
    get("k", "waits");
    get("other", "goes on");
    assertEquals(List.of("Add k", "read other"), keyspace.asked);
    keyspace.answerNext();
    assertEquals(List.of("Add k", "read other", "read k"), keyspace.asked);
  }
}
