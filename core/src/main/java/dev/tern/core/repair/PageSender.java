package dev.tern.core.repair;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.ShardContext;
import dev.tern.core.replica.Replica;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.RepairPage;
import dev.tern.env.Clock;
import dev.tern.env.CoverageMarks;
import java.util.ArrayDeque;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/// Gives other replicas the records that they ask for, as fast as [FillBudget] allows. What is
/// asked for meanwhile waits in order.
///
/// Invariant: at most [#MAX_WAITING] requests wait, each no longer than [#MAX_WAIT_NANOS]: who
/// asked gives up later than that, and asks another replica.
///
/// Threads: the shard's loop; workers read the records.
final class PageSender {
  static final int MAX_WAITING = 1_024;

  static final long MAX_WAIT_NANOS = Fetches.FETCH_NANOS / 2;

  private record Asked(int member, Message.Missing missing, long untilNanos) {}

  private final Replica replica;
  private final AntiEntropy.Wire wire;
  private final Clock clock;
  private final FillBudget budget;
  private final BiFunction<Integer, Integer, @Nullable Exchange> exchanges;
  private final ArrayDeque<Asked> waiting = new ArrayDeque<>();

  /// @param exchanges by number of groups and of partition
  PageSender(
      ShardContext context,
      Replica replica,
      AntiEntropy.Wire wire,
      FillBudget budget,
      BiFunction<Integer, Integer, @Nullable Exchange> exchanges) {
    this.replica = replica;
    this.wire = wire;
    this.clock = context.clock();
    this.budget = budget;
    this.exchanges = exchanges;
  }

  /// A replica asks for records.
  void asked(int member, Message.Missing missing) {
    long now = clock.monotonicNanos();
    if (waiting.isEmpty() && budget.mayGo(now)) {
      give(member, missing);
    } else if (waiting.size() < MAX_WAITING) {
      assert CoverageMarks.reach(CoreMark.FILL_WAITED);
      waiting.add(new Asked(member, missing, now + MAX_WAIT_NANOS));
    }
  }

  /// Goes on with what waits; a few times a second, and whenever a page went.
  void goOn() {
    long now = clock.monotonicNanos();
    while (!waiting.isEmpty() && budget.mayGo(now)) {
      Asked next = waiting.remove();
      if (now < next.untilNanos) {
        give(next.member, next.missing);
      }
    }
  }

  private void give(int member, Message.Missing missing) {
    Exchange exchange = exchanges.apply(missing.group(), missing.partition());
    if (exchange == null || exchange.place(member) < 0 || !mayGive(exchange)) {
      // It asks again, or another.
      return;
    }
    replica
        .dotLog()
        .repairPage(
            exchange.partition,
            missing.dots(),
            missing.cursor(),
            (page, failure) -> {
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
    budget.spend(page.bytes());
    wire.send(
        member,
        missing.partition(),
        new Message.Repaired(missing.group(), missing.partition(), missing.id(), page));
    goOn();
  }
}
