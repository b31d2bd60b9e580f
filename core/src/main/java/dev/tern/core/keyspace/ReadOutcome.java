package dev.tern.core.keyspace;

/// What a read comes to.
public sealed interface ReadOutcome permits ReadOutcome.Found, ReadOutcome.Missing, Unanswered {

  /// The key has a live value. The array is shared: do not change it.
  ///
  /// @param expiryMillis wall-clock milliseconds at which it goes, 0 for never
  record Found(byte[] value, long expiryMillis) implements ReadOutcome {}

  /// The key has none, at the level asked for.
  record Missing() implements ReadOutcome {
    public static final Missing INSTANCE = new Missing();
  }
}
