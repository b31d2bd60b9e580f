package dev.tern.lsm.entry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.tern.lsm.Entries;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/// Which deletion a reader of the past sees, where ranges overlap.
class NestedTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static Nested of(List<RangeTombstones.Range> ranges) {
    RangeTombstones.Range[] all = ranges.toArray(new RangeTombstones.Range[0]);
    java.util.Arrays.sort(all, RangeTombstones.NEWEST_FIRST);
    return new Nested(all);
  }

  private static long newest(Nested nested, byte[] key, long most) {
    RangeTombstones.Range range = nested.newest(key, 0, key.length, most);
    return range == null ? 0 : range.sequence();
  }

  /// As drawn at the class.
  @Test
  void theDrawing() {
    Nested nested =
        of(
            List.of(
                new RangeTombstones.Range(bytes("a"), bytes("d"), 7),
                new RangeTombstones.Range(bytes("b"), bytes("e"), 9)));
    assertEquals(7, newest(nested, bytes("a"), 10));
    assertEquals(9, newest(nested, bytes("c"), 10));
    assertEquals(7, newest(nested, bytes("c"), 8));
    assertEquals(0, newest(nested, bytes("c"), 6));
    assertEquals(9, newest(nested, bytes("d"), 10), "an end is not in its range");
    assertEquals(0, newest(nested, bytes("d"), 8));
    assertEquals(0, newest(nested, bytes("e"), 10));
    assertNull(nested.newest(bytes("A"), 0, 1, 10));
  }

  @Test
  void itIsWhatALookAtAllRangesSays() {
    Random random = new Random(11);
    for (int round = 0; round < 2_000; round++) {
      List<RangeTombstones.Range> ranges = Ranges.ranges(random);
      if (!ranges.isEmpty()) {
        Nested nested = of(ranges);
        for (int i = 0; i < 30; i++) {
          byte[] key = Entries.anyKey(random);
          long most = random.nextInt(35);
          assertEquals(Ranges.covering(ranges, key, most), newest(nested, key, most));
        }
      }
    }
  }
}
