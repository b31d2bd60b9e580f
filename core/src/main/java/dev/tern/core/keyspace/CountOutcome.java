package dev.tern.core.keyspace;

/// What counting comes to.
public sealed interface CountOutcome permits CountOutcome.Count, Unanswered {

  /// Keys, counted from running totals: exact while nothing fails, and off by what a replica has
  /// not yet been told otherwise. Expired keys count until they are removed.
  ///
  /// @param keys that have a value
  /// @param expiring those of them that will be gone by time alone: each of the key's values has an
  ///   expiry
  /// @param bytes of these keys and of their values, siblings included, as clients gave them
  record Count(long keys, long expiring, long bytes) implements CountOutcome {
    /// Of nothing.
    public static final Count NONE = new Count(0, 0, 0);

    /// Both together.
    public Count plus(Count other) {
      return new Count(keys + other.keys, expiring + other.expiring, bytes + other.bytes);
    }
  }
}
