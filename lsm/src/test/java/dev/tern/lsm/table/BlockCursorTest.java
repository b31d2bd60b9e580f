package dev.tern.lsm.table;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.Entries;
import dev.tern.lsm.cache.Block;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.entry.Keys;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class BlockCursorTest {
  private static Block block(List<Entries.Entry> entries, int restarts) {
    BlockBuilder builder = new BlockBuilder(restarts);
    for (Entries.Entry entry : entries) {
      int at =
          builder.add(
              entry.key(),
              0,
              entry.key().length,
              entry.sequence(),
              entry.kind(),
              entry.value().length);
      System.arraycopy(entry.value(), 0, builder.values(), at, entry.value().length);
    }
    builder.finish();
    Block block = Block.ofBuffer(new NativeMemory(), builder.length());
    MemorySegment.copy(
        builder.array(), 0, block.memory, ValueLayout.JAVA_BYTE, block.base, builder.length());
    return block;
  }

  private static List<Entries.Entry> entries(Random random, int keys) {
    TreeSet<byte[]> chosen = new TreeSet<>(Arrays::compareUnsigned);
    for (int i = 0; i < keys; i++) {
      chosen.add(Entries.anyKey(random));
    }
    List<Entries.Entry> entries = new ArrayList<>();
    for (byte[] key : chosen) {
      long sequence = 1L << random.nextInt(56);
      for (int version = random.nextInt(4) == 0 ? 40 : 0; version >= 0; version--) {
        byte[] value = new byte[random.nextInt(10) == 0 ? 300 : random.nextInt(5)];
        random.nextBytes(value);
        entries.add(new Entries.Entry(key, sequence + version, random.nextInt(2), value));
      }
    }
    return entries;
  }

  private static void assertStands(BlockCursor cursor, Entries.Entry entry) {
    assertTrue(cursor.valid);
    assertArrayEquals(entry.key(), Arrays.copyOf(cursor.key, cursor.keyLength));
    assertEquals(entry.sequence(), cursor.sequence);
    assertEquals(entry.kind(), cursor.kind);
    byte[] value = new byte[cursor.valueLength];
    cursor.copyValue(value, 0);
    assertArrayEquals(entry.value(), value);
  }

  private static int firstAt(List<Entries.Entry> entries, byte[] target) {
    int at = 0;
    while (at < entries.size() && Keys.compare(entries.get(at).key(), target) < 0) {
      at++;
    }
    return at;
  }

  @Test
  void itWalksBothWaysFromEverywhere() {
    Random random = new Random(1);
    for (int round = 0; round < 300; round++) {
      List<Entries.Entry> entries = entries(random, 1 + random.nextInt(40));
      BlockCursor cursor = new BlockCursor();
      cursor.open(block(entries, 1 + random.nextInt(17)));
      int at = 0;
      cursor.first();
      for (int step = 0; step < 200; step++) {
        if (random.nextInt(20) == 0 || at < 0 || at >= entries.size()) {
          assertEquals(at >= 0 && at < entries.size(), cursor.valid);
          byte[] target = Entries.anyKey(random);
          at = random.nextInt(3) == 0 ? entries.size() - 1 : firstAt(entries, target);
          if (at == entries.size() - 1 && random.nextBoolean()) {
            cursor.last();
          } else {
            at = firstAt(entries, target);
            cursor.seek(target);
          }
        } else if (random.nextInt(5) < 2) {
          cursor.next();
          at++;
        } else {
          cursor.prev();
          at--;
        }
        if (at >= 0 && at < entries.size()) {
          assertStands(cursor, entries.get(at));
        } else {
          assertFalse(cursor.valid);
        }
      }
    }
  }

  @Test
  void aSearchFindsTheFirstAtOrAfterAndTheNewestVisible() {
    Random random = new Random(2);
    for (int round = 0; round < 300; round++) {
      List<Entries.Entry> entries = entries(random, 1 + random.nextInt(40));
      Block block = block(entries, 1 + random.nextInt(17));
      BlockCursor cursor = new BlockCursor();
      cursor.open(block);
      for (int step = 0; step < 60; step++) {
        byte[] target = Entries.anyKey(random);
        int at = firstAt(entries, target);
        BlockCursor.Place place = new BlockCursor.Place();
        boolean found = BlockCursor.find(block, target, place);
        boolean exact = at < entries.size() && Arrays.equals(entries.get(at).key(), target);
        assertEquals(at < entries.size(), found);
        if (found) {
          assertEquals(exact, place.exact);
        }
        if (exact) {
          long most = entries.get(at).sequence() - random.nextInt(45);
          int visible = at;
          while (visible < entries.size()
              && Arrays.equals(entries.get(visible).key(), target)
              && entries.get(visible).sequence() > most) {
            visible++;
          }
          boolean is =
              visible < entries.size() && Arrays.equals(entries.get(visible).key(), target);
          assertEquals(is, BlockCursor.settle(block, target, most, place));
          if (is) {
            assertEquals(entries.get(visible).sequence(), place.packed >>> 4);
            assertEquals(entries.get(visible).value().length, place.valueLength);
          }
        }
      }
    }
  }
}
