package dev.tern.core.replica;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.Version;

/// What becomes of a version that was minted elsewhere; exactly one call, on the shard's loop.
public interface Applied {
  /// This version is stored here, as durable as was asked for.
  void durable();

  /// A version that wins over it is here, and this one was only counted; or, for an update, one
  /// that is an update of the same version made by another leader
  /// ([dev.tern.core.version.Stamp#forks]), whichever of the two is kept.
  void superseded(Version by);

  /// It was not stored: a higher ballot was promised to another leader, see [Ballots].
  default void outvoted(long by) {
    refused(
        new Unanswered.Refused(
            Unanswered.Reason.TRY_AGAIN, "another replica leads updates of the key", 20));
  }

  /// It was not stored.
  void refused(Unanswered.Refused why);
}
