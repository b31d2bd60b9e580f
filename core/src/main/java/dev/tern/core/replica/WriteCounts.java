package dev.tern.core.replica;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.Siblings;
import org.jspecify.annotations.Nullable;

/// Counts each write of a record: the one way by which the figures of a [Partition] change, but for
/// the erasing of a dropped keyspace and for what empties a whole partition.
///
/// What a write changes the figures by commits with the write, in the entry of the [Journal] that
/// ends its group. It follows from the record that was read before and the one that is written:
/// nothing is looked up. Where the one before cannot be read the caller says what it stands for.
///
/// Threads: the shard's loop.
final class WriteCounts {
  private final Store store;
  private final PlantedBug planted;

  WriteCounts(Store store, PlantedBug planted) {
    this.store = store;
    this.planted = planted;
  }

  /// A record was appended.
  ///
  /// @param base what it replaces, null for nothing
  void replaced(
      Partition partition,
      int keyspace,
      byte[] storageKey,
      @Nullable Siblings base,
      Siblings record) {
    int keys = record.hasValue() ? 1 : 0;
    int expiring = record.expires() ? 1 : 0;
    long bytes = record.valueBytes();
    if (base != null && base.hasValue()) {
      boolean kept = planted == PlantedBug.COUNTS_BYTES_OF_REPLACED && keys == 1;
      keys--;
      expiring -= base.expires() ? 1 : 0;
      bytes -= kept ? 0 : base.valueBytes();
    }
    if (keys != 0) {
      bytes += (long) keys * RecordKey.userKeyBytes(storageKey);
    }
    if (keys != 0 || expiring != 0 || bytes != 0) {
      store.counted(partition, keyspace, keys, expiring, bytes);
      store.journal().noteCounts(partition, keyspace, keys, expiring, bytes);
    }
  }
}
