package dev.tern.core.topology;

/// A command and when it holds.
///
/// @param onlyAtEpoch it is refused unless the topology has this epoch; 0 for any
public record Proposed(long onlyAtEpoch, Command command) {}
