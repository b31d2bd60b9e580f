package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.UpdateOutcome;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class KeyOrderTest {
  private final KeyOrder order = new KeyOrder();
  private final Map<String, Completion<UpdateOutcome>> updating = new LinkedHashMap<>();
  private final Map<String, Completion<ReadOutcome>> reading = new LinkedHashMap<>();
  private final List<String> told = new ArrayList<>();

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  private void put(String key, String value) {
    order.update(
        bytes(key),
        CommandTable.Kind.PUT,
        Level.DEFAULT,
        bytes(value),
        done -> updating.put(value, done),
        outcome -> told.add("put " + value));
  }

  private void increment(String key, String name) {
    order.update(
        bytes(key),
        CommandTable.Kind.UPDATE,
        Level.DEFAULT,
        null,
        done -> updating.put(name, done),
        outcome -> told.add("update " + name));
  }

  private void get(String key, String name) {
    order.read(
        bytes(key),
        Level.DEFAULT,
        true,
        done -> reading.put(name, done),
        outcome ->
            told.add(
                name
                    + "="
                    + (outcome instanceof ReadOutcome.Found found
                        ? new String(found.value(), US_ASCII)
                        : "?")));
  }

  private void ends(String name) {
    updating.remove(name).complete(UpdateOutcome.Done.WRITTEN);
  }

  @Test
  void pairsOfSetAndGetOfOneKeyCostNoRead() {
    put("k", "1");
    get("k", "a");
    put("k", "2");
    get("k", "b");
    assertEquals(List.of("1"), List.copyOf(updating.keySet()));
    ends("1");
    assertEquals(List.of("put 1", "a=1"), told);
    assertEquals(List.of("2"), List.copyOf(updating.keySet()));
    ends("2");
    assertEquals(List.of("put 1", "a=1", "put 2", "b=2"), told);
    assertTrue(reading.isEmpty());
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
    assertEquals(List.of("1"), List.copyOf(updating.keySet()));
    ends("1");
    assertEquals(List.of("4"), List.copyOf(updating.keySet()));
    assertFalse(order.isIdle());
    ends("4");
    assertEquals(List.of("put 1", "put 2", "b=2", "put 3", "put 4"), told);
    assertTrue(order.isIdle());
  }

  @Test
  void aPutOfAnotherLevelIsSentForItself() {
    put("k", "1");
    put("k", "2");
    order.update(
        bytes("k"),
        CommandTable.Kind.PUT,
        Level.LINEARIZABLE,
        bytes("3"),
        done -> updating.put("3", done),
        outcome -> told.add("put 3"));
    ends("1");
    assertEquals(List.of("2"), List.copyOf(updating.keySet()));
    ends("2");
    assertEquals(List.of("3"), List.copyOf(updating.keySet()));
    ends("3");
    assertEquals(List.of("put 1", "put 2", "put 3"), told);
  }

  @Test
  void aGetThatCameLaterThanTheSetWaitsAndReads() {
    put("k", "1");
    order.nextTurn();
    get("k", "a");
    assertTrue(reading.isEmpty());
    ends("1");
    assertEquals(List.of("put 1"), told);
    reading.get("a").complete(new ReadOutcome.Found(bytes("of another"), 0));
    assertEquals(List.of("put 1", "a=of another"), told);
  }

  @Test
  void aGetBehindASetThatFailedReads() {
    put("k", "1");
    get("k", "a");
    updating.remove("1").complete(new Unanswered.Unknown("lost"));
    assertEquals(List.of("a"), List.copyOf(reading.keySet()));
    assertFalse(order.isIdle());
  }

  @Test
  void otherKeysGoOnBehindOneThatWaits() {
    increment("k", "1");
    get("k", "waits");
    get("other", "goes on");
    assertEquals(List.of("goes on"), List.copyOf(reading.keySet()));
    ends("1");
    assertEquals(List.of("goes on", "waits"), List.copyOf(reading.keySet()));
  }

  @Test
  void kindsOfOneKeyTakeTurns() {
    get("k", "a");
    get("k", "b");
    increment("k", "1");
    increment("k", "2");
    get("k", "c");
    assertEquals(List.of("a", "b"), List.copyOf(reading.keySet()));
    reading.remove("a").complete(ReadOutcome.Missing.INSTANCE);
    assertTrue(updating.isEmpty());
    reading.remove("b").complete(ReadOutcome.Missing.INSTANCE);
    assertEquals(List.of("1", "2"), List.copyOf(updating.keySet()));
    ends("1");
    assertTrue(reading.isEmpty());
    ends("2");
    assertEquals(List.of("c"), List.copyOf(reading.keySet()));
  }
}
