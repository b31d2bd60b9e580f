package dev.tern.core.quorum;

import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;

/// An update that another node coordinates. It is sent once: when its answer is lost, nobody knows
/// whether it was done.
final class ForwardOperation extends Operation {
  private final Coordinator coordinator;
  private final Request request;
  private final Update update;
  private final Completion<? super UpdateOutcome> completion;
  private int target;
  private boolean finished;

  ForwardOperation(
      Coordinator coordinator,
      Request request,
      Update update,
      Completion<? super UpdateOutcome> completion) {
    super(request.deadlineNanos());
    this.coordinator = coordinator;
    this.request = request;
    this.update = update;
    this.completion = completion;
  }

  /// Sends the update to the first live replica; a blind put may go to any, one of a local level
  /// goes to the datacenter if it can. What is local is judged where the update is carried out.
  void start() {
    if (!coordinator.inFlight().add(this)) {
      completion.complete(coordinator.full());
      return;
    }
    coordinator.count(Statistics.Counter.FORWARDED);
    long left = Math.max(1, (deadlineNanos - coordinator.nowNanos()) / 1_000_000);
    Message.Forward forward =
        new Message.Forward(
            id,
            request.epoch(),
            request.keyspace().id(),
            request.key(),
            update,
            new Level(
                request.replicas().length,
                request.r(),
                request.nearW() == 0 ? request.w() : localW(),
                0,
                request.pw(),
                0,
                request.sloppy(),
                (int) Math.min(left, Integer.MAX_VALUE)));
    boolean near = request.nearW() > 0 && update.blind();
    if (!(near && send(forward, true)) && !send(forward, false)) {
      finish(new Unanswered.Refused(Reason.UNAVAILABLE, "no replica of the key can be reached", 0));
    }
  }

  private int localW() {
    return request.nearW() == 1 ? Level.LOCAL_ONE : Level.LOCAL_QUORUM;
  }

  private boolean send(Message.Forward forward, boolean nearOnly) {
    for (int node : request.replicas()) {
      boolean wanted = node != coordinator.self() && (!nearOnly || coordinator.near(node));
      if (wanted && coordinator.live(node)) {
        target = node;
        if (coordinator.send(node, request.slot(), forward)) {
          return true;
        }
      }
    }
    return false;
  }

  @Override
  void reply(int node, Message.Reply reply) {
    if (finished || node != target) {
      return;
    }
    switch (reply) {
      case Message.Updated updated -> finish(updated.outcome());
      case Message.Refused refused -> finish(refused.why());
      case Message.Written m -> {}
      case Message.Superseded m -> {}
      case Message.Value m -> {}
      case Message.Digest m -> {}
      case Message.Scanned m -> {}
      case Message.Counted m -> {}
    }
  }

  @Override
  void lost(int node) {
    if (node == target && !finished) {
      finish(new Unanswered.Unknown("the replica that coordinated the update was lost"));
    }
  }

  @Override
  void tick(long nowNanos) {
    if (nowNanos >= deadlineNanos && !finished) {
      finish(new Unanswered.Unknown("the replica that coordinates the update did not answer"));
    }
  }

  private void finish(UpdateOutcome outcome) {
    finished = true;
    coordinator.inFlight().remove(this);
    completion.complete(outcome);
  }
}
