package dev.tern.lsm.entry;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// The deleted ranges that an iterator looks through, in the parts that hold them: nothing is put
/// together or cut for it. Remembers for which keys its last answer holds, so that a step to the
/// next key costs a comparison or two. One thread.
public final class Deletions {
  /// Holds deleted ranges: the runs of a memtable, a table, or the tables of a sorted level.
  public interface Part {
    /// Calls [#narrow] and [#offer] for a key.
    void look(Deletions view, byte[] key, int offset, int length);
  }

  private final List<Part> parts;
  private final long maxSequence;

  /// By part: for keys from `lowers` (null: all) up to `uppers` (null: all) its newest deletion is
  /// that of `newests`.
  private final byte[] @Nullable [] lowers;

  private final byte[] @Nullable [] uppers;
  private final RangeTombstones.@Nullable Range[] newests;

  /// The part that is asked.
  private int asked;

  /// What all of them together say, and for which keys.
  private byte @Nullable [] lower;

  private byte @Nullable [] upper;
  private RangeTombstones.@Nullable Range newest;
  private boolean known;

  public Deletions(List<Part> parts, long maxSequence) {
    this.parts = parts;
    this.maxSequence = maxSequence;
    this.lowers = new byte[parts.size()][];
    this.uppers = new byte[parts.size()][];
    this.newests = new RangeTombstones.Range[parts.size()];
  }

  public boolean isEmpty() {
    return parts.isEmpty();
  }

  /// What it may look at.
  long maxSequence() {
    return maxSequence;
  }

  /// Told by a part: its answer holds from here to there only.
  public void narrow(byte @Nullable [] from, byte @Nullable [] to) {
    lowers[asked] = higher(lowers[asked], from);
    byte[] high = uppers[asked];
    if (to != null && (high == null || Keys.compare(to, high) < 0)) {
      uppers[asked] = to;
    }
  }

  private static byte @Nullable [] higher(byte @Nullable [] a, byte @Nullable [] b) {
    return a == null || b != null && Keys.compare(b, a) > 0 ? b : a;
  }

  /// Told by a part: a deletion of the key, null for none; of several the newest counts.
  void offer(RangeTombstones.@Nullable Range found) {
    RangeTombstones.Range best = newests[asked];
    if (found != null && (best == null || found.sequence() > best.sequence())) {
      newests[asked] = found;
    }
  }

  /// The newest deletion of a key, null for none.
  public RangeTombstones.@Nullable Range of(byte[] key, int offset, int length) {
    if (!known || !holds(lower, upper, key, offset, length)) {
      ask(key, offset, length);
    }
    return newest;
  }

  private static boolean holds(
      byte @Nullable [] low, byte @Nullable [] high, byte[] key, int offset, int length) {
    return (high == null || Keys.compare(key, offset, length, high, 0, high.length) < 0)
        && (low == null || Keys.compare(low, 0, low.length, key, offset, length) <= 0);
  }

  /// Asks those parts again whose answer is not for this key.
  private void ask(byte[] key, int offset, int length) {
    byte[] low = null;
    byte[] high = null;
    RangeTombstones.Range found = null;
    for (int i = 0; i < newests.length; i++) {
      if (!known || !holds(lowers[i], uppers[i], key, offset, length)) {
        asked = i;
        lowers[i] = null;
        uppers[i] = null;
        newests[i] = null;
        parts.get(i).look(this, key, offset, length);
      }
      low = higher(low, lowers[i]);
      byte[] to = uppers[i];
      high = to != null && (high == null || Keys.compare(to, high) < 0) ? to : high;
      RangeTombstones.Range range = newests[i];
      if (range != null && (found == null || range.sequence() > found.sequence())) {
        found = range;
      }
    }
    lower = low;
    upper = high;
    newest = found;
    known = true;
  }
}
