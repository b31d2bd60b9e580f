package dev.tern.core.traffic;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import org.junit.jupiter.api.Test;

class ReadCacheTest {
  private final ReadCache cache = new ReadCache();

  private static KeyName name(int number) {
    return new KeyName(1, new byte[] {(byte) (number >> 8), (byte) number});
  }

  private static Siblings record(int bytes) {
    return Siblings.of(Version.put(1, 1, 1, 0, new byte[bytes]));
  }

  @Test
  void whatAReadSaidIsShownForAWhileFromItsBeginOn() {
    ReadCache.Entry entry = cache.entry(name(1), 1_000);
    assertFalse(entry.fresh(1_000));
    Siblings record = record(10);
    cache.learned(entry, record, 1_000, entry.writes());
    assertSame(entry, cache.entry(name(1), 2_000));
    assertSame(record, entry.record());
    assertTrue(entry.fresh(1_000 + ReadCache.FRESH_NANOS - 1));
    assertFalse(entry.fresh(1_000 + ReadCache.FRESH_NANOS));
    cache.learned(entry, null, 500, entry.writes());
    assertSame(record, entry.record(), "an older read came later");
    cache.learned(entry, null, 3_000, entry.writes());
    assertNull(entry.record());
    assertTrue(entry.fresh(4_000), "that there is none is known, too");
  }

  @Test
  void whatWasAskedBeforeAWriteIsNotShownAfterIt() {
    ReadCache.Entry entry = cache.entry(name(1), 0);
    int writes = entry.writes();
    cache.written(1, new byte[] {0, 1}, 5);
    cache.learned(entry, record(10), 0, writes);
    assertFalse(entry.fresh(6));
    cache.learned(entry, record(10), 6, entry.writes());
    assertTrue(entry.fresh(7));
    cache.written(1, new byte[] {0, 1}, 8);
    assertFalse(entry.fresh(9));
    assertEquals(0, cache.bytes());
    assertFalse(entry.spreads(8 + ReadCache.WRITTEN_NANOS - 1));
    assertTrue(entry.spreads(8 + ReadCache.WRITTEN_NANOS));
  }

  @Test
  void itIsBoundedInKeysAndBytes() {
    ReadCache.Entry large = cache.entry(name(0), 0);
    cache.learned(large, record(ReadCache.MAX_RECORD_BYTES + 1), 0, 0);
    assertFalse(large.fresh(1));
    for (int i = 1; i < 10 * ReadCache.MAX_ENTRIES; i++) {
      ReadCache.Entry entry = cache.entry(name(i), i);
      cache.learned(entry, record(ReadCache.MAX_RECORD_BYTES), i, 0);
      assertTrue(entry.fresh(i));
      assertTrue(cache.bytes() <= ReadCache.MAX_BYTES);
      assertTrue(cache.size() <= ReadCache.MAX_ENTRIES);
    }
    cache.learned(large, record(10), 1_000, 0);
    assertFalse(large.fresh(1_001), "it was evicted");
    cache.beat(60_000_000_000L);
    assertEquals(0, cache.size());
    assertEquals(0, cache.bytes());
  }
}
