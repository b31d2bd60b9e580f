package dev.tern.lsm.epoch;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EpochsTest {
  @Test
  void nothingIsFreedThatAReaderMayHaveSeen() {
    Epochs<?> epochs = new Epochs<>(Object::new);
    List<String> freed = new ArrayList<>();
    epochs.retire(() -> freed.add("a"));
    assertEquals(List.of("a"), freed);
    Epochs.Reader<?> before = epochs.enter();
    epochs.retire(() -> freed.add("b"));
    Epochs.Reader<?> after = epochs.enter();
    epochs.retire(() -> freed.add("c"));
    assertEquals(2, epochs.waiting());
    before.exit();
    epochs.reclaim();
    assertEquals(List.of("a", "b"), freed);
    after.exit();
    epochs.reclaim();
    assertEquals(List.of("a", "b", "c"), freed);
    assertEquals(0, epochs.waiting());
  }

  @Test
  void anyNumberOfReadersIsInside() {
    Epochs<?> epochs = new Epochs<>(Object::new);
    List<String> freed = new ArrayList<>();
    List<Epochs.Reader<?>> readers = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      readers.add(epochs.enter());
    }
    assertEquals(20_000, readers.stream().distinct().count());
    epochs.retire(() -> freed.add("a"));
    for (Epochs.Reader<?> reader : readers) {
      epochs.reclaim();
      assertEquals(List.of(), freed);
      reader.exit();
    }
    epochs.reclaim();
    assertEquals(List.of("a"), freed);
  }

  /// Readers with and without a place hold up what they may have seen, and nothing else.
  @Test
  void aReaderWithoutAPlaceHoldsUpWhatItMayHaveSeen() {
    Epochs<?> epochs = new Epochs<>(Object::new);
    List<String> freed = new ArrayList<>();
    List<Epochs.Reader<?>> others = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      others.add(epochs.enter());
    }
    Epochs.Reader<?> before = epochs.enter();
    others.forEach(Epochs.Reader::exit);
    epochs.retire(() -> freed.add("a"));
    assertEquals(List.of(), freed);
    Epochs.Reader<?> after = epochs.enter();
    before.exit();
    epochs.reclaim();
    assertEquals(List.of("a"), freed);
    after.exit();
  }

  /// A reader that waits holds nothing up, counts as inside, and is in a later epoch behind that.
  @Test
  void aReaderThatWaitsHoldsNothingUp() {
    for (int others : new int[] {0, 600}) {
      Epochs<?> epochs = new Epochs<>(Object::new);
      List<String> freed = new ArrayList<>();
      List<Epochs.Reader<?>> busy = new ArrayList<>();
      for (int i = 0; i < others; i++) {
        busy.add(epochs.enter());
      }
      Epochs.Reader<?> reader = epochs.enter();
      busy.forEach(Epochs.Reader::exit);
      epochs.retire(() -> freed.add("a"));
      assertEquals(List.of(), freed);
      reader.pause();
      epochs.reclaim();
      assertEquals(List.of("a"), freed);
      epochs.retire(() -> freed.add("b"));
      assertEquals(List.of("a", "b"), freed);
      assertFalse(epochs.isEmpty());
      Epochs.Reader<?> another = epochs.enter();
      assertNotSame(reader, another);
      another.exit();
      reader.resume();
      epochs.retire(() -> freed.add("c"));
      assertEquals(List.of("a", "b"), freed);
      reader.pause();
      reader.resume();
      epochs.reclaim();
      assertEquals(List.of("a", "b", "c"), freed);
      reader.exit();
      assertTrue(epochs.isEmpty());
    }
  }
}
