package dev.tern.lsm;

/// A keyspace of its own in a store, sharing the log with the others.
///
/// @param id in files; never reused
/// @param name given by the user
/// @param style of its compactions
public record ColumnFamily(int id, String name, CompactionStyle style) {}
