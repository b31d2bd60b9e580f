package dev.tern.lsm.table;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.entry.Keys;
import java.lang.foreign.MemorySegment;
import org.junit.jupiter.api.Test;

class BloomTest {
  private static byte[] key(long number) {
    byte[] key = new byte[16];
    Keys.LONG.set(key, 8, number);
    return key;
  }

  private static double falsePositives(int keys, int bits) {
    long[] hashes = new long[keys];
    Bloom.Hashes gathered = new Bloom.Hashes();
    for (int i = 0; i < keys; i++) {
      hashes[i] = Keys.hash(key(i));
      gathered.add(hashes[i]);
    }
    byte[] filter = Bloom.build(gathered, bits);
    MemorySegment memory = java.lang.foreign.Arena.ofAuto().allocate(filter.length, 64);
    memory.copyFrom(MemorySegment.ofArray(filter));
    int probes = Bloom.probes(memory);
    for (long hash : hashes) {
      assertTrue(
          Bloom.mayContain(memory, filter.length, probes, hash), "a key that was added is denied");
    }
    int wrong = 0;
    for (int i = 0; i < 100_000; i++) {
      wrong +=
          Bloom.mayContain(memory, filter.length, probes, Keys.hash(key(1L << 40 | i))) ? 1 : 0;
    }
    return wrong / 100_000.0;
  }

  @Test
  void itDeniesNoKeyThatWasAddedAndFewOthers() {
    for (int keys : new int[] {1, 7, 100, 5_000, 200_000}) {
      double rate = falsePositives(keys, Bloom.BITS_PER_KEY);
      assertTrue(rate < 0.025, keys + " keys: " + rate);
      double last = falsePositives(keys, Bloom.LAST_LEVEL_BITS_PER_KEY);
      assertTrue(last < 0.05, keys + " keys, last level: " + last);
    }
  }
}
