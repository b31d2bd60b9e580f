package dev.tern.core.repair;

import dev.tern.core.topology.ClusterView;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage.RepairRecord;
import dev.tern.env.DecodeException;

/// Whether a page of records holds what it says: it is taken into one partition, and a record of
/// another lies in another shard's store.
public final class RepairScope {
  private RepairScope() {}

  /// @throws DecodeException if a record of the page is of another partition
  public static void check(ClusterView view, Message.Repaired repaired) {
    for (RepairRecord record : repaired.page().records()) {
      int partition = view.partitionOf(record.slot());
      if (partition != repaired.partition()) {
        throw new DecodeException(
            "a page of partition %d with a record of partition %d"
                .formatted(repaired.partition(), partition));
      }
    }
  }
}
