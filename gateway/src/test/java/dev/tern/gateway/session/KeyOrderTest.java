package dev.tern.gateway.session;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.gateway.session.KeyOrder.Kind;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class KeyOrderTest {
  private final KeyOrder order = new KeyOrder();
  private final List<String> begun = new ArrayList<>();

  private final class Named extends KeyOrder.Turn {
    final String name;
    final String of;
    final Kind kind;
    boolean endsAtOnce;

    Named(Kind kind, String key, String name) {
      super(kind, key.getBytes(US_ASCII));
      this.kind = kind;
      this.of = key;
      this.name = name;
    }

    @Override
    protected void begin() {
      begun.add(name);
      if (endsAtOnce) {
        order.end(this);
      }
    }
  }

  private Named add(Kind kind, String key, String name) {
    Named turn = new Named(kind, key, name);
    order.add(turn);
    return turn;
  }

  @Test
  void kindsOfOneKeyTakeTurns() {
    Named a = add(Kind.READ, "k", "a");
    Named b = add(Kind.READ, "k", "b");
    Named first = add(Kind.UPDATE, "k", "1");
    Named second = add(Kind.UPDATE, "k", "2");
    add(Kind.READ, "k", "c");
    assertEquals(List.of("a", "b"), begun);
    order.end(b);
    assertEquals(List.of("a", "b"), begun);
    order.end(a);
    assertEquals(List.of("a", "b", "1", "2"), begun);
    order.end(first);
    order.end(second);
    assertEquals(List.of("a", "b", "1", "2", "c"), begun);
  }

  @Test
  void turnsAloneBeginOneAfterTheOther() {
    Named a = add(Kind.ALONE, "k", "a");
    Named b = add(Kind.ALONE, "k", "b");
    add(Kind.ALONE, "other", "c");
    assertEquals(List.of("a", "c"), begun);
    order.end(a);
    assertEquals(List.of("a", "c", "b"), begun);
    assertTrue(b.hasBegun());
  }

  @Test
  void manyTurnsThatEndAtOnceDoNotNest() {
    Named first = add(Kind.ALONE, "k", "first");
    for (int i = 0; i < 50_000; i++) {
      Named turn = new Named(Kind.ALONE, "k", "next");
      turn.endsAtOnce = true;
      order.add(turn);
    }
    order.end(first);
    assertEquals(50_001, begun.size());
    assertTrue(order.isIdle());
  }

  /// What the class comment promises, recomputed from scratch after each step.
  private static void check(Map<String, List<Named>> model) {
    model.forEach(
        (key, turns) -> {
          for (int i = 0; i < turns.size(); i++) {
            Named turn = turns.get(i);
            boolean mayBegin = true;
            for (Named before : turns.subList(0, i)) {
              mayBegin &= turn.kind != Kind.ALONE && before.kind == turn.kind;
            }
            assertEquals(mayBegin, turn.hasBegun(), key + " " + turn.name);
          }
        });
  }

  @Test
  void anyMixKeepsTheOrderOfEachKey() {
    for (int seed = 0; seed < 200; seed++) {
      Random random = new Random(seed);
      int keys = 1 + random.nextInt(60);
      Map<String, List<Named>> model = new HashMap<>();
      List<Named> all = new ArrayList<>();
      for (int step = 0; step < 400; step++) {
        List<Named> running = all.stream().filter(KeyOrder.Turn::hasBegun).toList();
        if (!running.isEmpty() && random.nextInt(5) < 2) {
          Named ends = running.get(random.nextInt(running.size()));
          all.remove(ends);
          model.get(ends.of).remove(ends);
          order.end(ends);
        } else {
          // Keys "Aa" and "BB" have the same hash; so have keys made of them.
          int number = random.nextInt(keys);
          String key = (number % 2 == 0 ? "Aa" : "BB") + number / 2;
          Kind kind = Kind.values()[random.nextInt(3)];
          Named turn = new Named(kind, key, "turn " + step);
          model.computeIfAbsent(key, any -> new ArrayList<>()).add(turn);
          all.add(turn);
          order.add(turn);
        }
        check(model);
        assertEquals(all.isEmpty(), order.isIdle());
      }
      while (!all.isEmpty()) {
        Named ends = all.stream().filter(KeyOrder.Turn::hasBegun).findFirst().orElseThrow();
        all.remove(ends);
        model.get(ends.of).remove(ends);
        order.end(ends);
      }
      assertTrue(order.isIdle());
    }
    assertFalse(begun.isEmpty());
  }
}
