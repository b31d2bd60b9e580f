package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// The tables of a moment stay while they are pinned, and a later moment says what is new.
class PinnedTablesTest {
  private final Bed bed = new Bed(1);
  private Lsm lsm;
  private ColumnFamily family;

  @BeforeEach
  void open() throws IOException {
    lsm = bed.open();
    family = lsm.columnFamily("family", CompactionStyle.LEVELED);
  }

  private void write(int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      lsm.append(new WriteBatch().put(family, Bed.bytes("key-" + i), new byte[100]));
      bed.world.runUntil(bed.world.nanos() + 1_000_000);
    }
    bed.settle();
    lsm.flush();
    bed.settle();
  }

  private static Set<Long> numbers(List<PinnedTables.File> files) {
    return files.stream()
        .map(PinnedTables.File::number)
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void filesStayWhileTheyArePinned() throws IOException {
    write(0, 100);
    PinnedTables pinned = lsm.pinTables();
    assertEquals(lsm.writtenSequence(), pinned.flushedSequence());
    assertTrue(pinned.files().size() > 1);
    for (int i = 0; i < 5; i++) {
      write(0, 100);
    }
    for (PinnedTables.File file : pinned.files()) {
      assertTrue(bed.disk.exists(file.path()), file.path());
      assertEquals(file.bytes(), bed.disk.size(file.path()));
      assertEquals("family", file.family());
      assertTrue(file.largestSequence() <= pinned.flushedSequence());
    }
    try (PinnedTables now = lsm.pinTables()) {
      assertFalse(numbers(now.files()).containsAll(numbers(pinned.files())), "nothing was merged");
    }
    pinned.close();
    pinned.close();
    bed.settle();
    lsm.retry();
    bed.settle();
    assertFalse(pinned.files().stream().allMatch(file -> bed.disk.exists(file.path())));
    lsm.close();
    assertThrows(IllegalStateException.class, lsm::pinTables);
  }

  /// A backup that has the files of before needs the new ones alone.
  @Test
  void whatIsNewSinceAnEarlierMomentCompletesABackup() throws IOException {
    write(0, 40);
    List<PinnedTables.File> before;
    try (PinnedTables first = lsm.pinTables()) {
      before = first.files();
      assertEquals(numbers(before), numbers(first.since(List.of())));
    }
    lsm.close();
    open();
    write(40, 60);
    try (PinnedTables second = lsm.pinTables()) {
      List<PinnedTables.File> added = second.since(before);
      assertFalse(added.isEmpty());
      Set<Long> together = numbers(before);
      together.addAll(numbers(added));
      assertTrue(together.containsAll(numbers(second.files())));
      assertTrue(added.stream().noneMatch(file -> numbers(before).contains(file.number())));
    }
  }

  @Test
  void aStoreCanBeClosedWhileItsTablesArePinned() throws IOException {
    write(0, 40);
    PinnedTables pinned = lsm.pinTables();
    lsm.close();
    for (PinnedTables.File file : pinned.files()) {
      assertTrue(bed.disk.exists(file.path()));
    }
    pinned.close();
    open();
    assertArrayEquals(new byte[100], lsm.get(family, Bed.bytes("key-7")));
  }
}
