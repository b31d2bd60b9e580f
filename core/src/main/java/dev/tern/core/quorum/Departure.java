package dev.tern.core.quorum;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;

/// How far a shard is on its way out of the cluster's service, when its node is about to stop.
///
/// ```
///   STAYS --settle--> SETTLES --leave--> LEAVES
/// ```
///
/// While it settles, updates under way come to their end and new ones that it would lead are held
/// back: nobody else leads them yet. When they have ended the others are told; from then on another
/// leads, and what is forwarded here is refused, so that it is sent on.
///
/// Threads: the shard's loop.
public final class Departure {
  /// After so long what was held back is looked at again, nanoseconds.
  static final long HELD_NANOS = 5_000_000;

  private enum State {
    STAYS,
    SETTLES,
    LEAVES
  }

  private State state = State.STAYS;

  Departure() {}

  /// This node is about to stop.
  public void settle() {
    if (state == State.STAYS) {
      state = State.SETTLES;
    }
  }

  /// The others have been told: they lead from now on.
  public void leave() {
    state = State.LEAVES;
  }

  /// Whether an update that this node would lead waits.
  boolean holdsBack() {
    return state == State.SETTLES;
  }

  /// Whether another node leads what this one did.
  boolean leaves() {
    return state == State.LEAVES;
  }

  /// What a node is told that has not heard of it yet; nothing was done.
  static Unanswered.Refused refusal() {
    return new Unanswered.Refused(
        Reason.LOADING, "the node that leads the key stops; try again", 20);
  }
}
