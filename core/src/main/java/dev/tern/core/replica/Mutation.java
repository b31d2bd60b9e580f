package dev.tern.core.replica;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.Siblings;
import org.jspecify.annotations.Nullable;

/// A write minted by this replica, told step by step; all calls on the shard's loop, in this order.
public interface Mutation {
  /// The epoch of the partition's entry that whoever wants the write goes by: it is refused where a
  /// later one forbids it, see [dev.tern.core.topology.Topology#writableFrom].
  default long epoch() {
    return Writes.ANY_EPOCH;
  }

  /// Decides what to write over `base`, the latest record here (pending ones included), null if
  /// none. Null: nothing; no other call follows. Nothing else touches the key meanwhile.
  @Nullable Draft over(@Nullable Siblings base);

  /// The draft has its dot and is in the log buffer: time to send it to the other replicas.
  ///
  /// @param record the key's, filled; the new version is in it
  /// @param dot the counter of the new version
  void minted(Siblings record, long dot);

  /// It is as durable here as was asked for.
  void durable();

  /// Instead of all the others: it was not and will not be written.
  void refused(Unanswered.Refused why);
}
