package dev.tern.lsm.entry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.Entries;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RangeTombstonesTest {
  @Test
  void itCoversWhatTheRangesCover() {
    Random random = new Random(3);
    for (int round = 0; round < 1000; round++) {
      List<RangeTombstones.Range> ranges = Ranges.ranges(random);
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
        long wanted = Ranges.covering(ranges, key, most);
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
      List<RangeTombstones.Range> ranges = Ranges.ranges(random);
      long[] snapshots = random.ints(random.nextInt(4), 1, 31).sorted().asLongStream().toArray();
      List<RangeTombstones.Range> pieces = RangeTombstones.of(ranges).visible(snapshots);
      assertTrue(pieces.size() <= 2 * ranges.size(), "too many pieces");
      for (int i = 0; i < 40; i++) {
        byte[] key = Entries.anyKey(random);
        for (int at = 0; at <= snapshots.length; at++) {
          long most = at < snapshots.length ? snapshots[at] : Long.MAX_VALUE;
          assertEquals(Ranges.covering(ranges, key, most), Ranges.covering(pieces, key, most));
        }
      }
    }
  }
}
