package dev.tern.core.quorum;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import org.jspecify.annotations.Nullable;

/// The last that replicas said that refused a part in a read, by kind. Immutable.
///
/// @param overloaded of a replica that is overloaded or whose disk is full
/// @param catchingUp of one that is behind, see [Behind]
/// @param unreadable why one cannot read what it has
record Refusals(
    Unanswered.@Nullable Refused overloaded,
    Unanswered.@Nullable Refused catchingUp,
    @Nullable String unreadable) {
  static final Refusals NONE = new Refusals(null, null, null);

  Refusals with(Unanswered.Refused why) {
    if (why.isOfStore()) {
      return new Refusals(why, catchingUp, unreadable);
    } else if (Behind.is(why)) {
      return new Refusals(overloaded, why, unreadable);
    } else if (why.reason() == Reason.UNAVAILABLE) {
      return withUnreadable(why.message());
    }
    return this;
  }

  Refusals withUnreadable(String why) {
    return new Refusals(overloaded, catchingUp, why);
  }

  /// What a client is told whose read had too few answers.
  ///
  /// @param why it had
  Unanswered.Refused tell(String why, Unanswered.Shortfall shortfall) {
    if (overloaded != null) {
      return overloaded;
    }
    String cause = unreadable == null ? why : why + "; " + unreadable;
    return catchingUp == null
        ? new Unanswered.Refused(Reason.UNAVAILABLE, cause, 0, shortfall)
        : new Unanswered.Refused(
            catchingUp.reason(),
            cause + "; " + catchingUp.message(),
            catchingUp.retryAfterMillis(),
            shortfall);
  }
}
