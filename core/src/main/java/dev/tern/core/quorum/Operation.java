package dev.tern.core.quorum;

/// A request in flight. From [InFlight#add] until it says [#finished] it is told of answers, of
/// lost peers and of time.
abstract class Operation {
  /// Given by [InFlight]; names the operation in messages.
  long id;

  /// Given by [InFlight]: when it began, monotonic.
  long beganNanos;

  /// Monotonic; past it the operation must come to its outcome.
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
