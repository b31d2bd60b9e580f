package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/// Iterators that go forward by seeks, as the steps of a scan do from slot to slot.
class ForwardSeeksTest {
  private static final int TABLES = 6;
  private static final int KEYS = 40;

  private static byte[] key(int number) {
    return ByteBuffer.allocate(4).putInt(number).array();
  }

  /// Keys of all tables lie between each other, each value is a block that no cache keeps.
  private static ColumnFamily fill(Lsm lsm) throws IOException {
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
    for (int table = 0; table < TABLES; table++) {
      WriteBatch batch = new WriteBatch();
      for (int i = 0; i < KEYS; i++) {
        batch.put(family, key((i * TABLES + table) << 16), new byte[20_000]);
      }
      lsm.append(batch);
      lsm.flush();
    }
    return family;
  }

  @Test
  void seeksOverKeysFarApartReadEachBlockTwiceAtMost() throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(8 << 20, 0, 256, 8 << 20);
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = fill(lsm);
      long before = lsm.statistics().cacheMisses();
      int found = 0;
      try (LsmIterator iterator = lsm.iterator(family, IteratorOptions.all())) {
        iterator.seekToFirst();
        while (iterator.valid()) {
          found++;
          byte[] target = key(ByteBuffer.wrap(iterator.key()).getInt() + 1);
          iterator.seek(target);
        }
      }
      assertEquals(TABLES * KEYS, found);
      long read = lsm.statistics().cacheMisses() - before;
      assertTrue(read <= 2 * TABLES * KEYS + 10L * TABLES, "blocks read: " + read);
    }
  }

  /// Where a seek finds the iterator in its place, what the caller does between the seeks counts.
  @Test
  void seeksFindWhatTheyWouldFindAnew() throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(8 << 20, 0, 256, 8 << 20);
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = fill(lsm);
      dev.tern.env.Randomness random = dev.tern.env.Randomness.of(5);
      byte[] target = new byte[4];
      try (LsmIterator iterator = lsm.iterator(family, IteratorOptions.all())) {
        for (int i = 0; i < 3_000; i++) {
          int at = random.nextInt((TABLES * KEYS) << 16);
          if (iterator.valid() && random.nextInt(2) == 0) {
            at = ByteBuffer.wrap(iterator.key()).getInt() - random.nextInt(1 << 17);
          }
          at = Math.max(0, at);
          ByteBuffer.wrap(target).putInt(at);
          iterator.seek(target);
          int next = (at + 0xffff) & ~0xffff;
          assertEquals(next < (TABLES * KEYS) << 16, iterator.valid());
          if (iterator.valid()) {
            assertEquals(next, ByteBuffer.wrap(iterator.key()).getInt());
            switch (random.nextInt(4)) {
              case 0 -> iterator.next();
              case 1 -> iterator.prev();
              default -> {}
            }
          }
        }
      }
    }
  }
}
