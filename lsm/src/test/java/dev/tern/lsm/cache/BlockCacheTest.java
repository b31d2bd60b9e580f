package dev.tern.lsm.cache;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.epoch.Epochs;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BlockCacheTest {
  private final Epochs<?> epochs = new Epochs<>(Object::new);

  /// As a table does: looks, and fills on a miss. Null if it is not admitted.
  private static Block load(BlockCache cache, long table, long offset, int length) {
    Block found = cache.get(table, offset);
    if (found != null) {
      assertFilled(found);
      return found;
    }
    Block reserved = cache.reserve(table, offset, length, false);
    if (reserved == null) {
      return null;
    }
    for (int i = 0; i < length; i++) {
      reserved.memory.set(
          ValueLayout.JAVA_BYTE, reserved.base + i, (byte) (table * 31 + offset + i));
    }
    return cache.publish(reserved);
  }

  private static void assertFilled(Block block) {
    for (int i = 0; i < block.length; i++) {
      byte is = block.memory.get(ValueLayout.JAVA_BYTE, block.base + i);
      assertEquals((byte) (block.table * 31 + block.offset + i), is, "another's bytes");
    }
  }

  @Test
  void whatIsAskedForOftenStaysThroughAScan() {
    try (BlockCache cache = new BlockCache(256 << 10, epochs)) {
      for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 30; i++) {
          load(cache, 1, i * 4096L, 4000);
        }
      }
      for (int i = 0; i < 3000; i++) {
        load(cache, 2, i * 4096L, 4000);
        load(cache, 1, i % 30 * 4096L, 4000);
      }
      int kept = 0;
      for (int i = 0; i < 30; i++) {
        kept += cache.get(1, i * 4096L) != null ? 1 : 0;
      }
      assertTrue(kept >= 25, "a scan swept the cache: " + kept);
      assertTrue(cache.hits() > 2500, "what is asked for often was read again: " + cache.hits());
      assertTrue(cache.blocks().bytes() <= 256 << 10);
    }
  }

  /// A reader that stays in its epoch keeps evicted slots from being used again.
  @Test
  void aSlowReaderDoesNotEmptyTheCache() {
    try (BlockCache cache = new BlockCache(256 << 10, epochs)) {
      for (int round = 0; round < 6; round++) {
        for (int i = 0; i < 60; i++) {
          load(cache, 1, i * 4096L, 4000);
        }
      }
      Epochs.Reader<?> slow = epochs.enter();
      for (int i = 0; i < 20_000; i++) {
        load(cache, 2, i % 500 * 4096L, 4000);
      }
      int full = 0;
      for (int table = 1; table <= 2; table++) {
        for (int i = 0; i < 500; i++) {
          full += cache.get(table, i * 4096L) != null ? 1 : 0;
        }
      }
      assertTrue(full >= 50, "only " + full + " blocks are left");
      slow.exit();
      load(cache, 3, 0, 4000);
      assertEquals(0, epochs.waiting());
    }
  }

  @Test
  void aPinnedBlockKeepsItsBytes() {
    try (BlockCache cache = new BlockCache(64 << 10, epochs)) {
      Block pinned = load(cache, 1, 0, 4000);
      assertNotNull(pinned);
      pinned.pin();
      for (int round = 0; round < 4; round++) {
        for (int i = 1; i < 400; i++) {
          load(cache, 2 + i % 3, i / 3 * 4096L, 4000);
        }
      }
      assertFilled(pinned);
      pinned.unpin();
    }
  }

  @Test
  void aReaderInsideKeepsWhatItFound() {
    try (BlockCache cache = new BlockCache(64 << 10, epochs)) {
      Epochs.Reader<?> reader = epochs.enter();
      List<Block> seen = new ArrayList<>();
      for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++) {
          Block block = load(cache, 1, i * 4096L, 4000);
          if (block != null) {
            seen.add(block);
          }
        }
      }
      seen.forEach(BlockCacheTest::assertFilled);
      reader.exit();
    }
  }

  @Test
  void chargedMemoryShrinksItAndGivesItBack() {
    Random random = new Random(5);
    try (BlockCache cache = new BlockCache(1 << 20, epochs)) {
      long charged = 0;
      for (int round = 0; round < 400; round++) {
        Epochs.Reader<?> reader = random.nextBoolean() ? epochs.enter() : null;
        for (int i = 0; i < 60; i++) {
          load(cache, random.nextInt(20), random.nextInt(50), 100 << random.nextInt(8));
        }
        long more = random.nextBoolean() ? -charged : random.nextInt(1 << 20) - charged;
        cache.blocks().memory().add(MemoryPart.INDEXES, more);
        cache.shrink();
        charged += more;
        if (reader != null) {
          reader.exit();
        }
        epochs.reclaim();
        assertEquals(charged, cache.blocks().memory().held(MemoryPart.INDEXES));
        assertTrue(cache.heldBytes() >= 0 && cache.heldBytes() <= cache.blocks().bytes());
        assertTrue(
            cache.blocks().bytes() <= 1 << 20,
            "it grew beyond its bound: " + cache.blocks().bytes());
      }
      cache.blocks().memory().add(MemoryPart.INDEXES, -charged);
      int cached = 0;
      for (int i = 0; i < 200; i++) {
        cached += load(cache, 99, i, 1000) != null ? 1 : 0;
      }
      assertTrue(cached > 100, "the memory did not come back: " + cached);
    }
  }

  @Test
  void sizesThatAreNeededLaterGetMemoryOfOthers() {
    try (BlockCache cache = new BlockCache(1 << 20, epochs)) {
      for (int i = 0; i < 5000; i++) {
        load(cache, 1, i, 300);
      }
      int cached = 0;
      for (int i = 0; i < 500; i++) {
        cached += load(cache, 2, i % 20, 20_000) != null ? 1 : 0;
      }
      assertTrue(cached > 50, "a new size found no room: " + cached);
    }
  }

  @Test
  void withoutRoomNothingIsCached() {
    try (BlockCache cache = new BlockCache(0, epochs)) {
      assertNull(cache.reserve(1, 0, 100, true));
      assertNull(cache.get(1, 0));
      cache.blocks().memory().add(MemoryPart.INDEXES, 1000);
      cache.blocks().memory().add(MemoryPart.INDEXES, -1000);
      assertEquals(0, cache.blocks().bytes());
    }
  }

  @Test
  void theSketchCountsRoughlyAndForgets() {
    FrequencySketch sketch = new FrequencySketch(1000);
    long often = FrequencySketch.hash(1, 4096);
    for (int i = 0; i < 12; i++) {
      sketch.increment(often);
    }
    for (int i = 0; i < 500; i++) {
      sketch.increment(FrequencySketch.hash(2, i * 4096L));
    }
    assertTrue(sketch.estimate(often) >= 12);
    int wrong = 0;
    for (int i = 0; i < 500; i++) {
      wrong += sketch.estimate(FrequencySketch.hash(3, i * 4096L)) > 1 ? 1 : 0;
    }
    assertTrue(wrong < 25, "strangers count as known: " + wrong);
    for (int i = 0; i < 100_000; i++) {
      sketch.increment(FrequencySketch.hash(4, i % 5000 * 4096L));
    }
    assertTrue(sketch.estimate(often) < 12, "it never forgets");
  }
}
