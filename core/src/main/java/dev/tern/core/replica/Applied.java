package dev.tern.core.replica;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.Version;

/// What becomes of a version that was minted elsewhere; exactly one call, on the shard's loop.
public interface Applied {
  /// This version is stored here, as durable as was asked for.
  void durable();

  /// A version that wins over it is here; this one was only counted.
  void superseded(Version by);

  /// It was not stored.
  void refused(Unanswered.Refused why);
}
