package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Iterators and snapshots that outlive many memtables: the memtables' arrays are used again, and
/// who looks at an old moment sees none of it.
class HeldReadersTest {
  private static final int KEYS = 400;
  private static final int HELD = 5;

  /// A moment: what was there, and two ways to look at it.
  private record Held(
      TreeMap<byte[], byte[]> then, LsmIterator iterator, boolean started, Snapshot snapshot) {}

  private final Bed bed = new Bed(5);
  private final Randomness random = Randomness.of(5);
  private final TreeMap<byte[], byte[]> model = new TreeMap<>(Arrays::compareUnsigned);

  private void write(Lsm lsm, ColumnFamily family, int number) throws IOException {
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < 8; i++) {
      byte[] key = Bed.bytes("key-%05d".formatted(random.nextInt(KEYS)));
      byte[] value = new byte[random.nextInt(1000)];
      Arrays.fill(value, (byte) (number + i));
      if (random.nextInt(10) == 0) {
        batch.delete(family, key);
        model.remove(key);
      } else {
        batch.put(family, key, value);
        model.put(key, value);
      }
    }
    lsm.append(batch);
    lsm.flushLog();
  }

  private Held hold(Lsm lsm, ColumnFamily family) throws IOException {
    LsmIterator iterator = lsm.iterator(family, IteratorOptions.all());
    boolean started = random.nextInt(2) == 0;
    if (started) {
      iterator.seekToFirst();
    }
    TreeMap<byte[], byte[]> then = new TreeMap<>(model);
    return new Held(then, iterator, started, lsm.snapshot());
  }

  private void check(Lsm lsm, ColumnFamily family, Held held) throws IOException {
    try (LsmIterator iterator = held.iterator;
        Snapshot snapshot = held.snapshot) {
      if (!held.started) {
        iterator.seekToFirst();
      }
      for (Map.Entry<byte[], byte[]> entry : held.then.entrySet()) {
        assertTrue(iterator.valid());
        assertArrayEquals(entry.getKey(), iterator.key());
        assertArrayEquals(entry.getValue(), iterator.value());
        assertArrayEquals(entry.getValue(), lsm.get(family, entry.getKey(), snapshot));
        iterator.next();
      }
      assertTrue(!iterator.valid());
    }
  }

  @Test
  void anOldMomentStaysWhatItWas() throws IOException {
    bed.options = Bed.options(1 << 20, 64 << 10, 1024, 1 << 20);
    ArrayDeque<Held> held = new ArrayDeque<>();
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      for (int number = 0; number < 12_000; number++) {
        write(lsm, family, number);
        if (number % 20 == 0) {
          bed.world.runUntil(bed.world.nanos() + 1_000_000);
        }
        if (random.nextInt(400) == 0) {
          held.add(hold(lsm, family));
        }
        if (held.size() > HELD) {
          check(lsm, family, held.poll());
        }
      }
      for (Held last : held) {
        check(lsm, family, last);
      }
      assertTrue(lsm.statistics().flushes() > 20, "few memtables: the test tests nothing");
    }
  }
}
