package dev.tern.lsm;

/// How a table gets into the directory of a store.
public enum Staging {
  /// By a second name for the same file, which nobody may change or write to any more. Costs
  /// nothing but a read; needs one file system.
  LINK,
  /// By a copy; the file is the caller's as before.
  COPY
}
