package dev.tern.core.quorum;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;

/// What a replica says that does not know yet, since its start, what the others have: its directory
/// may be an old copy. It stores writes and answers reads of one replica, and nothing else.
public final class Behind {
  /// After so long it is worth another try, milliseconds.
  private static final long RETRY_MILLIS = 200;

  private Behind() {}

  /// Nothing was done.
  public static Unanswered.Refused refusal() {
    return new Unanswered.Refused(
        Reason.LOADING,
        "a replica has just started and catches up with the others; try again",
        RETRY_MILLIS);
  }

  /// Whether a replica said that.
  static boolean is(Unanswered.Refused why) {
    return why.reason() == Reason.LOADING;
  }
}
