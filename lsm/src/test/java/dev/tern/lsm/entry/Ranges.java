package dev.tern.lsm.entry;

import dev.tern.lsm.Entries;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;

/// Deleted ranges in a list, and what they cover.
public final class Ranges {
  private Ranges() {}

  /// The newest sequence up to `most` that deleted a key, 0 for none.
  public static long covering(List<RangeTombstones.Range> ranges, byte[] key, long most) {
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

  /// Some that overlap.
  public static List<RangeTombstones.Range> ranges(Random random) {
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
}
