package dev.tern.core.store;

import dev.tern.core.topology.ClusterId;
import dev.tern.env.FileSystem;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Lsm;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What a shard's store says of the node that it is a part of, so that the parts of a data
/// directory can be held against each other.
///
/// Threads: any.
///
/// @param shards how many the node had when the store was made
/// @param cluster [ClusterId#NONE] while the store has not learnt of one
/// @param member this node's number in it; 0 with no cluster
public record StoreLabel(int shards, ClusterId cluster, int member) {
  private static final String GENERATION = "gossip/generation";

  /// Reads the label of a store that is open, read-only at least; null if it has none or one of
  /// another format. Blocks.
  ///
  /// @throws IOException if the rows cannot be read or decoded
  public static @Nullable StoreLabel of(Lsm found, int shard) throws IOException {
    Optional<StoreLabel> label =
        RecordStore.decoding(
            shard,
            () -> {
              for (ColumnFamily family : found.columnFamilies()) {
                if (family.name().equals(RecordStore.META)) {
                  return Optional.ofNullable(of(found, family));
                }
              }
              return Optional.empty();
            });
    return label.orElse(null);
  }

  private static @Nullable StoreLabel of(Lsm found, ColumnFamily meta) throws IOException {
    byte[] identity = found.get(meta, RowKeys.IDENTITY, Long.MAX_VALUE);
    if (identity == null) {
      return null;
    }
    StoreRows.Identity then = StoreRows.Identity.decode(identity);
    if (then.format() != RecordStore.FORMAT) {
      return null;
    }
    byte[] row = found.get(meta, RowKeys.OWNER, Long.MAX_VALUE);
    StoreRows.Owner owner = row == null ? null : StoreRows.Owner.decode(row);
    return owner == null
        ? new StoreLabel(then.shards(), ClusterId.NONE, 0)
        : new StoreLabel(then.shards(), owner.cluster(), owner.member());
  }

  /// The first shard whose store is lost while that of another shard is there; -1 if there is none.
  /// Its store must not be made anew: the replicas of its partitions would be gone without a word.
  /// A node writes its generation once all its stores are made, so a first start that was cut short
  /// is told apart from a loss. Called before a store is opened. Blocks.
  ///
  /// @param shards of the node
  public static int lost(FileSystem files, int shards) throws IOException {
    int missing = -1;
    boolean some = false;
    for (int shard = shards - 1; shard >= 0; shard--) {
      boolean here = files.exists("shard-" + shard + "/CURRENT");
      some |= here;
      missing = here ? missing : shard;
    }
    return some && files.exists(GENERATION) ? missing : -1;
  }

  /// What to say of a shard from [#lost].
  public static IOException refusal(int lost) {
    return new IOException(
        "the store shard-%d is missing, and stores of other shards are here: restore the whole directory, or start with an empty one where the other nodes have all data"
            .formatted(lost));
  }
}
