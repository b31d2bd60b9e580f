package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.ShardContext;
import dev.tern.core.replica.Replica;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import dev.tern.env.Clock;
import dev.tern.env.CoverageMarks;

/// Gives other replicas the records that they ask for, as fast as [FillBudget] allows. Who asks for
/// more is told to ask again: nothing queues up here, and no request is left without an answer, so
/// who asks takes nobody for dead.
///
/// Threads: the shard's loop; workers read the records.
final class PageSender {
  private final Replica replica;
  private final AntiEntropy.Wire wire;
  private final Clock clock;
  private final FillBudget budget;

  PageSender(ShardContext context, Replica replica, AntiEntropy.Wire wire, FillBudget budget) {
    this.replica = replica;
    this.wire = wire;
    this.clock = context.clock();
    this.budget = budget;
  }

  /// A replica asks for records of a partition.
  void asked(Exchange exchange, int member, Message.Missing missing) {
    if (!mayGive(exchange)) {
      // It asks again, or another.
      return;
    }
    if (!budget.mayGo(clock.monotonicNanos())) {
      assert CoverageMarks.reach(CoreMark.FILL_WAITED);
      send(member, missing, RepairPage.later());
      return;
    }
    long expected = budget.begin();
    replica
        .dotLog()
        .repairPage(
            exchange.partition,
            missing.dots(),
            missing.cursor(),
            (page, failure) -> {
              budget.end(expected, page == null ? 0 : page.bytes());
              if (page != null) {
                send(member, missing, page);
              }
            });
  }

  private static boolean mayGive(Exchange exchange) {
    boolean ignorant = exchange.isBehind() && !exchange.readiness.hasAnyTold();
    return !ignorant && !exchange.partition.isPending();
  }

  private void send(int member, Message.Missing missing, RepairPage page) {
    wire.send(
        member,
        missing.partition(),
        new Message.Repaired(missing.group(), missing.partition(), missing.id(), page));
  }
}
