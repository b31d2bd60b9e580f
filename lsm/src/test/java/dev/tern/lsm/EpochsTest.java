package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class EpochsTest {
  @Test
  void nothingIsFreedThatAReaderMayHaveSeen() {
    Epochs epochs = new Epochs();
    List<String> freed = new ArrayList<>();
    epochs.retire(() -> freed.add("a"));
    assertEquals(List.of("a"), freed);
    Epochs.Reader before = epochs.enter();
    epochs.retire(() -> freed.add("b"));
    Epochs.Reader after = epochs.enter();
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
    Epochs epochs = new Epochs();
    List<String> freed = new ArrayList<>();
    List<Epochs.Reader> readers = new ArrayList<>();
    for (int i = 0; i < 4096; i++) {
      readers.add(epochs.enter());
    }
    assertThrows(IllegalStateException.class, epochs::enter);
    assertEquals(4096, readers.stream().distinct().count());
    epochs.retire(() -> freed.add("a"));
    for (Epochs.Reader reader : readers) {
      epochs.reclaim();
      assertEquals(List.of(), freed);
      reader.exit();
    }
    epochs.reclaim();
    assertEquals(List.of("a"), freed);
  }
}
