package dev.tern.core.quorum;

import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Completion;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.traffic.Admission;
import dev.tern.core.traffic.LargeWrites;
import dev.tern.core.traffic.Peers;
import dev.tern.core.wire.Message;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// An update that another node coordinates. It is sent once: when its answer is lost, nobody knows
/// whether it was done.
final class ForwardOperation extends Operation<Message.ForwardReply> {
  private final Coordinator coordinator;
  private final Request request;
  private final Update update;
  private final Completion<? super UpdateOutcome> completion;
  private int target;
  private Message.@Nullable Forward forward;

  /// Replicas that are behind, or cannot read the key.
  private final List<Integer> refusers = new ArrayList<>(0);

  private long sentNanos;
  private boolean finished;

  ForwardOperation(
      Coordinator coordinator,
      Request request,
      Update update,
      Completion<? super UpdateOutcome> completion) {
    super(Message.ForwardReply.class, request.deadlineNanos());
    this.coordinator = coordinator;
    this.request = request;
    this.update = update;
    this.completion = completion;
  }

  /// As [#start], where this node is a replica and cannot read the key.
  void startElsewhere() {
    refusers.add(coordinator.self());
    start();
  }

  /// Sends the update to the first live replica. A blind put of a node that is none goes to one
  /// that has less to do, if that one has much; one of a local level to the datacenter if it can.
  /// What is local is judged where the update is carried out.
  void start() {
    if (!coordinator.inFlight().add(this)) {
      completion.complete(coordinator.full());
      return;
    }
    coordinator.count(Statistics.Counter.FORWARDED);
    long left = Math.max(1, (deadlineNanos - coordinator.nowNanos()) / 1_000_000);
    Message.Forward sent =
        new Message.Forward(
            id,
            request.epoch(),
            request.at(),
            update,
            new Level(
                request.replicas().longest(),
                request.r(),
                request.stampsFirst()
                    ? Level.ATOMIC
                    : request.nearW() == 0 ? request.w() : localW(),
                request.pr(),
                request.pw(),
                0,
                request.sloppy(),
                (int) Math.min(left, Integer.MAX_VALUE)));
    forward = sent;
    boolean near = request.nearW() > 0 && update.blind();
    boolean any = update.blind() && request.place(coordinator.self()) < 0;
    int[] leaders = request.replicas().leaders().members();
    int best = any && !near ? coordinator.peers().leastLoaded(leaders) : 0;
    if (best != 0 && sent(best, sent) || near && send(sent, best, true)) {
      return;
    }
    if (!send(sent, best, false)) {
      finish(new Unanswered.Refused(Reason.UNAVAILABLE, "no replica of the key can be reached", 0));
    }
  }

  /// A replica is behind, stops, or cannot read the key, and has done nothing: sends the update to
  /// the next that lives, or carries it out here in its turn; false if there is none.
  private boolean next(int refuser) {
    refusers.add(refuser);
    for (int node : request.replicas().leaders().members()) {
      if (refusers.contains(node)) {
        continue;
      }
      if (node == coordinator.self() && coordinator.vouches(request)) {
        end();
        coordinator.carryOut(request, update, completion);
        return true;
      }
      Message.Forward again = java.util.Objects.requireNonNull(forward);
      if (node != coordinator.self() && coordinator.lists().live(node) && sent(node, again)) {
        coordinator.peers().forwards(refuser, -1);
        return true;
      }
    }
    return false;
  }

  private boolean passedOn(int refuser, Unanswered.Refused why) {
    boolean passes = Behind.is(why) || why.reason() == Reason.UNREADABLE;
    return passes && next(refuser);
  }

  private int localW() {
    return request.nearW() == 1 ? Level.LOCAL_ONE : Level.LOCAL_QUORUM;
  }

  private boolean send(Message.Forward forward, int tried, boolean nearOnly) {
    for (int node : request.replicas().leaders().members()) {
      boolean wanted = node != coordinator.self() && node != tried;
      boolean there = !nearOnly || coordinator.lists().near(node);
      if (wanted && there && coordinator.lists().live(node) && sent(node, forward)) {
        return true;
      }
    }
    return false;
  }

  private boolean sent(int node, Message.Forward forward) {
    if (!coordinator.transport().send(node, request.slot(), forward)) {
      return false;
    }
    target = node;
    sentNanos = coordinator.nowNanos();
    coordinator.peers().forwards(node, 1);
    return true;
  }

  @Override
  void reply(int node, Message.ForwardReply reply) {
    if (finished || node != target) {
      return;
    }
    switch (reply) {
      case Message.Updated updated -> {
        if (update.blind()) {
          coordinator.peers().forwardTook(node, coordinator.nowNanos() - sentNanos);
        }
        if (!(updated.outcome() instanceof Unanswered.Refused why && passedOn(node, why))) {
          finish(updated.outcome());
        }
      }
      case Message.Refused refused -> {
        if (!passedOn(node, refused.why())) {
          finish(refused.why());
        }
      }
    }
  }

  @Override
  void lost(int node) {
    if (node == target && !finished) {
      finish(new Unanswered.Unknown("the replica that coordinated the update was lost"));
    }
  }

  @Override
  void silent(int node, long nowNanos) {
    if (node == target && !finished && nowNanos - sentNanos >= Peers.SILENT_NANOS) {
      finish(
          new Unanswered.Unknown(
              "node %d coordinates the update and has fallen silent".formatted(node)));
    }
  }

  @Override
  void tick(long nowNanos) {
    if (nowNanos >= deadlineNanos && !finished) {
      finish(new Unanswered.Unknown("the replica that coordinates the update did not answer"));
    }
  }

  private void end() {
    if (finished) {
      throw new IllegalStateException("a forwarded update has two outcomes");
    }
    finished = true;
    coordinator.inFlight().remove(this);
    coordinator.peers().forwards(target, -1);
  }

  private void finish(UpdateOutcome outcome) {
    end();
    boolean large = Admission.bytes(update) >= LargeWrites.LARGE_BYTES;
    // That a member takes no large value says nothing of small ones.
    if (outcome instanceof Unanswered.Refused refused
        && !(large && refused.reason() == Reason.OVERLOADED)) {
      coordinator.peers().refused(target, refused);
    }
    completion.complete(outcome);
  }
}
