package dev.tern.lsm.memtable;

import dev.tern.lsm.entry.Deletions;
import dev.tern.lsm.entry.RangeTombstones;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The deleted ranges of a memtable: runs that are merged as they become many of one size (Bentley
/// and Saxe, 1980), so that a deletion costs the logarithm of their number, and no reader ever
/// waits for all of them to be put in order.
///
/// One writer at a time, any number of readers.
public final class GrowingTombstones {
  /// So many runs of one rank become one of the next.
  private static final int RUNS = 4;

  private static final RangeTombstones[] NO_RUNS = {};

  /// The largest, which are the oldest, first.
  private volatile RangeTombstones[] runs = NO_RUNS;

  /// By run, its rank; the writer's.
  private byte[] ranks = new byte[64];

  /// Adds a deletion, newer than all; the writer.
  void add(RangeTombstones.Range range) {
    RangeTombstones added = RangeTombstones.of(List.of(range));
    if (added.isEmpty()) {
      return;
    }
    List<RangeTombstones> all = new ArrayList<>(Arrays.asList(runs));
    assert all.stream().allMatch(run -> run.newestSequence() < range.sequence())
        : "a deletion that is older than one before it";
    int rank = 0;
    all.add(added);
    int last = all.size() - 1;
    ranks[last] = 0;
    while (last >= RUNS - 1 && ranks[last - RUNS + 1] == rank) {
      List<RangeTombstones> same = all.subList(last - RUNS + 1, last + 1);
      RangeTombstones merged = RangeTombstones.merged(same);
      same.clear();
      all.add(merged);
      last = all.size() - 1;
      ranks[last] = (byte) ++rank;
    }
    runs = all.toArray(NO_RUNS);
  }

  boolean isEmpty() {
    return runs.length == 0;
  }

  /// The newest sequence up to `maxSequence` that deleted a key, 0 for none.
  long covering(byte[] key, long maxSequence) {
    RangeTombstones[] all = runs;
    long covered = 0;
    for (int i = all.length - 1; i >= 0; i--) {
      if (all[i].newestSequence() > covered) {
        covered = Math.max(covered, all[i].covering(key, 0, key.length, maxSequence));
      }
    }
    return covered;
  }

  /// What an iterator looks through.
  public void addTo(List<Deletions.Part> parts) {
    for (RangeTombstones run : runs) {
      parts.add(run::look);
    }
  }

  /// All in one, for a flush.
  public RangeTombstones merged() {
    RangeTombstones[] all = runs;
    return all.length == 1 ? all[0] : RangeTombstones.merged(List.of(all));
  }
}
