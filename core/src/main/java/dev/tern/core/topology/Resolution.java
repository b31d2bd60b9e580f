package dev.tern.core.topology;

/// What becomes of concurrent writes of a key. The ordinal is written to files: add at the end.
public enum Resolution {
  /// The later stamp wins.
  LWW
}
