package dev.tern.core.repair;

import dev.tern.env.Events;
import dev.tern.env.NodeEvent;

/// What a shard has to catch up with, in figures, and the events of rebuilds.
///
/// Invariant: [#behind] is the number of partitions whose exchanges are behind.
///
/// Threads: the shard's loop; [#repairs] and [#behind] any.
final class RepairFigures {
  private final Events events;
  private int partitions;
  private volatile Repairs repairs = Repairs.NONE;
  private volatile int behind;
  private int countedBehind;

  RepairFigures(Events events) {
    this.events = events;
  }

  /// So many partitions are exchanged.
  void partitions(int count) {
    partitions = count;
    repairs = new Repairs(count, repairs.lacking(), repairs.rebuilding());
  }

  /// The number of partitions whose replicas here are behind, see [Readiness]; any thread.
  int behind() {
    return behind;
  }

  /// Some partitions came to be behind, or so many less are.
  void behind(int more) {
    countedBehind += more;
    assert countedBehind >= 0 : countedBehind + " are behind";
    behind = countedBehind;
  }

  /// How many partitions lack records or are being rebuilt; any thread.
  Repairs repairs() {
    return repairs;
  }

  /// A partition lacks what another replica has, or is being rebuilt, or not.
  void note(Exchange exchange, boolean lacks, boolean rebuilding) {
    int lacking = repairs.lacking() + (lacks ? 1 : 0) - (exchange.lacks ? 1 : 0);
    int rebuilt = repairs.rebuilding() + (rebuilding ? 1 : 0) - (exchange.rebuilding ? 1 : 0);
    assert lacking >= 0 && rebuilt >= 0 && rebuilt <= partitions : "figures of repair are off";
    if (rebuilding != exchange.rebuilding) {
      int number = exchange.partition.number();
      events.happened(
          rebuilding
              ? new NodeEvent.RebuildBegan(exchange.group, number)
              : new NodeEvent.RebuildEnded(exchange.group, number));
    }
    if (lacks != exchange.lacks || rebuilding != exchange.rebuilding) {
      exchange.lacks = lacks;
      exchange.rebuilding = rebuilding;
      repairs = new Repairs(partitions, lacking, rebuilt);
    }
  }
}
