package dev.tern.core.quorum;

import dev.tern.core.traffic.Peers;
import dev.tern.core.wire.Message;

/// A request in flight. [InFlight] tells the operation of answers, of lost peers and of time, from
/// [InFlight#add] until [InFlight#remove].
///
/// Threads: the shard's loop.
///
/// @param <R> the answers to what the operation asks
abstract class Operation<R extends Message.Reply> {
  private final Class<R> replies;

  /// The number that names this operation in messages; [InFlight] gives it.
  long id;

  /// When the operation began, in monotonic nanoseconds; [InFlight] sets it.
  long beganNanos;

  /// When the operation must have come to its outcome, in monotonic nanoseconds.
  final long deadlineNanos;

  /// @param replies the answers to what it asks
  Operation(Class<R> replies, long deadlineNanos) {
    this.replies = replies;
    this.deadlineNanos = deadlineNanos;
  }

  /// Takes an answer from a node. One to another kind of request is ignored: only a peer that does
  /// not keep to the protocol sends that.
  final void receive(int node, Message.Reply reply) {
    if (replies.isInstance(reply)) {
      reply(node, replies.cast(reply));
    }
  }

  /// An answer from a node; it may come twice, or after it no longer matters.
  abstract void reply(int node, R reply);

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
