package dev.tern.core.repair;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.context.Statistics.Counter;
import dev.tern.core.replica.Grave;
import dev.tern.core.replica.Replica;
import dev.tern.core.version.DotView;
import java.util.ArrayList;
import java.util.List;

/// Strips deletes in three steps. All replicas have them: what any replica has written before it
/// had them is then among the dots that any has on disk. All replicas have those, too: nothing
/// older than the deletes can come from a replica any more. No member holds a write for the
/// replicas: nothing older can come from elsewhere ([Inquiries]).
///
/// Threads: the shard's loop.
final class Burial {
  /// Deletes looked at together.
  private static final int MAX_GRAVES = 1_024;

  private final Replica replica;
  private final Statistics statistics;
  private final Inquiries inquiries;
  private final PlantedBug planted;

  Burial(ShardContext context, Replica replica, Inquiries inquiries) {
    this.replica = replica;
    this.statistics = context.statistics();
    this.inquiries = inquiries;
    this.planted = context.planted();
  }

  /// Goes on with the deletes of a partition.
  ///
  /// @param common the dots that all replicas have on disk
  void bury(Exchange exchange, DotView common) {
    if (!exchange.condemned.isEmpty()) {
      exchange.stirred = true;
      // What a lost disk was the only one to have comes no more.
      boolean settled = common.covers(exchange.needed.and(exchange.union()));
      if (settled && inquiries.clears(exchange)) {
        statistics.add(Counter.STRIPPED_DELETES, exchange.condemned.size());
        // First, so that who asks for the dot of a delete that is no more gets the whole partition.
        replica.dotLog().trim(exchange.partition, common.minus(exchange.partition.trimmed()));
        replica.tombstones().strip(exchange.partition, exchange.condemned);
        exchange.condemned = List.of();
      }
      return;
    }
    if (exchange.digging || !exchange.partition.mayHaveGraves()) {
      return;
    }
    exchange.digging = true;
    replica
        .tombstones()
        .graves(
            exchange.partition,
            MAX_GRAVES,
            (found, failure) -> {
              exchange.digging = false;
              exchange.stirred |= failure != null;
              if (found == null || !exchange.complete()) {
                return;
              }
              exchange.condemned = condemned(found, exchange.common());
              exchange.needed = exchange.union();
              exchange.stirred |= !found.isEmpty();
            });
  }

  private List<Grave> condemned(List<Grave> found, DotView common) {
    List<Grave> condemned = new ArrayList<>();
    for (Grave grave : found) {
      if (common.contains(grave.replica(), grave.counter())
          || planted == PlantedBug.TOMBSTONE_STRIPPED_TOO_EARLY) {
        condemned.add(grave);
      }
    }
    return condemned;
  }
}
