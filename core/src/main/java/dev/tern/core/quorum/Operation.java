package dev.tern.core.quorum;

/// A request in flight. [InFlight] tells the operation of answers, of lost peers and of time, from
/// [InFlight#add] until [InFlight#remove].
abstract class Operation {
  /// The number that names this operation in messages; [InFlight] gives it.
  long id;

  /// When the operation began, in monotonic nanoseconds; [InFlight] sets it.
  long beganNanos;

  /// When the operation must have come to its outcome, in monotonic nanoseconds.
  final long deadlineNanos;

  Operation(long deadlineNanos) {
    this.deadlineNanos = deadlineNanos;
  }

  /// An answer from a node; it may come twice, or after it no longer matters.
  abstract void reply(int node, Message.Reply reply);

  /// What was sent to `node` and not yet answered may be lost.
  abstract void lost(int node);

  /// Nothing at all came from `node` for a while although an answer is owed. Called again and again
  /// while that lasts. An operation that has waited as long by itself takes it for lost.
  void silent(int node, long nowNanos) {
    if (nowNanos - beganNanos >= Peers.SILENT_NANOS) {
      lost(node);
    }
  }

  /// Called every [InFlight#TICK_NANOS] while in flight.
  abstract void tick(long nowNanos);
}
