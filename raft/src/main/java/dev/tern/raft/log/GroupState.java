package dev.tern.raft.log;

import dev.tern.raft.Entry;
import dev.tern.raft.HardState;
import dev.tern.raft.Recovered;
import dev.tern.raft.SnapshotMark;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// What the log knows of one group: read back at a start, then kept up for the checkpoints.
final class GroupState {
  HardState state = HardState.NOTHING;

  /// Null until there is a snapshot.
  @Nullable SnapshotMark mark;

  /// Entries up to here are not needed; at most the mark's index.
  long baseIndex;

  long baseTerm;

  /// Only while the log is read: entries by index. May begin with a hole, where the segments were
  /// deleted that a later compaction had freed.
  TreeMap<Long, Entry> entries = new TreeMap<>();

  void put(List<Entry> some) {
    if (!some.isEmpty()) {
      entries.tailMap(some.getFirst().index(), true).clear();
      for (Entry entry : some) {
        entries.put(entry.index(), entry);
      }
    }
  }

  void reset(SnapshotMark to) {
    entries.clear();
    mark = to;
    baseIndex = to.index();
    baseTerm = to.term();
  }

  void compact(@Nullable SnapshotMark to, long base, long term) {
    mark = to;
    baseIndex = base;
    baseTerm = term;
    entries.headMap(base, true).clear();
  }

  /// Null if entries are missing.
  @Nullable Recovered recovered(SnapshotMark founding) {
    List<Entry> all = new ArrayList<>(entries.values());
    for (int i = 0; i < all.size(); i++) {
      if (all.get(i).index() != baseIndex + 1 + i) {
        return null;
      }
    }
    SnapshotMark from = mark == null ? founding : mark;
    if (from.index() > baseIndex + all.size()) {
      return null;
    }
    return new Recovered(state, from, baseIndex, baseTerm, all);
  }
}
