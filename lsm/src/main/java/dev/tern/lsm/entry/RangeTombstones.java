package dev.tern.lsm.entry;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Deleted ranges, and which of them deleted a key last. Immutable.
///
/// A question is answered by [Fragments] where the newest deletion of the key is one that the
/// reader may see, or there is none: nearly always. Only a reader of the past needs more, and only
/// where ranges overlap: [Nested].
///
/// Both are made when they are first asked for. Two threads may make one twice; they make the same.
public final class RangeTombstones {
  static final Comparator<Range> NEWEST_FIRST = Comparator.comparingLong(range -> -range.sequence);

  public static final RangeTombstones NONE = new RangeTombstones(new Range[0]);

  /// One deletion as it was written.
  public record Range(byte[] from, byte[] to, long sequence) {}

  /// What a deletion takes beside its bounds: arrays, references, its places in fragments.
  public static final int RANGE_BYTES = 256;

  /// Newest first.
  private final Range[] ranges;

  private @Nullable Fragments fragments;
  private @Nullable Nested nested;

  /// @param ranges none is empty; becomes the object's own
  private RangeTombstones(Range[] ranges) {
    this.ranges = ranges;
    Arrays.sort(ranges, NEWEST_FIRST);
  }

  public static RangeTombstones of(List<Range> all) {
    Range[] ranges =
        all.stream().filter(range -> Keys.compare(range.from, range.to) < 0).toArray(Range[]::new);
    return new RangeTombstones(ranges);
  }

  /// All of several.
  public static RangeTombstones merged(List<RangeTombstones> parts) {
    List<Range> ranges = new ArrayList<>();
    for (RangeTombstones part : parts) {
      ranges.addAll(Arrays.asList(part.ranges));
    }
    return new RangeTombstones(ranges.toArray(new Range[0]));
  }

  public boolean isEmpty() {
    return ranges.length == 0;
  }

  int size() {
    return ranges.length;
  }

  /// About what they take of the heap.
  public long heldBytes() {
    long bytes = 0;
    for (Range range : ranges) {
      bytes += range.from.length + range.to.length + RANGE_BYTES;
    }
    return bytes;
  }

  /// The sequence of the newest deletion, 0 for none.
  public long newestSequence() {
    return ranges.length == 0 ? 0 : ranges[0].sequence;
  }

  /// The newest deletion of each key.
  public Fragments fragments() {
    Fragments made = fragments;
    if (made == null) {
      made = Fragments.of(ranges);
      fragments = made;
    }
    return made;
  }

  private Nested nested() {
    Nested made = nested;
    if (made == null) {
      made = new Nested(ranges);
      nested = made;
    }
    return made;
  }

  /// The newest sequence up to `maxSequence` that deleted a key, 0 for none.
  public long covering(byte[] key, int offset, int length, long maxSequence) {
    Range newest = ranges.length == 0 ? null : fragments().newest(key, offset, length);
    return newest == null || newest.sequence <= maxSequence
        ? sequence(newest)
        : coveringBefore(key, offset, length, maxSequence);
  }

  /// As [#covering], for a reader that may not see the newest deletion of the key.
  public long coveringBefore(byte[] key, int offset, int length, long maxSequence) {
    return ranges.length == 0 || ranges[ranges.length - 1].sequence > maxSequence
        ? 0
        : sequence(nested().newest(key, offset, length, maxSequence));
  }

  private static long sequence(@Nullable Range range) {
    return range == null ? 0 : range.sequence;
  }

  /// Tells an iterator's view what deleted a key, and for which keys around it that is so.
  public void look(Deletions view, byte[] key, int offset, int length) {
    if (!fragments().look(view, key, offset, length)) {
      lookBefore(view, key, offset, length);
    }
  }

  /// As [#look], where the view may not see the newest deletion of the key.
  public void lookBefore(Deletions view, byte[] key, int offset, int length) {
    if (ranges.length > 0 && ranges[ranges.length - 1].sequence <= view.maxSequence()) {
      view.offer(nested().look(view, key, offset, length));
    }
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

  /// The newest of each key.
  private static void outline(Range[] stripe, List<Range> to) {
    Fragments.sweep(stripe, new Outline(to));
  }

  /// Cuts ranges where the newest deletion changes.
  private static final class Outline implements Fragments.Sink {
    private final List<Range> to;
    private @Nullable Range current;
    private byte[] start = {};

    Outline(List<Range> to) {
      this.to = to;
    }

    @Override
    public void change(byte[] bound, @Nullable Range newest) {
      if (current != null) {
        to.add(new Range(start, bound, current.sequence));
      }
      current = newest;
      start = bound;
    }
  }
}
