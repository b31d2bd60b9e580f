package dev.tern.core.replica;

import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.ReplicaGroups;
import dev.tern.env.NodeEvent;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.WriteBatch;
import java.util.ArrayList;
import java.util.List;

/// Compares the admission that each partition's row belongs to with the one that the topology has
/// for this member ([ReplicaGroups#replicaId]), and empties the partitions of another admission.
///
/// A partition without a row, or with the row of an earlier admission, is an empty replica: while
/// this member was none, the others stripped deletes and trimmed their logs of dots without it. So
/// its records and rows go, its clock, counts and floor are those of a lost disk, and it is behind
/// until the others have filled it. Its counter stays: no dot is given out twice.
///
/// All of it is one batch with the rows that name the new admission. A crash before the batch is on
/// disk leaves the old row, and the next opening does the same again. What is written later lies
/// behind the batch in the log.
///
/// Ids only grow. A view whose id is lower than that of the row is older than what this store has
/// seen (a node whose topology directory was lost starts from its founding): nothing is dropped on
/// its word. A partition that this member is no replica of, by the view, stays as it is: its
/// records wait for the move that left them to end, or for another admission, which drops them.
///
/// Threads: the shard's loop, or the opening.
final class ReplicaAdmissions {
  private final Store store;

  ReplicaAdmissions(Store store) {
    this.store = store;
  }

  /// Adds what follows from a view to the batch. It must be appended before anything else is.
  ///
  /// @param self the member whose store it is
  /// @return how many partitions lost what they held
  int adopt(ClusterView view, int self, WriteBatch batch) {
    List<Partition> admitted = new ArrayList<>();
    if (store.records().problem(view, self) != null) {
      // A store of another cluster loses nothing on the word of this one.
      return 0;
    }
    store.forEachPartition(
        partition -> {
          if (id(view, partition, self) > partition.admission()) {
            admitted.add(partition);
          }
        });
    if (admitted.isEmpty()) {
      return 0;
    }
    // What the group under way changed belongs to the rows as they were.
    store.journal().endGroup(0);
    int emptied = 0;
    for (Partition partition : admitted) {
      if (!partition.isBlank()) {
        emptied++;
        empty(partition, batch);
        store
            .records()
            .events()
            .happened(new NodeEvent.PartitionEmptied(partition.set(), partition.number()));
      }
      partition.admit(id(view, partition, self));
      store.journal().change(partition);
    }
    store.journal().writeRows(batch, 0);
    return emptied;
  }

  /// Adds the removal of all that a partition holds. It must be appended before anything else is.
  void leave(Partition partition, WriteBatch batch) {
    store.journal().endGroup(0);
    empty(partition, batch);
    store.journal().change(partition);
    store.journal().writeRows(batch, 0);
  }

  private void empty(Partition partition, WriteBatch batch) {
    drop(partition, batch);
    store.records().emptied(partition.records());
    store.journal().forget(partition);
    partition.empty();
  }

  /// The id of this member's replica, 0 if it has none.
  private static int id(ClusterView view, Partition partition, int self) {
    ReplicaGroups groups = view.groupsNumbered(partition.set());
    int place = groups == null ? -1 : groups.replicaSet(partition.number()).place(self);
    return groups == null || place < 0 ? 0 : groups.replicaId(partition.number(), place);
  }

  private void drop(Partition partition, WriteBatch batch) {
    byte[] from = partition.records().first();
    byte[] to = partition.records().end();
    for (ColumnFamily family : store.familiesOfPartitions()) {
      batch.deleteRange(family, from, to);
    }
    batch.delete(store.records().meta(), Rows.installed(partition));
  }
}
