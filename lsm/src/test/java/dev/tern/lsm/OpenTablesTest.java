package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// Tables are opened when somebody looks into them, and so many stay open as the options say.
class OpenTablesTest {
  private static final int TABLES = 12;
  private static final int MOST = 3;

  private final Bed bed = new Bed(5);

  OpenTablesTest() {
    bed.options = options(1 << 20);
  }

  private static LsmOptions options(long cacheBytes) {
    LsmOptions.Tuning tuning = Bed.options(1 << 20, cacheBytes, 256, 1 << 20).tuning();
    return LsmOptions.DEFAULT.withTuning(tuning.withOpenTables(MOST));
  }

  /// A store with a table for each of some families.
  private void fill() throws IOException {
    try (Lsm lsm = bed.open()) {
      for (int i = 0; i < TABLES; i++) {
        ColumnFamily family = lsm.columnFamily("family-" + i, CompactionStyle.LEVELED);
        for (int key = 0; key < 20; key++) {
          lsm.append(new WriteBatch().put(family, Entries.key(key), value(i, key)));
        }
        lsm.flushLog();
      }
    }
    bed.settle();
  }

  private static byte[] value(int family, int key) {
    return Bed.bytes(family + "=" + key + "x".repeat(key));
  }

  private long openFiles() {
    return bed.disk.open.stream().filter(path -> path.endsWith(".table")).count();
  }

  private static ColumnFamily family(Lsm lsm, int number) throws IOException {
    return lsm.columnFamily("family-" + number, CompactionStyle.LEVELED);
  }

  @Test
  void anOpeningReadsNoTable() throws IOException {
    fill();
    bed.disk.readErrors = 0;
    try (Lsm lsm = bed.open()) {
      assertEquals(0, openFiles());
      assertEquals(TABLES, lsm.statistics().tables());
      assertEquals(0, lsm.statistics().memory().filtersAndIndexes());
      assertEquals(0, lsm.statistics().openTables());
    }
  }

  /// A reader that may not block must not wait for a slow disk because a memtable was flushed.
  @Test
  void whatAFlushOrACompactionWroteIsOpen() throws IOException {
    bed.options = bed.options.withTuning(bed.options.tuning().withOpenTables(16));
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = family(lsm, 1);
      for (int round = 0; round < 6; round++) {
        for (int key = 0; key < 40; key += 2) {
          lsm.append(new WriteBatch().put(family, Entries.key(key), value(round, key)));
        }
        lsm.flush();
        assertMostAreAbsentWithoutReading(lsm, family);
      }
      bed.settle();
      assertTrue(lsm.statistics().compactions() > 0);
      assertMostAreAbsentWithoutReading(lsm, family);
    }
  }

  /// A filter may be wrong now and then.
  private static void assertMostAreAbsentWithoutReading(Lsm lsm, ColumnFamily family)
      throws IOException {
    int absent = 0;
    for (int key = 1; key < 39; key += 2) {
      absent += lsm.getCached(family, Entries.key(key), Long.MAX_VALUE) == null ? 1 : 0;
    }
    assertTrue(absent >= 15, absent + " of 19");
  }

  @Test
  void noMoreFilesAreOpenThanTheOptionsSay() throws IOException {
    fill();
    try (Lsm lsm = bed.open()) {
      for (int round = 0; round < 3; round++) {
        for (int i = 0; i < TABLES; i++) {
          assertArrayEquals(value(i, 7), lsm.get(family(lsm, i), Entries.key(7)));
          lsm.retry();
          assertTrue(openFiles() <= MOST, "open: " + bed.disk.open);
          assertEquals(openFiles(), lsm.statistics().openTables());
        }
      }
      assertEquals(MOST, openFiles());
    }
    assertEquals(List.of(), bed.disk.open);
  }

  /// An iterator keeps the file in which it stands, and no other.
  @Test
  void iteratorsKeepTheirTables() throws IOException {
    fill();
    try (Lsm lsm = bed.open()) {
      List<LsmIterator> iterators = new ArrayList<>();
      for (int i = 0; i < TABLES; i++) {
        LsmIterator iterator = lsm.iterator(family(lsm, i), IteratorOptions.all());
        iterator.seekToFirst();
        iterators.add(iterator);
      }
      assertEquals(TABLES, openFiles());
      for (int key = 0; key < 20; key++) {
        for (int i = 0; i < TABLES; i++) {
          LsmIterator iterator = iterators.get(i);
          assertArrayEquals(value(i, key), iterator.value());
          iterator.next();
        }
      }
      iterators.forEach(LsmIterator::close);
      lsm.retry();
      assertTrue(openFiles() <= MOST, "open: " + bed.disk.open);
    }
    assertEquals(List.of(), bed.disk.open);
  }

  /// What stays in memory of open tables is within the cache's bytes.
  @Test
  void filtersAndIndexesGoWhenTheyWantTooMuch() throws IOException {
    bed.options = options(512);
    fill();
    try (Lsm lsm = bed.open()) {
      for (int i = 0; i < 3 * TABLES; i++) {
        int number = i % TABLES;
        assertArrayEquals(value(number, 3), lsm.get(family(lsm, number), Entries.key(3)));
        long held = lsm.statistics().memory().filtersAndIndexes();
        assertTrue(held > 0 && held <= 512, "held: " + held);
      }
    }
  }

  /// A table of another life is refused before anything in it counts, also when it is opened again.
  @Test
  void anotherFileOfTheSameLengthIsRefusedWhenItIsLookedInto() throws IOException {
    fill();
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    List<String> tables = files.keySet().stream().filter(n -> n.endsWith(".table")).toList();
    byte[] own = files.get(tables.getFirst());
    byte[] changed = own.clone();
    // The life in the footer, and the footer's checksum.
    int footer = own.length - 84;
    changed[footer + 50] ^= 1;
    ByteBuffer.wrap(changed).putInt(footer + 72, Checksums.crc(changed, footer, footer + 72));
    files.put(tables.getFirst(), changed);
    bed.restore(Bed.STORE, files);
    try (Lsm lsm = bed.open()) {
      CorruptionException e =
          assertThrows(CorruptionException.class, () -> lsm.get(family(lsm, 0), Entries.key(1)));
      assertTrue(e.getMessage().contains(tables.getFirst()), e.getMessage());
      assertTrue(e.getMessage().contains("another file under this name"), e.getMessage());
      assertArrayEquals(value(1, 1), lsm.get(family(lsm, 1), Entries.key(1)));
    }
  }

  /// Without reading, a table that is closed answers nothing.
  @Test
  void aTableThatIsClosedIsNotOpenedForWhoMayNotRead() throws IOException {
    fill();
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = family(lsm, 0);
      assertTrue(Lsm.NOT_CACHED == lsm.getCached(family, Entries.key(4), Long.MAX_VALUE));
      assertEquals(0, openFiles());
      assertArrayEquals(value(0, 4), lsm.get(family, Entries.key(4)));
      assertArrayEquals(value(0, 4), lsm.getCached(family, Entries.key(4), Long.MAX_VALUE));
    }
  }
}
