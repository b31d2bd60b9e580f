package dev.tern.core.keyspace;

/// What a [Keyspace#fetch] comes to.
public sealed interface FetchOutcome permits FetchOutcome.Held, Unanswered {

  /// All that the key holds at the level asked for; no siblings if it holds nothing.
  record Held(Versions versions) implements FetchOutcome {}
}
