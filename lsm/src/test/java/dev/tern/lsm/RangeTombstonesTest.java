package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RangeTombstonesTest {
  private static long covering(List<RangeTombstones.Range> ranges, byte[] key, long most) {
    long newest = 0;
    for (RangeTombstones.Range range : ranges) {
      if (Keys.compare(range.from(), key) <= 0
          && Keys.compare(key, range.to()) < 0
          && range.sequence() <= most) {
        newest = Math.max(newest, range.sequence());
      }
    }
    return newest;
  }

  private static List<RangeTombstones.Range> ranges(Random random) {
    List<RangeTombstones.Range> ranges = new ArrayList<>();
    for (int i = random.nextInt(20); i > 0; i--) {
      byte[] a = Entries.anyKey(random);
      byte[] b = Entries.anyKey(random);
      int order = Keys.compare(a, b);
      if (order != 0) {
        ranges.add(
            new RangeTombstones.Range(
                order < 0 ? a : b, order < 0 ? b : a, 1 + random.nextInt(30)));
      }
    }
    return ranges;
  }

  @Test
  void itCoversWhatTheRangesCover() {
    Random random = new Random(3);
    for (int round = 0; round < 1000; round++) {
      List<RangeTombstones.Range> ranges = ranges(random);
      RangeTombstones cut = RangeTombstones.of(ranges);
      RangeTombstones again = RangeTombstones.of(cut.ranges());
      byte[] from = random.nextBoolean() ? null : Entries.anyKey(random);
      byte[] to = random.nextBoolean() ? null : Entries.anyKey(random);
      RangeTombstones inside = RangeTombstones.of(cut.within(from, to));
      assertEquals(ranges.isEmpty(), cut.isEmpty());
      for (int i = 0; i < 40; i++) {
        byte[] key = Entries.anyKey(random);
        long most = random.nextInt(35);
        long wanted = covering(ranges, key, most);
        assertEquals(wanted, cut.covering(key, 0, key.length, most));
        assertEquals(wanted, again.covering(key, 0, key.length, most));
        boolean within =
            (from == null || Keys.compare(from, key) <= 0)
                && (to == null || Keys.compare(key, to) < 0);
        assertEquals(within ? wanted : 0, inside.covering(key, 0, key.length, most));
        byte[] end = cut.endOf(key, 0, key.length);
        if (covering(ranges, key, Long.MAX_VALUE) == 0) {
          assertNull(end);
        } else {
          assertTrue(Keys.compare(key, end) < 0);
        }
      }
    }
  }
}
