package dev.tern.lsm.entry;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import org.jspecify.annotations.Nullable;

/// Deleted ranges, and which of them deleted a key last. Immutable.
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
public final class RangeTombstones {
  public static final RangeTombstones NONE = of(List.of());

  private static final Comparator<Range> NEWEST_FIRST =
      Comparator.comparingLong(range -> -range.sequence);

  /// One deletion as it was written.
  public record Range(byte[] from, byte[] to, long sequence) {}

  /// Newest first.
  private final Range[] ranges;

  /// Each bound once, ascending; interval i goes from bound i to bound i + 1.
  private final byte[][] bounds;

  /// By node of the tree: where its ranges begin in `placed`. The leaves are the intervals.
  private final int[] starts;

  /// Places in `ranges`, of each node the newest first.
  private final int[] placed;

  /// @param ranges none is empty; becomes the object's own
  /// @param ends all bounds in any order
  private RangeTombstones(Range[] ranges, byte[][] ends) {
    this.ranges = ranges;
    Arrays.sort(ranges, NEWEST_FIRST);
    this.bounds = distinct(ends);
    int leaves = Math.max(0, bounds.length - 1);
    starts = new int[2 * leaves + 1];
    int[] lows = new int[ranges.length];
    int[] highs = new int[ranges.length];
    for (int i = 0; i < ranges.length; i++) {
      lows[i] = Arrays.binarySearch(bounds, ranges[i].from, Arrays::compareUnsigned) + leaves;
      highs[i] = Arrays.binarySearch(bounds, ranges[i].to, Arrays::compareUnsigned) + leaves;
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

  private static byte[][] distinct(byte[][] ends) {
    Arrays.sort(ends, Arrays::compareUnsigned);
    int count = 0;
    for (byte[] end : ends) {
      if (count == 0 || !Arrays.equals(ends[count - 1], end)) {
        ends[count++] = end;
      }
    }
    return Arrays.copyOf(ends, count);
  }

  public static RangeTombstones of(List<Range> all) {
    Range[] ranges =
        all.stream().filter(range -> Keys.compare(range.from, range.to) < 0).toArray(Range[]::new);
    byte[][] ends = new byte[2 * ranges.length][];
    for (int i = 0; i < ranges.length; i++) {
      ends[2 * i] = ranges[i].from;
      ends[2 * i + 1] = ranges[i].to;
    }
    return new RangeTombstones(ranges, ends);
  }

  /// All of several; quicker than [#of], as each is in order already.
  public static RangeTombstones merged(List<RangeTombstones> parts) {
    List<Range> ranges = new ArrayList<>();
    List<byte[]> ends = new ArrayList<>();
    for (RangeTombstones part : parts) {
      ranges.addAll(Arrays.asList(part.ranges));
      ends.addAll(Arrays.asList(part.bounds));
    }
    return new RangeTombstones(ranges.toArray(new Range[0]), ends.toArray(new byte[0][]));
  }

  public boolean isEmpty() {
    return ranges.length == 0;
  }

  int size() {
    return ranges.length;
  }

  /// The sequence of the newest deletion, 0 for none.
  public long newestSequence() {
    return ranges.length == 0 ? 0 : ranges[0].sequence;
  }

  /// The last bound up to a key, -1 if the key comes before all.
  private int boundUpTo(byte[] key, int offset, int length) {
    int low = 0;
    int high = bounds.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      byte[] bound = bounds[middle];
      if (Arrays.compareUnsigned(bound, 0, bound.length, key, offset, offset + length) <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }

  /// The deletion of a key with the newest sequence up to `maxSequence`, null for none.
  @Nullable Range newest(byte[] key, int offset, int length, long maxSequence) {
    return newest(boundUpTo(key, offset, length), maxSequence);
  }

  private @Nullable Range newest(int interval, long maxSequence) {
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
    if (low < high && ranges[placed[low]].sequence <= maxSequence) {
      return low;
    }
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (ranges[placed[middle]].sequence > maxSequence) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /// The newest sequence up to `maxSequence` that deleted a key, 0 for none.
  public long covering(byte[] key, int offset, int length, long maxSequence) {
    Range range = ranges.length == 0 ? null : newest(key, offset, length, maxSequence);
    return range == null ? 0 : range.sequence;
  }

  /// Tells an iterator's view what deleted a key, and for which keys around it that is so.
  public void look(Deletions view, byte[] key, int offset, int length) {
    int at = boundUpTo(key, offset, length);
    view.narrow(at < 0 ? null : bounds[at], at + 1 < bounds.length ? bounds[at + 1] : null);
    view.offer(newest(at, view.maxSequence()));
  }

  /// As deletions again, the newest first.
  public List<Range> ranges() {
    return List.of(ranges);
  }

  /// What somebody can still see of it: of each key and stripe between two snapshots the newest
  /// deletion, in pieces that are in order of their starts. At most two a range.
  ///
  /// @param snapshots ascending
  public List<Range> visible(long[] snapshots) {
    List<Range> pieces = new ArrayList<>();
    int from = 0;
    while (from < ranges.length) {
      int stripe = stripe(ranges[from].sequence, snapshots);
      int to = from + 1;
      while (to < ranges.length && stripe(ranges[to].sequence, snapshots) == stripe) {
        to++;
      }
      outline(Arrays.copyOfRange(ranges, from, to), pieces);
      from = to;
    }
    pieces.sort((a, b) -> Keys.compare(a.from, b.from));
    return pieces;
  }

  private static int stripe(long sequence, long[] snapshots) {
    int at = Arrays.binarySearch(snapshots, sequence);
    return at < 0 ? -at - 1 : at;
  }

  /// The newest of each key, by a sweep over the bounds.
  @SuppressWarnings("ReferenceEquality") // Whether it is the same deletion.
  private static void outline(Range[] stripe, List<Range> to) {
    byte[][] ends = new byte[2 * stripe.length][];
    for (int i = 0; i < stripe.length; i++) {
      ends[2 * i] = stripe[i].from;
      ends[2 * i + 1] = stripe[i].to;
    }
    Arrays.sort(stripe, (a, b) -> Keys.compare(a.from, b.from));
    PriorityQueue<Range> open = new PriorityQueue<>(NEWEST_FIRST);
    int next = 0;
    Range current = null;
    byte[] start = {};
    for (byte[] bound : distinct(ends)) {
      while (next < stripe.length && Keys.compare(stripe[next].from, bound) <= 0) {
        open.add(stripe[next++]);
      }
      while (!open.isEmpty() && Keys.compare(open.peek().to, bound) <= 0) {
        open.poll();
      }
      Range newest = open.peek();
      if (newest != current) {
        if (current != null) {
          to.add(new Range(start, bound, current.sequence));
        }
        current = newest;
        start = bound;
      }
    }
  }
}
