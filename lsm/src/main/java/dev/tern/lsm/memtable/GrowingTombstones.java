package dev.tern.lsm.memtable;

import dev.tern.lsm.entry.Deletions;
import dev.tern.lsm.entry.Fragments;
import dev.tern.lsm.entry.RangeTombstones;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The deleted ranges of a memtable. The newest deletion of each key is found in [Fragments], of
/// which each deletion makes another version. What a reader of the past needs beside it lies in
/// runs, of which several of one size become one (Bentley and Saxe, 1980), so that a deletion costs
/// little and no run is asked for more than the logarithm of their number.
///
/// One writer at a time, any number of readers. What a reader may see was added before the sequence
/// was published up to which it reads, so it is in whatever version the reader finds.
public final class GrowingTombstones {
  /// So many runs of one rank become one of the next.
  private static final int RUNS = 4;

  private static final RangeTombstones[] NO_RUNS = {};

  /// One version of all there is.
  ///
  /// @param runs the largest, which are the oldest, first
  private record Version(Fragments fragments, RangeTombstones[] runs) implements Deletions.Part {
    @Override
    public void look(Deletions view, byte[] key, int offset, int length) {
      if (!fragments.look(view, key, offset, length)) {
        for (RangeTombstones run : runs) {
          run.lookBefore(view, key, offset, length);
        }
      }
    }
  }

  private volatile Version version = new Version(Fragments.NONE, NO_RUNS);

  /// By run, its rank; the writer's.
  private byte[] ranks = new byte[64];

  /// Adds a deletion, newer than all; the writer.
  void add(RangeTombstones.Range range) {
    RangeTombstones added = RangeTombstones.of(List.of(range));
    if (added.isEmpty()) {
      return;
    }
    Version now = version;
    List<RangeTombstones> all = new ArrayList<>(Arrays.asList(now.runs));
    assert now.fragments.newestSequence() < range.sequence()
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
    version = new Version(now.fragments.with(range), all.toArray(NO_RUNS));
  }

  boolean isEmpty() {
    return version.fragments.isEmpty();
  }

  /// The sequence of the newest deletion, 0 for none.
  long newestSequence() {
    return version.fragments.newestSequence();
  }

  /// The newest sequence up to `maxSequence` that deleted a key, 0 for none.
  long covering(byte[] key, long maxSequence) {
    Version now = version;
    RangeTombstones.Range newest = now.fragments.newest(key, 0, key.length);
    if (newest == null || newest.sequence() <= maxSequence) {
      return newest == null ? 0 : newest.sequence();
    }
    long covered = 0;
    for (int i = now.runs.length - 1; i >= 0; i--) {
      if (now.runs[i].newestSequence() > covered) {
        covered = Math.max(covered, now.runs[i].coveringBefore(key, 0, key.length, maxSequence));
      }
    }
    return covered;
  }

  /// What an iterator looks through.
  public void addTo(List<Deletions.Part> parts) {
    Version now = version;
    if (!now.fragments.isEmpty()) {
      parts.add(now);
    }
  }

  /// The newest deletion of each key.
  public Fragments fragments() {
    return version.fragments;
  }

  /// All in one, for a flush.
  public RangeTombstones merged() {
    RangeTombstones[] all = version.runs;
    return all.length == 1 ? all[0] : RangeTombstones.merged(List.of(all));
  }
}
