package dev.tern.lsm.memtable;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.lsm.Entries;
import dev.tern.lsm.entry.Deletions;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.entry.Ranges;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class GrowingTombstonesTest {
  /// Runs grow while readers look, and an iterator's view stays right from key to key.
  @Test
  void partsAnswerAsTheWhole() {
    Random random = new Random(5);
    for (int round = 0; round < 300; round++) {
      GrowingTombstones growing = new GrowingTombstones();
      List<RangeTombstones.Range> ranges = new ArrayList<>();
      for (int i = random.nextInt(80); i > 0; i--) {
        for (RangeTombstones.Range range : Ranges.ranges(random)) {
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
        long wanted = Ranges.covering(ranges, key, most);
        assertEquals(wanted, growing.covering(key, most));
        assertEquals(wanted, merged.covering(key, 0, key.length, most));
        RangeTombstones.Range found = view.of(key, 0, key.length);
        assertEquals(wanted, found == null ? 0 : found.sequence());
      }
    }
  }
}
