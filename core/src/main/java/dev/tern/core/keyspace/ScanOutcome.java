package dev.tern.core.keyspace;

import java.util.List;

/// What a step of a scan comes to.
public sealed interface ScanOutcome permits ScanOutcome.Page, Unanswered {

  /// @param keys live keys, about as many as were asked for, possibly none
  /// @param next where the next step begins, 0 at the end
  record Page(List<byte[]> keys, long next) implements ScanOutcome {}
}
