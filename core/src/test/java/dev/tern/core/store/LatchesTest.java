package dev.tern.core.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Writes of one key run one after the other, in the order in which they came.
class LatchesTest {
  private final Latches latches = new Latches();
  private final List<String> ran = new ArrayList<>();

  private static byte[] key(int number) {
    return new byte[] {(byte) number};
  }

  private void queue(int key, String name) {
    assertTrue(latches.queue(key(key), () -> ran.add(name)));
  }

  @Test
  void aKeyIsHeldFromTakeToRelease() {
    assertFalse(latches.isHeld(key(1)));
    latches.take(key(1));
    assertTrue(latches.isHeld(key(1)));
    assertFalse(latches.isHeld(key(2)));
    assertThrows(IllegalStateException.class, () -> latches.take(key(1)));
    latches.release(key(1));
    assertFalse(latches.isHeld(key(1)));
  }

  @Test
  void whatWaitsRunsInOrder() {
    latches.take(key(1));
    latches.take(key(2));
    queue(1, "a");
    queue(2, "other");
    queue(1, "b");
    assertEquals(3, latches.waiting());
    latches.release(key(1));
    assertEquals(List.of("a", "b"), ran);
    assertEquals(1, latches.waiting());
  }

  @Test
  void whoLatchesAgainTakesTheRestAlong() {
    latches.take(key(1));
    assertTrue(
        latches.queue(
            key(1),
            () -> {
              ran.add("a");
              latches.take(key(1));
            }));
    queue(1, "b");
    queue(1, "c");
    latches.release(key(1));
    assertEquals(List.of("a"), ran);
    assertTrue(latches.isHeld(key(1)));
    assertEquals(2, latches.waiting());
    latches.release(key(1));
    assertEquals(List.of("a", "b", "c"), ran);
    assertEquals(0, latches.waiting());
  }

  @Test
  void aFullQueueRefuses() {
    assertFalse(latches.queue(key(1), () -> ran.add("never")), "nobody holds the key");
    latches.take(key(1));
    for (int i = 0; i < Latches.MAX_QUEUED; i++) {
      queue(1, "x");
    }
    assertFalse(latches.queue(key(1), () -> ran.add("never")));
    latches.release(key(1));
    assertEquals(Latches.MAX_QUEUED, ran.size());
    assertFalse(ran.contains("never"));
  }
}
