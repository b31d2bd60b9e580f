package dev.tern.core.keyspace;

/// What counting comes to.
public sealed interface CountOutcome permits CountOutcome.Count, Unanswered {

  /// Keys, counted from running totals: exact while nothing fails, and off by what a replica has
  /// not yet been told otherwise. Expired keys count until they are removed.
  record Count(long keys) implements CountOutcome {}
}
