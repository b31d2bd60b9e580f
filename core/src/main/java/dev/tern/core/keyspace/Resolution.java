package dev.tern.core.keyspace;

/// What becomes of concurrent writes of a key. The ordinal is written to files: add at the end.
public enum Resolution {
  /// The later stamp wins.
  LWW,
  /// All are kept until a write that has seen them replaces them.
  SIBLINGS
}
