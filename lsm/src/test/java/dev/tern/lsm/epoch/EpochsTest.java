package dev.tern.lsm.epoch;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
}
