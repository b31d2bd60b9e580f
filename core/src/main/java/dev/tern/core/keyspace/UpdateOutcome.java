package dev.tern.core.keyspace;

import org.jspecify.annotations.Nullable;

/// What an update comes to.
public sealed interface UpdateOutcome
    permits UpdateOutcome.Done, UpdateOutcome.Stored, UpdateOutcome.Rejected, Unanswered {

  /// The update is durable at its level, or was found to change nothing.
  ///
  /// @param existed whether the key had a live value before (false for an unconditional put, which
  ///   does not look)
  /// @param applied whether the key was changed (false: the condition did not hold)
  /// @param value what the update says it returns: the value before, or the one after; the array is
  ///   shared
  record Done(boolean existed, boolean applied, byte @Nullable [] value) implements UpdateOutcome {
    /// An unconditional put that is done.
    public static final Done WRITTEN = new Done(false, true, null);
  }

  /// An [Update.Store] is durable at its level, or its condition did not hold.
  ///
  /// @param applied false: the condition did not hold, nothing was changed
  /// @param versions what the key holds now at the replica that wrote it; null if that was not
  ///   asked for, or nothing was changed
  record Stored(boolean applied, @Nullable Versions versions) implements UpdateOutcome {}

  /// The value there is not one this update can work on; nothing was changed.
  record Rejected(Why why) implements UpdateOutcome {}

  /// Why a value and an update do not fit.
  enum Why {
    NOT_AN_INTEGER,
    INTEGER_OVERFLOW,
    NOT_A_DECIMAL,
    DECIMAL_OVERFLOW,
    TOO_LARGE
  }
}
