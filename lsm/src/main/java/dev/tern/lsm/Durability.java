package dev.tern.lsm;

/// What must have happened to a write's log entry before [Lsm#write(WriteBatch, Durability)]
/// returns.
public enum Durability {
  /// Nothing: it is in the buffer.
  NONE,
  /// The operating system has it.
  OS,
  /// The disk has it.
  SYNC
}
