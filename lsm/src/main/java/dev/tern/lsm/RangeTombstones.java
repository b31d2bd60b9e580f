package dev.tern.lsm;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Deleted ranges, cut so that they do not overlap: a key lies in at most one fragment, and a
/// fragment knows all sequences that deleted it, the newest first. Immutable.
///
/// ```
///   deleted   [a ....... d)@7            fragments  [a b)@7  [b d)@9,7  [d e)@9
///                  [b ........ e)@9
/// ```
final class RangeTombstones {
  static final RangeTombstones NONE = new RangeTombstones(List.of());

  /// One deletion as it was written.
  record Range(byte[] from, byte[] to, long sequence) {}

  private final byte[][] starts;
  private final byte[][] ends;
  private final long[][] sequences;

  private RangeTombstones(List<Fragment> fragments) {
    starts = new byte[fragments.size()][];
    ends = new byte[fragments.size()][];
    sequences = new long[fragments.size()][];
    for (int i = 0; i < fragments.size(); i++) {
      starts[i] = fragments.get(i).start;
      ends[i] = fragments.get(i).end;
      sequences[i] = fragments.get(i).sequences;
    }
  }

  private record Fragment(byte[] start, byte[] end, long[] sequences) {}

  static RangeTombstones of(List<Range> ranges) {
    if (ranges.isEmpty()) {
      return NONE;
    }
    TreeSet<byte[]> bounds = new TreeSet<>(Arrays::compareUnsigned);
    for (Range range : ranges) {
      bounds.add(range.from);
      bounds.add(range.to);
    }
    List<Range> byStart = new ArrayList<>(ranges);
    byStart.sort((a, b) -> Keys.compare(a.from, b.from));
    List<Range> open = new ArrayList<>();
    List<Fragment> fragments = new ArrayList<>();
    int next = 0;
    byte[] start = null;
    for (byte[] bound : bounds) {
      if (start != null && !open.isEmpty()) {
        long[] newestFirst =
            open.stream().mapToLong(r -> -r.sequence).sorted().distinct().toArray();
        for (int i = 0; i < newestFirst.length; i++) {
          newestFirst[i] = -newestFirst[i];
        }
        fragments.add(new Fragment(start, bound, newestFirst));
      }
      open.removeIf(range -> Keys.compare(range.to, bound) <= 0);
      while (next < byStart.size() && Keys.compare(byStart.get(next).from, bound) <= 0) {
        open.add(byStart.get(next++));
      }
      start = bound;
    }
    return new RangeTombstones(fragments);
  }

  boolean isEmpty() {
    return starts.length == 0;
  }

  int size() {
    return starts.length;
  }

  /// The fragment that holds a key, -1 for none.
  private int fragment(byte[] key, int offset, int length) {
    int low = 0;
    int high = starts.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Arrays.compareUnsigned(ends[middle], 0, ends[middle].length, key, offset, offset + length)
          <= 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    boolean holds =
        low < starts.length
            && Arrays.compareUnsigned(
                    starts[low], 0, starts[low].length, key, offset, offset + length)
                <= 0;
    return holds ? low : -1;
  }

  /// The newest sequence up to `maxSequence` that deleted a key, 0 for none.
  long covering(byte[] key, int offset, int length, long maxSequence) {
    int at = starts.length == 0 ? -1 : fragment(key, offset, length);
    if (at >= 0) {
      for (long sequence : sequences[at]) {
        if (sequence <= maxSequence) {
          return sequence;
        }
      }
    }
    return 0;
  }

  /// Where the fragment that holds a key ends, null if none does.
  byte @Nullable [] endOf(byte[] key, int offset, int length) {
    int at = fragment(key, offset, length);
    return at < 0 ? null : ends[at];
  }

  /// As deletions again, one a fragment and sequence, in order.
  List<Range> ranges() {
    List<Range> ranges = new ArrayList<>();
    for (int i = 0; i < starts.length; i++) {
      for (long sequence : sequences[i]) {
        ranges.add(new Range(starts[i], ends[i], sequence));
      }
    }
    return ranges;
  }

  /// What of it lies from `from` (null: from the start) up to `to` (null: to the end).
  List<Range> within(byte @Nullable [] from, byte @Nullable [] to) {
    List<Range> inside = new ArrayList<>();
    for (Range range : ranges()) {
      byte[] start = from != null && Keys.compare(range.from, from) < 0 ? from : range.from;
      byte[] end = to != null && Keys.compare(range.to, to) > 0 ? to : range.to;
      if (Keys.compare(start, end) < 0) {
        inside.add(new Range(start, end, range.sequence));
      }
    }
    return inside;
  }
}
