package dev.tern.lsm.entry;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Which of many deleted ranges, however they overlap, deleted a key last up to a sequence.
/// Immutable.
///
/// A segment tree (Bentley, 1977) over the intervals between the ranges' bounds: a range lies in
/// the few nodes that make it up, so n ranges take n log n places however they overlap (cut at each
/// other's bounds, n nested ones would take n squared), and a question visits the log n nodes above
/// one interval.
///
/// ```
///   deleted   [a ....... d)@7            intervals   a-b   b-d   d-e
///                  [b ........ e)@9      nodes              \ 9  / 9    (and 7 in a-b, b-d)
/// ```
final class Nested {
  /// Newest first.
  private final RangeTombstones.Range[] ranges;

  /// Each bound once, ascending; interval i goes from bound i to bound i + 1.
  private final byte[][] bounds;

  /// By node of the tree: where its ranges begin in `placed`. The leaves are the intervals.
  private final int[] starts;

  /// Places in `ranges`, of each node the newest first.
  private final int[] placed;

  /// @param ranges newest first, none empty; not changed any more
  Nested(RangeTombstones.Range[] ranges) {
    this.ranges = ranges;
    this.bounds = bounds(ranges);
    int leaves = Math.max(0, bounds.length - 1);
    starts = new int[2 * leaves + 1];
    int[] lows = new int[ranges.length];
    int[] highs = new int[ranges.length];
    for (int i = 0; i < ranges.length; i++) {
      lows[i] = Arrays.binarySearch(bounds, ranges[i].from(), Arrays::compareUnsigned) + leaves;
      highs[i] = Arrays.binarySearch(bounds, ranges[i].to(), Arrays::compareUnsigned) + leaves;
      for (int low = lows[i], high = highs[i]; low < high; low >>= 1, high >>= 1) {
        if ((low & 1) == 1) {
          starts[low++]++;
        }
        if ((high & 1) == 1) {
          starts[--high]++;
        }
      }
    }
    int sum = 0;
    for (int node = 0; node < starts.length; node++) {
      sum += starts[node];
      starts[node] = sum;
    }
    placed = new int[sum];
    for (int i = ranges.length - 1; i >= 0; i--) {
      for (int low = lows[i], high = highs[i]; low < high; low >>= 1, high >>= 1) {
        if ((low & 1) == 1) {
          placed[--starts[low++]] = i;
        }
        if ((high & 1) == 1) {
          placed[--starts[--high]] = i;
        }
      }
    }
  }

  private static byte[][] bounds(RangeTombstones.Range[] ranges) {
    byte[][] ends = new byte[2 * ranges.length][];
    for (int i = 0; i < ranges.length; i++) {
      ends[2 * i] = ranges[i].from();
      ends[2 * i + 1] = ranges[i].to();
    }
    Arrays.sort(ends, Arrays::compareUnsigned);
    int count = 0;
    for (byte[] end : ends) {
      if (count == 0 || !Arrays.equals(ends[count - 1], end)) {
        ends[count++] = end;
      }
    }
    return Arrays.copyOf(ends, count);
  }

  /// The last bound up to a key, -1 if the key comes before all.
  private int boundUpTo(byte[] key, int offset, int length) {
    int low = 0;
    int high = bounds.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      byte[] bound = bounds[middle];
      if (Keys.compare(bound, 0, bound.length, key, offset, length) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }

  /// The deletion of a key with the newest sequence up to `maxSequence`, null for none.
  RangeTombstones.@Nullable Range newest(byte[] key, int offset, int length, long maxSequence) {
    return newest(boundUpTo(key, offset, length), maxSequence);
  }

  private RangeTombstones.@Nullable Range newest(int interval, long maxSequence) {
    int leaves = bounds.length - 1;
    if (interval < 0 || interval >= leaves) {
      return null;
    }
    int best = ranges.length;
    for (int node = interval + leaves; node >= 1; node >>= 1) {
      int end = starts[node + 1];
      int first = firstUpTo(maxSequence, starts[node], end);
      if (first < end) {
        best = Math.min(best, placed[first]);
      }
    }
    return best < ranges.length ? ranges[best] : null;
  }

  /// Of a node, the first place whose range is not newer than a sequence.
  private int firstUpTo(long maxSequence, int from, int to) {
    int low = from;
    int high = to;
    if (low < high && ranges[placed[low]].sequence() <= maxSequence) {
      return low;
    }
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ranges[placed[middle]].sequence() > maxSequence) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// The newest deletion of a key that a view may see, null for none; tells the view for which keys
  /// around it that is so.
  RangeTombstones.@Nullable Range look(Deletions view, byte[] key, int offset, int length) {
    int at = boundUpTo(key, offset, length);
    view.narrow(at < 0 ? null : bounds[at], at + 1 < bounds.length ? bounds[at + 1] : null);
    return newest(at, view.maxSequence());
  }
}
