package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/// Tables whose keys are all in deleted ranges go without being read.
class RangeDropTest {
  private static final int KEYS = 400;

  private final Bed bed = new Bed(5);

  private static byte[] key(int number) {
    return Bed.bytes("key-%04d".formatted(number));
  }

  private static ColumnFamily filled(Bed bed, Lsm lsm, CompactionStyle style) throws IOException {
    ColumnFamily family = lsm.columnFamily("data", style);
    for (int i = 0; i < KEYS; i++) {
      lsm.append(new WriteBatch().put(family, key(i), new byte[50]));
      if (i % 50 == 49) {
        flush(bed, lsm);
      }
    }
    bed.settle();
    return family;
  }

  /// A flush waits for the one under way, which runs while the simulated time does.
  private static void flush(Bed bed, Lsm lsm) throws IOException {
    bed.settle();
    lsm.flush();
    bed.settle();
  }

  private static long tables(Lsm lsm) {
    return lsm.statistics().tables();
  }

  @Test
  void aFlushedDeletionDropsWhatItCovers() throws IOException {
    for (CompactionStyle style : CompactionStyle.values()) {
      Bed other = new Bed(style.ordinal());
      Lsm lsm = other.open();
      ColumnFamily family = filled(other, lsm, style);
      assertTrue(tables(lsm) > 1, "tables: " + tables(lsm));
      long read = lsm.statistics().compactionBytesRead();
      lsm.deleteRange(family, key(0), key(KEYS));
      flush(other, lsm);
      assertTrue(tables(lsm) <= 1, style + " tables: " + lsm.statistics().levels());
      // But for the table that has the deletion alone.
      long more = lsm.statistics().compactionBytesRead() - read;
      assertTrue(more < 1000, "bytes of tables that were read: " + more);
      assertTrue(lsm.statistics().tablesDropped() > 1);
      assertNull(lsm.get(family, key(7)));
      lsm.append(new WriteBatch().put(family, key(7), new byte[] {1}));
      lsm.close();
      try (Lsm again = other.open()) {
        ColumnFamily same = again.columnFamily("data", style);
        assertArrayEquals(new byte[] {1}, again.get(same, key(7)));
        assertNull(again.get(same, key(8)));
      }
    }
  }

  /// What lies across a bound of the deletion stays; two deletions side by side are as one.
  @Test
  void onlyWhatIsCoveredWholeIsDropped() throws IOException {
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = filled(bed, lsm, CompactionStyle.LEVELED);
      lsm.deleteRange(family, key(10), key(200));
      lsm.deleteRange(family, key(200), key(390));
      flush(bed, lsm);
      for (int i = 0; i < KEYS; i++) {
        assertEquals(i < 10 || i >= 390, lsm.get(family, key(i)) != null, "key " + i);
      }
      assertTrue(lsm.statistics().tablesDropped() > 0);
    }
  }

  /// In a FIFO family nothing but a drop takes tables away.
  @Test
  void aSnapshotAndAnIteratorKeepWhatTheySee() throws IOException {
    Lsm lsm = bed.open();
    ColumnFamily family = filled(bed, lsm, CompactionStyle.FIFO);
    Snapshot snapshot = lsm.snapshot();
    LsmIterator iterator = lsm.iterator(family, IteratorOptions.all());
    lsm.deleteRange(family, key(0), key(KEYS));
    flush(bed, lsm);
    assertEquals(0, lsm.statistics().tablesDropped());
    assertNull(lsm.get(family, key(7)));
    assertNotNull(lsm.get(family, key(7), snapshot));
    snapshot.close();
    bed.settle();
    lsm.retry();
    bed.settle();
    assertTrue(lsm.statistics().tablesDropped() > 0);
    int found = 0;
    for (iterator.seekToFirst(); iterator.valid(); iterator.next()) {
      found++;
    }
    assertEquals(KEYS, found);
    iterator.close();
    lsm.close();
  }
}
