package dev.tern.core.replica;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.ClusterView;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Knows the cluster and the member that a store belongs to. Numbers of replica groups, keyspaces
/// and admissions mean something within their cluster only, so a store under the topology of
/// another one must neither answer nor drop anything.
///
/// Invariant: the row is written once, when the store first adopts a view that names its cluster.
///
/// Threads: the shard's loop, or the opening.
final class Ownership {
  private final ColumnFamily meta;
  private final int shard;

  /// Null until the cluster's id is known for the first time.
  private MetaRows.@Nullable Owner owner;

  /// Reads what the store says of itself.
  Ownership(Lsm lsm, ColumnFamily meta, int shard) throws IOException {
    this.meta = meta;
    this.shard = shard;
    byte[] row = lsm.get(meta, Rows.OWNER, Long.MAX_VALUE);
    owner = row == null ? null : MetaRows.Owner.decode(row);
  }

  /// Adds the row to the batch if the store has none and the view names the cluster.
  void claim(ClusterView view, int self, WriteBatch batch) {
    ClusterId cluster = view.state().cluster();
    if (owner == null && cluster.known()) {
      owner = new MetaRows.Owner(cluster, self);
      batch.put(meta, Rows.OWNER, owner.encoded());
    }
  }

  /// Why the store is not one of a member of a cluster; null if it may be.
  @Nullable String problem(ClusterView view, int self) {
    ClusterId cluster = view.state().cluster();
    MetaRows.Owner of = owner;
    if (of == null || !cluster.known() || of.equals(new MetaRows.Owner(cluster, self))) {
      return null;
    }
    return "shard-%d belongs to node %d of cluster %s, the topology of this directory to node %d of cluster %s: put back what belongs together, or start with an empty directory, the other nodes fill it (alone: restore a backup)"
        .formatted(shard, of.member(), of.cluster(), self, cluster);
  }
}
