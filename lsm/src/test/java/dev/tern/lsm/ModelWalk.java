package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.env.Randomness;
import dev.tern.world.SimulatedClock;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;

/// What an iterator over a family should show; entries expire while it walks.
final class ModelWalk {
  private final Versions versions;
  private long step;
  private final IteratorOptions options;
  private final SimulatedClock clock;

  /// Where it stands, null for nowhere.
  private Map.Entry<byte[], byte[]> at;

  ModelWalk(Versions versions, long step, IteratorOptions options, SimulatedClock clock) {
    this.versions = versions;
    this.step = step;
    this.options = options;
    this.clock = clock;
  }

  void refresh(long now) {
    step = now;
    at = null;
  }

  private NavigableMap<byte[], byte[]> view() {
    NavigableMap<byte[], byte[]> view = versions.at(step, clock.wallMillis());
    byte[] lower = options.lower();
    byte[] upper = options.upper();
    if (lower != null && upper != null && Arrays.compareUnsigned(lower, upper) > 0) {
      return view.subMap(lower, true, lower, false);
    }
    view = lower == null ? view : view.tailMap(lower, true);
    return upper == null ? view : view.headMap(upper, false);
  }

  /// Seeks somewhere and makes some steps in both directions.
  void move(LsmIterator iterator, Randomness random, byte[] key) throws IOException {
    NavigableMap<byte[], byte[]> view = view();
    switch (random.nextInt(5)) {
      case 0 -> {
        iterator.seekToFirst();
        at = view.firstEntry();
      }
      case 1 -> {
        iterator.seekToLast();
        at = view.lastEntry();
      }
      case 2, 3 -> {
        iterator.seek(key);
        at = first(view, key);
      }
      default -> {
        iterator.seekForPrev(key);
        at = last(view, key);
      }
    }
    check(iterator);
    boolean forward = random.nextInt(2) == 0;
    for (int i = random.nextInt(20); i > 0 && at != null; i--) {
      forward = random.nextInt(5) == 0 ? !forward : forward;
      if (forward) {
        iterator.next();
        at = view.higherEntry(at.getKey());
      } else {
        iterator.prev();
        at = view.lowerEntry(at.getKey());
      }
      check(iterator);
    }
  }

  private static Map.Entry<byte[], byte[]> first(NavigableMap<byte[], byte[]> view, byte[] key) {
    for (Map.Entry<byte[], byte[]> entry : view.entrySet()) {
      if (Arrays.compareUnsigned(entry.getKey(), key) >= 0) {
        return entry;
      }
    }
    return null;
  }

  private static Map.Entry<byte[], byte[]> last(NavigableMap<byte[], byte[]> view, byte[] key) {
    Map.Entry<byte[], byte[]> found = null;
    for (Map.Entry<byte[], byte[]> entry : view.entrySet()) {
      if (Arrays.compareUnsigned(entry.getKey(), key) <= 0) {
        found = entry;
      }
    }
    return found;
  }

  private void check(LsmIterator iterator) {
    assertEquals(at != null, iterator.valid());
    if (at != null) {
      assertArrayEquals(at.getKey(), iterator.key());
      assertArrayEquals(at.getValue(), iterator.value());
    }
  }
}
