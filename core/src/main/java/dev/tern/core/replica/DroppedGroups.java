package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.store.PartitionRecords;
import dev.tern.core.store.RecordStore;
import dev.tern.core.topology.ClusterView;
import dev.tern.env.CoverageMarks;
import dev.tern.lsm.WriteBatch;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// Lets go of replica groups whose last keyspace was dropped: their partitions leave the memory,
/// and their rows the disk. A set number is never given out again, so nothing of them is ever
/// wanted.
///
/// ```
///   in the topology --dropped--> holds records --erased--> quiet --60 s--> let go of
///                                                           ^              |
///                                                           +-- written late
/// ```
///
/// Groups are *quiet* when no partition counts a keyspace. What was under way when the keyspace was
/// dropped (a read on a worker, a write that waits for a key) may still come to a partition then.
/// [#QUIET_NANOS] is far longer than that takes. If something does come later, it meets a partition
/// that nobody keeps: it reads nothing, and what it writes is removed after the same time. Writes
/// of a dropped keyspace that come to be appended are refused: such a partition mints no dots and
/// judges none.
///
/// A crash before the removal of such late rows leaves them without groups. An opening passes them
/// by. They are removed if the topology says that their groups were dropped; it is an error if the
/// topology has the groups. A topology that has not given out the number yet is older than the
/// store: nothing is removed on its word, neither rows nor groups.
///
/// Threads: the shard's loop, or the opening.
final class DroppedGroups {
  /// From the moment on at which groups hold nothing.
  static final long QUIET_NANOS = 60_000_000_000L;

  private static final long UNSEEN = Long.MIN_VALUE;

  private final Store store;

  /// By number of groups that the topology has dropped and that have something here: since when
  /// they are quiet, by the monotonic clock, or [#UNSEEN].
  private final TreeMap<Integer, Long> quietSince = new TreeMap<>();

  /// Numbers in rows that were read and of no groups of this store.
  private final TreeSet<Integer> found = new TreeSet<>();

  DroppedGroups(Store store) {
    this.store = store;
  }

  /// The opening met a row of groups that this store does not have.
  void found(int set) {
    found.add(set);
  }

  /// Why the store does not fit a view; null if it does.
  @Nullable String problem(ClusterView view) {
    for (int set : found) {
      if (view.groupsNumbered(set) != null) {
        return "shard %d: a row of groups %d, which are not among the store's; move the directory away and start with an empty one: the other nodes fill it (alone: restore a backup)"
            .formatted(store.records().shard(), set);
      }
    }
    return null;
  }

  /// Goes by another view. The store has adopted it.
  void adopt(ClusterView view) {
    for (int set : store.records().sets()) {
      condemn(set, view);
    }
    found.forEach(set -> condemn(set, view));
    found.removeAll(quietSince.keySet());
  }

  private void condemn(int set, ClusterView view) {
    boolean dropped = view.groupsNumbered(set) == null && set < view.state().nextSet();
    if (dropped) {
      quietSince.putIfAbsent(set, UNSEEN);
    }
  }

  /// Something comes for groups that were let go of.
  ///
  /// @return a partition that nobody keeps, and whose row is not written
  Partition late(int set, int slot) {
    assert CoverageMarks.reach(CoreMark.LATE_FOR_GROUPS);
    quietSince.put(set, UNSEEN);
    Partition partition = store.partitionOfNobody(set, slot);
    // It counts as one that is written already.
    partition.change();
    return partition;
  }

  /// Lets go of what was quiet for long enough.
  ///
  /// @param nanos of the monotonic clock
  void beat(long nanos) {
    List<Integer> ended = new ArrayList<>();
    for (Map.Entry<Integer, Long> each : quietSince.entrySet()) {
      if (!isQuiet(each.getKey())) {
        each.setValue(UNSEEN);
      } else if (each.getValue() == UNSEEN) {
        each.setValue(nanos);
      } else if (nanos - each.getValue() >= QUIET_NANOS) {
        ended.add(each.getKey());
      }
    }
    if (!ended.isEmpty()) {
      letGo(ended);
    }
  }

  private boolean isQuiet(int set) {
    RecordStore records = store.records();
    int group = records.groupOfSet(set);
    if (group >= 0) {
      for (PartitionRecords partition : records.partitions(group)) {
        if (partition != null && !partition.isEmpty()) {
          return false;
        }
      }
    }
    return true;
  }

  private void letGo(List<Integer> sets) {
    RecordStore records = store.records();
    // What the group under way changed belongs to the rows as they were.
    store.journal().endGroup(0);
    WriteBatch batch = new WriteBatch();
    for (int set : sets) {
      quietSince.remove(set);
      store.journal().letGo(set);
      int group = records.groupOfSet(set);
      if (group >= 0) {
        assert CoverageMarks.reach(CoreMark.GROUPS_LET_GO);
        store.letGo(group, batch);
      } else {
        records.eraseSet(set, store.familiesOfPartitions(), batch);
      }
    }
    // Entries of the journal that name the groups are void from here on.
    store.journal().writeRows(batch, 0);
    store.lsm().append(batch);
  }
}
