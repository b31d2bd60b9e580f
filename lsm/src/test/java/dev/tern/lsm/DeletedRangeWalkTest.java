package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/// Iterators jump over a deleted range, in both directions.
class DeletedRangeWalkTest {
  private static final int KEYS = 5_000;

  @Test
  void aDeletedRangeIsReadInNeitherDirection() throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(8 << 20, 0, 256, 8 << 20);
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
      WriteBatch batch = new WriteBatch();
      for (int i = 0; i < KEYS; i++) {
        batch.put(family, Bed.bytes("key-%05d".formatted(i)), new byte[20]);
      }
      lsm.append(batch);
      lsm.flush();
      byte[] from = Bed.bytes("key-00010");
      byte[] to = Bed.bytes("key-%05d".formatted(KEYS - 10));
      lsm.append(new WriteBatch().deleteRange(family, from, to));
      try (LsmIterator iterator = lsm.iterator(family, IteratorOptions.all())) {
        long before = lsm.statistics().cacheMisses();
        int found = 0;
        for (iterator.seekToFirst(); iterator.valid(); iterator.next()) {
          found++;
        }
        assertEquals(20, found);
        long forward = lsm.statistics().cacheMisses() - before;
        for (iterator.seekToLast(); iterator.valid(); iterator.prev()) {
          found--;
        }
        assertEquals(0, found);
        long backward = lsm.statistics().cacheMisses() - before - forward;
        assertTrue(forward < 30, "blocks read forward: " + forward);
        assertTrue(backward < 30, "blocks read backward: " + backward);
      }
    }
  }
}
