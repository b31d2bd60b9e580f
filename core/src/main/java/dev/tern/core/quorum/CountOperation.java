package dev.tern.core.quorum;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.topology.Member;
import dev.tern.core.wire.Message;
import java.util.LinkedHashSet;
import java.util.Set;

/// Asks every live member what it counts where it is the first live replica, and adds up.
final class CountOperation extends Operation<Message.CountReply> {
  private final Coordinator coordinator;
  private final int keyspace;
  private final Completion<? super CountOutcome> completion;
  private final Set<Integer> asked = new LinkedHashSet<>();
  private CountOutcome.Count total = CountOutcome.Count.NONE;
  private boolean finished;

  CountOperation(
      Coordinator coordinator,
      int keyspace,
      long deadlineNanos,
      Completion<? super CountOutcome> completion) {
    super(Message.CountReply.class, deadlineNanos);
    this.coordinator = coordinator;
    this.keyspace = keyspace;
    this.completion = completion;
  }

  void start() {
    if (!coordinator.inFlight().add(this)) {
      completion.complete(coordinator.full());
      return;
    }
    CountOutcome.Count own = coordinator.ledCount(keyspace);
    if (own == null) {
      fail(Behind.refusal());
      return;
    }
    total = own;
    Message.Count count = new Message.Count(id, coordinator.view().epoch(), keyspace);
    for (Member member : coordinator.view().members()) {
      int node = member.number();
      if (node != coordinator.self() && coordinator.lists().live(node)) {
        asked.add(node);
        if (!coordinator.transport().send(node, 0, count)) {
          fail(silent());
          return;
        }
      }
    }
    finishIfAll();
  }

  private void finishIfAll() {
    if (asked.isEmpty() && !finished) {
      finished = true;
      coordinator.inFlight().remove(this);
      completion.complete(total);
    }
  }

  @Override
  void reply(int node, Message.CountReply reply) {
    switch (reply) {
      case Message.Counted counted -> {
        if (asked.remove(node)) {
          total = total.plus(counted.count());
          finishIfAll();
        }
      }
      case Message.Refused refused -> fail(refused.why());
    }
  }

  @Override
  void lost(int node) {
    if (asked.contains(node)) {
      fail(silent());
    }
  }

  @Override
  void tick(long nowNanos) {
    if (nowNanos >= deadlineNanos) {
      fail(silent());
    }
  }

  private static Unanswered.Refused silent() {
    return new Unanswered.Refused(Reason.UNAVAILABLE, "a member did not tell its count", 100);
  }

  private void fail(Unanswered.Refused why) {
    if (!finished) {
      finished = true;
      coordinator.inFlight().remove(this);
      completion.complete(why);
    }
  }
}
