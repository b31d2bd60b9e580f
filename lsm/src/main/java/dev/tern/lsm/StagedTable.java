package dev.tern.lsm;

/// A table that is in the directory of a store and not readable yet; see [Lsm#stage].
///
/// @param label of those that become readable together
/// @param family it is for
/// @param bytes of its file
public record StagedTable(String label, ColumnFamily family, long bytes) {}
