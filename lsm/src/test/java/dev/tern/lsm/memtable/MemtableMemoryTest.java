package dev.tern.lsm.memtable;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.Batches;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.WriteBatch;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Lookup;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// What memtables say they hold is what they hold, and not much more than what was put in.
class MemtableMemoryTest {
  private static final ColumnFamily FAMILY = Batches.family(0, "data");
  private static final MemoryAccount MEMORY = MemoryAccount.unbounded();

  private final BatchEntries entries = new BatchEntries();
  private long sequence;

  private static byte[] key(int number) {
    return ByteBuffer.allocate(8).putInt(number * 0x9e3779b9).putInt(number).array();
  }

  private void put(Memtable memtable, byte[] key, byte[] value) {
    entries.begin(Batches.encoded(new WriteBatch().put(FAMILY, key, value), ++sequence));
    assertTrue(entries.next());
    memtable.apply(entries);
  }

  private static byte[] value(int number, int length) {
    byte[] value = new byte[length];
    new Random(number).nextBytes(value);
    return value;
  }

  private void assertFound(Memtable memtable, int number, int length) {
    Lookup lookup = new Lookup();
    byte[] key = key(number);
    lookup.begin(key, Keys.hash(key), Long.MAX_VALUE);
    assertEquals(Lookup.FOUND, memtable.find(lookup), "key " + number);
    ByteBuffer found = ByteBuffer.wrap(lookup.array, (int) lookup.valueAt, lookup.valueLength);
    assertEquals(ByteBuffer.wrap(value(number, length)), found, "key " + number);
  }

  private Memtable filled(int count, int length) {
    Memtable memtable = new Memtable(new Chunks(0, MEMORY), MEMORY);
    for (int i = 0; i < count; i++) {
      put(memtable, key(i), value(i, length));
    }
    return memtable;
  }

  @Test
  void whatIsHeldIsLittleMoreThanWhatWasPut() {
    int[] lengths = {100, 5000, 60_000, 100_000, 130_000, 140_000, 200_000, 262_144, 300_000};
    for (int length : lengths) {
      int count = (24 << 20) / length;
      Memtable memtable = filled(count, length);
      long put = (long) count * (8 + length);
      double held = (double) memtable.heldBytes() / put;
      double most = length < 1000 ? 3 : 1.35;
      assertTrue(held > 1 && held < most, "values of %d: %.2f".formatted(length, held));
      assertTrue(memtable.bytes() * 1.5 >= memtable.heldBytes() - (64 << 10));
      for (int i = 0; i < count; i += Math.max(1, count / 50)) {
        assertFound(memtable, i, length);
      }
    }
  }

  /// Addresses go further than 4,096 arrays.
  @Test
  void manyArraysKeepTheirValues() {
    int count = 4200;
    int length = 131_100;
    byte[] value = new byte[length];
    Memtable memtable = new Memtable(new Chunks(0, MEMORY), MEMORY);
    for (int i = 0; i < count; i++) {
      ByteBuffer.wrap(value).putInt(i);
      put(memtable, key(i), value);
    }
    Lookup lookup = new Lookup();
    for (int i = 0; i < count; i++) {
      byte[] key = key(i);
      lookup.begin(key, Keys.hash(key), Long.MAX_VALUE);
      assertEquals(Lookup.FOUND, memtable.find(lookup));
      assertEquals(i, ByteBuffer.wrap(lookup.array, (int) lookup.valueAt, 4).getInt());
    }
  }

  @Test
  void noArrayTakesMoreThanAPowerOfTwo() {
    Chunks chunks = new Chunks(0, MEMORY);
    assertTrue(chunks.takeData().length + 16 <= 1 << 20);
    assertTrue(4 * chunks.takeNodes().length + 16 <= 1 << 20);
  }
}
