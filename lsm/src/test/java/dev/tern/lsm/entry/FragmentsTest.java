package dev.tern.lsm.entry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class FragmentsTest {
  /// Keys that share much and little, some of them prefixes of others.
  private static byte[] key(int number) {
    String text =
        switch (number % 3) {
          case 0 -> "partition/%05d".formatted(number);
          case 1 -> "partition/%05d/long enough for two words".formatted(number);
          default -> "q%03d".formatted(number % 1000);
        };
    return text.getBytes(StandardCharsets.UTF_8);
  }

  private static RangeTombstones.Range range(byte[] a, byte[] b, long sequence) {
    return Keys.compare(a, b) < 0
        ? new RangeTombstones.Range(a, b, sequence)
        : new RangeTombstones.Range(b, a, sequence);
  }

  /// Thousands of ranges, disjoint, nested, overlapping: each version answers as the list of those
  /// that it was made of, also once others followed it.
  @Test
  void eachVersionAnswersAsTheListOfItsRanges() {
    Random random = new Random(11);
    for (int round = 0; round < 12; round++) {
      int span = List.of(3, 30, 6000).get(round % 3);
      List<RangeTombstones.Range> ranges = new ArrayList<>();
      Fragments growing = Fragments.NONE;
      Fragments kept = Fragments.NONE;
      int keptSize = 0;
      for (int i = 1; i <= 1500; i++) {
        int at = random.nextInt(6000);
        ranges.add(range(key(at), key(at + random.nextInt(span)), i));
        growing = growing.with(ranges.getLast());
        if (i == 900) {
          kept = growing;
          keptSize = i;
        }
      }
      Fragments built = RangeTombstones.of(ranges).fragments();
      for (int i = 0; i < 400; i++) {
        byte[] key = key(random.nextInt(6100));
        long wanted = Ranges.covering(ranges, key, Long.MAX_VALUE);
        assertEquals(wanted, sequence(growing.newest(key, 0, key.length)));
        assertEquals(wanted, sequence(built.newest(key, 0, key.length)));
        long before = Ranges.covering(ranges.subList(0, keptSize), key, Long.MAX_VALUE);
        assertEquals(before, sequence(kept.newest(key, 0, key.length)));
      }
    }
  }

  private static long sequence(RangeTombstones.@Nullable Range range) {
    return range == null ? 0 : range.sequence();
  }

  /// In ascending and descending order, and one over all of them at the end.
  @Test
  void oneOverAllLeavesOne() {
    for (boolean ascending : List.of(true, false)) {
      Fragments growing = Fragments.NONE;
      for (int i = 1; i <= 20_000; i++) {
        int at = ascending ? i : 20_001 - i;
        byte[] from = "%08d".formatted(2 * at).getBytes(StandardCharsets.UTF_8);
        byte[] to = "%08d".formatted(2 * at + 1).getBytes(StandardCharsets.UTF_8);
        growing = growing.with(new RangeTombstones.Range(from, to, i));
      }
      byte[] inside = "00000200x".getBytes(StandardCharsets.UTF_8);
      byte[] between = "00000201x".getBytes(StandardCharsets.UTF_8);
      assertEquals(ascending ? 100 : 19_901, sequence(growing.newest(inside, 0, inside.length)));
      assertNull(growing.newest(between, 0, between.length));
      RangeTombstones.Range all =
          new RangeTombstones.Range(new byte[] {'0'}, new byte[] {'9'}, 20_001);
      growing = growing.with(all);
      assertSame(all, growing.newest(between, 0, between.length));
      assertEquals(20_001, growing.coveringAll(all.from(), all.to(), 20_000));
      assertEquals(0, growing.coveringAll(all.from(), all.to(), 20_001));
      assertNull(growing.newest(all.to(), 0, 1));
    }
  }

  /// A span counts as covered if each key of it is, by whichever deletions.
  @Test
  void coveringAllIsThatEachKeyIsCovered() {
    Random random = new Random(12);
    int covered = 0;
    for (int round = 0; round < 2000; round++) {
      List<RangeTombstones.Range> ranges = new ArrayList<>();
      for (int i = 1; i <= 6; i++) {
        int a = random.nextInt(20);
        ranges.add(range(new byte[] {(byte) a}, new byte[] {(byte) (a + random.nextInt(12))}, i));
      }
      Fragments fragments = RangeTombstones.of(ranges).fragments();
      int from = random.nextInt(20);
      int to = from + 1 + random.nextInt(10);
      long newerThan = random.nextInt(3);
      long least = Long.MAX_VALUE;
      long greatest = 0;
      for (int key = from; key < to; key++) {
        long by = Ranges.covering(ranges, new byte[] {(byte) key}, Long.MAX_VALUE);
        least = Math.min(least, by);
        greatest = Math.max(greatest, by);
      }
      long wanted = least > newerThan ? greatest : 0;
      covered += wanted > 0 ? 1 : 0;
      assertEquals(
          wanted,
          fragments.coveringAll(new byte[] {(byte) from}, new byte[] {(byte) to}, newerThan));
    }
    assertEquals(true, covered > 100, "spans that are covered: " + covered);
  }
}
