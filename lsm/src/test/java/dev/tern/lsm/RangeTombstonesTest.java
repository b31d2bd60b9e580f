package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
      RangeTombstones all = RangeTombstones.of(ranges);
      RangeTombstones again = RangeTombstones.of(all.ranges());
      int half = ranges.size() / 2;
      RangeTombstones merged =
          RangeTombstones.merged(
              List.of(
                  RangeTombstones.of(ranges.subList(0, half)),
                  RangeTombstones.of(ranges.subList(half, ranges.size()))));
      assertEquals(ranges.isEmpty(), all.isEmpty());
      for (int i = 0; i < 40; i++) {
        byte[] key = Entries.anyKey(random);
        long most = random.nextInt(35);
        long wanted = covering(ranges, key, most);
        assertEquals(wanted, all.covering(key, 0, key.length, most));
        assertEquals(wanted, again.covering(key, 0, key.length, most));
        assertEquals(wanted, merged.covering(key, 0, key.length, most));
      }
    }
  }

  /// Between two snapshots only the newest counts, and each snapshot sees what it saw.
  @Test
  void whatIsVisibleIsLittleAndTheSame() {
    Random random = new Random(4);
    for (int round = 0; round < 1000; round++) {
      List<RangeTombstones.Range> ranges = ranges(random);
      long[] snapshots = random.ints(random.nextInt(4), 1, 31).sorted().asLongStream().toArray();
      List<RangeTombstones.Range> pieces = RangeTombstones.of(ranges).visible(snapshots);
      assertTrue(pieces.size() <= 2 * ranges.size(), "too many pieces");
      for (int i = 0; i < 40; i++) {
        byte[] key = Entries.anyKey(random);
        for (int at = 0; at <= snapshots.length; at++) {
          long most = at < snapshots.length ? snapshots[at] : Long.MAX_VALUE;
          assertEquals(covering(ranges, key, most), covering(pieces, key, most));
        }
      }
    }
  }

  /// Runs grow while readers look, and an iterator's view stays right from key to key.
  @Test
  void partsAnswerAsTheWhole() {
    Random random = new Random(5);
    for (int round = 0; round < 300; round++) {
      GrowingTombstones growing = new GrowingTombstones();
      List<RangeTombstones.Range> ranges = new ArrayList<>();
      for (int i = random.nextInt(80); i > 0; i--) {
        for (RangeTombstones.Range range : ranges(random)) {
          long sequence = ranges.size() + 1;
          ranges.add(new RangeTombstones.Range(range.from(), range.to(), sequence));
          growing.add(ranges.getLast());
        }
      }
      long most = random.nextInt(2) == 0 ? Long.MAX_VALUE : random.nextInt(ranges.size() + 1);
      List<Deletions.Part> parts = new ArrayList<>();
      growing.addTo(parts);
      Deletions view = new Deletions(parts, most);
      RangeTombstones merged = growing.merged();
      for (int i = 0; i < 100; i++) {
        byte[] key = Entries.anyKey(random);
        long wanted = covering(ranges, key, most);
        assertEquals(wanted, growing.covering(key, most));
        assertEquals(wanted, merged.covering(key, 0, key.length, most));
        RangeTombstones.Range found = view.of(key, 0, key.length);
        assertEquals(wanted, found == null ? 0 : found.sequence());
      }
    }
  }
}
