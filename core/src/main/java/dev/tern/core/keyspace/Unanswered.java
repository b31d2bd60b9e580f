package dev.tern.core.keyspace;

import java.util.List;

/// The outcomes that are no answer.
public sealed interface Unanswered
    extends ReadOutcome, FetchOutcome, UpdateOutcome, ScanOutcome, CountOutcome {

  /// Nothing happened and nothing will.
  ///
  /// @param shortfall who did not answer, where that is the reason
  record Refused(Reason reason, String message, long retryAfterMillis, Shortfall shortfall)
      implements Unanswered {
    public Refused(Reason reason, String message, long retryAfterMillis) {
      this(reason, message, retryAfterMillis, Shortfall.NONE);
    }

    /// Whether the store that said so takes no writes now, and may later.
    public boolean isOfStore() {
      return reason == Reason.OVERLOADED || reason == Reason.DISK_FULL;
    }
  }

  /// How far an attempt was from its level.
  ///
  /// @param needed answers
  /// @param answered replicas
  /// @param missing the members of the key's list that did not answer
  record Shortfall(int needed, int answered, List<Integer> missing) {
    public static final Shortfall NONE = new Shortfall(0, 0, List.of());

    public Shortfall {
      missing = List.copyOf(missing);
    }
  }

  /// The deadline passed first: an update may have had its effect, or have it later.
  record Unknown(String message) implements Unanswered {}

  /// Why a request was refused.
  enum Reason {
    /// Fewer replicas than the level asks for can be reached.
    UNAVAILABLE,
    /// A bounded queue is full, here or at a replica; try again after the time given.
    OVERLOADED,
    /// A concurrent update or change of the topology was in the way; try again.
    TRY_AGAIN,
    /// The request itself cannot be served (a level above n, a value too large).
    INVALID,
    /// The node is still starting.
    LOADING,
    /// A disk has no room: the message says which node's. Reads go on; writes do when there is
    /// room.
    DISK_FULL,
    /// The replicas of the key are changing and whoever asked goes by another list: nothing was
    /// done. Nodes tell each other; a client meets it as [#TRY_AGAIN] does.
    MOVING,
    /// The disk of the replica that would lead an update cannot be read where the key lies: nothing
    /// was done, and another replica may lead. A client meets it as [#UNAVAILABLE], if none can.
    UNREADABLE
  }
}
