package dev.tern.core.topology.log;

import dev.tern.core.topology.TopologyOutcome;

/// What became of a change that somebody proposed.
public sealed interface Decision {
  /// The log took it, and this came of it.
  record Decided(TopologyOutcome outcome) implements Decision {}

  /// It is in no log and never will be.
  record NotProposed(String why) implements Decision {}

  /// It may or may not come to be.
  record Unknown(String why) implements Decision {}
}
