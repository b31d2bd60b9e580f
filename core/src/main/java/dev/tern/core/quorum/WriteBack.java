package dev.tern.core.quorum;

import dev.tern.core.context.Statistics;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.Message;

/// Brings a record that this node has heard of to so many replicas that every later read of `r`
/// replicas meets it, and then is done. It asks nobody first.
final class WriteBack extends Operation<Message.WriteReply> implements ReadRepair.Done {
  private final Coordinator coordinator;
  private final Request request;
  private final ReadRepair.Done done;
  private final ReadRepair repair;
  private boolean finished;

  /// Whether a replica has something newer than the record.
  private boolean beaten;

  /// @param confirmed whether replicas take the record under its own ballot, so that whoever has
  ///   promised more refuses it
  WriteBack(
      Coordinator coordinator,
      Request request,
      Siblings record,
      boolean confirmed,
      ReadRepair.Done done) {
    super(Message.WriteReply.class, request.deadlineNanos());
    this.coordinator = coordinator;
    this.request = request;
    this.done = done;
    Quorum holders = Quorum.meetingReads(request.replicas(), request.r());
    // The first tick offers it to those that came alive since.
    this.repair =
        new ReadRepair(coordinator, request, this, record, confirmed, holders, Long.MIN_VALUE, this)
            .hurrying();
  }

  void start() {
    if (!coordinator.inFlight().add(this)) {
      done.failed(coordinator.full());
      return;
    }
    coordinator.count(Statistics.Counter.READ_REPAIRS);
    long live = coordinator.lists().livePlaces(request.replicas());
    repair.begin(0, live, request.replicas().places() & ~live);
  }

  @Override
  void reply(int node, Message.WriteReply reply) {
    int place = request.place(node);
    if (place < 0 || finished) {
      return;
    }
    switch (reply) {
      case Message.Written written -> repair.holds(place);
      case Message.Superseded superseded -> {
        beaten = true;
        repair.holds(place);
      }
      case Message.Refused refused -> {
        if (refused.why().reason() == Unanswered.Reason.MOVING) {
          repair.abandon();
          failed(refused.why());
          return;
        }
        coordinator.peers().refused(node, refused.why());
        repair.refused(place, refused.why());
      }
      case Message.Outvoted outvoted -> repair.outvoted(outvoted.by());
    }
  }

  /// Whether a replica that took part has something newer.
  boolean isBeaten() {
    return beaten;
  }

  @Override
  void lost(int node) {
    int place = request.place(node);
    if (place >= 0) {
      repair.lost(place);
    }
  }

  @Override
  void tick(long nowNanos) {
    repair.tick(nowNanos);
  }

  @Override
  public void held() {
    finish();
    done.held();
  }

  @Override
  public void outvoted(long by) {
    finish();
    done.outvoted(by);
  }

  @Override
  public void failed(Unanswered.Refused why) {
    finish();
    done.failed(why);
  }

  private void finish() {
    assert !finished : "a repair has two outcomes";
    finished = true;
    coordinator.inFlight().remove(this);
  }
}
