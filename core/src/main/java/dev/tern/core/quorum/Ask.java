package dev.tern.core.quorum;

import dev.tern.core.version.Rank;
import dev.tern.core.version.Siblings;
import org.jspecify.annotations.Nullable;

/// What a read has asked for one place of the replica list, and what came of it. A replica that the
/// read has not asked has none.
final class Ask {
  /// How far it has come.
  enum State {
    ASKED,
    ANSWERED,
    LOST
  }

  State state = State.ASKED;

  /// When it was last asked, monotonic.
  long askedNanos;

  /// The node that answers for the replica there, 0 for itself.
  int standIn;

  /// What was answered.
  ///
  /// Invariant: known where the state is ANSWERED.
  @Nullable Rank rank;

  /// The record that was answered; null where there is none, and where only its digest came.
  @Nullable Siblings record;

  boolean isStoodIn() {
    return standIn != 0;
  }
}
