package dev.tern.core.store;

import dev.tern.core.topology.ClusterId;
import dev.tern.core.topology.ClusterView;
import dev.tern.core.topology.Slots;
import dev.tern.env.ByteReader;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
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
  private final Lsm lsm;
  private final ColumnFamily meta;
  private final int shard;

  /// Null until the cluster's id is known for the first time.
  private StoreRows.@Nullable Owner owner;

  Ownership(Lsm lsm, ColumnFamily meta, int shard) {
    this.lsm = lsm;
    this.meta = meta;
    this.shard = shard;
  }

  /// Reads what the store says of itself.
  void load() throws IOException {
    byte[] row = lsm.get(meta, RowKeys.OWNER, Long.MAX_VALUE);
    owner = row == null ? null : StoreRows.Owner.decode(row);
  }

  /// See [RecordStore#look].
  static void look(Lsm found, ClusterView view, int self, int shard, int shards)
      throws IOException {
    ColumnFamily meta = null;
    for (ColumnFamily family : found.columnFamilies()) {
      meta = family.name().equals(RecordStore.META) ? family : meta;
    }
    if (meta == null || identity(found, meta, shards, view.partitions()) == null) {
      return;
    }
    Ownership ownership = new Ownership(found, meta, shard);
    ownership.load();
    String problem = ownership.problem(view, self);
    if (problem == null) {
      problem = misplaced(found, meta, view.partitions(), shard, shards);
    }
    if (problem != null) {
      throw new IOException(problem);
    }
  }

  /// What the store's row says of its format and its ring; null if it has none yet.
  ///
  /// @throws IOException if this version and these settings do not fit it
  static StoreRows.@Nullable Identity identity(
      Lsm lsm, ColumnFamily meta, int shards, int partitions) throws IOException {
    byte[] identity = lsm.get(meta, RowKeys.IDENTITY, Long.MAX_VALUE);
    if (identity == null) {
      byte[] former = lsm.get(meta, RowKeys.FORMER_IDENTITY, Long.MAX_VALUE);
      if (former != null) {
        // Replica id, shards, partitions; from format 2 on the format.
        throw new IOException(
            unread(former.length <= 12 ? 1 : new ByteReader(former, 12, 4).readInt()));
      }
      return null;
    }
    StoreRows.Identity then = StoreRows.Identity.decode(identity);
    if (then.format() != RecordStore.FORMAT) {
      throw new IOException(unread(then.format()));
    }
    if (then.shards() != shards || then.partitions() != partitions) {
      throw new IOException(
          "this data directory was written with %d shards and %d partitions, not %d and %d; start with those or with an empty directory"
              .formatted(then.shards(), then.partitions(), shards, partitions));
    }
    return then;
  }

  private static String unread(int format) {
    return "this data directory is of format %d, this version reads format %d only: use the version of Tern that wrote it, or start with an empty directory where the other nodes have all data"
        .formatted(format, RecordStore.FORMAT);
  }

  /// Why the store is another shard's: its partitions are.
  private static @Nullable String misplaced(
      Lsm found, ColumnFamily meta, int partitions, int shard, int shards) throws IOException {
    try (LsmIterator rows = found.iterator(meta, IteratorOptions.all())) {
      rows.seek(RowKeys.PARTITIONS);
      if (rows.valid()) {
        ByteReader key = new ByteReader(rows.key());
        key.skip(Short.BYTES);
        int partition = key.readUnsignedShort() / (Slots.COUNT / partitions);
        if (partition % shards != shard) {
          return "shard-%d holds partition %d, which is shard-%d's: put the directories back where they were"
              .formatted(shard, partition, partition % shards);
        }
      }
    }
    return null;
  }

  /// Adds the row to the batch if the store has none and the view names the cluster.
  void claim(ClusterView view, int self, WriteBatch batch) {
    ClusterId cluster = view.state().cluster();
    if (owner == null && cluster.known()) {
      owner = new StoreRows.Owner(cluster, self);
      batch.put(meta, RowKeys.OWNER, owner.encoded());
    }
  }

  /// Why the store is not one of a member of a cluster; null if it may be.
  @Nullable String problem(ClusterView view, int self) {
    ClusterId cluster = view.state().cluster();
    StoreRows.Owner of = owner;
    if (of != null && !cluster.known()) {
      return "shard-%d belongs to node %d of cluster %s, and this directory's topology knows no cluster: put back the directory topology that belongs to it, or start with an empty directory where the other nodes have all data"
          .formatted(shard, of.member(), of.cluster());
    }
    if (of == null || of.equals(new StoreRows.Owner(cluster, self))) {
      return null;
    }
    return "shard-%d belongs to node %d of cluster %s, the topology of this directory to node %d of cluster %s: put back what belongs together, or start with an empty directory, the other nodes fill it (alone: restore a backup)"
        .formatted(shard, of.member(), of.cluster(), self, cluster);
  }
}
