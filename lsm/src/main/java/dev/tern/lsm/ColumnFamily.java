package dev.tern.lsm;

/// A key space of its own within a store: tables of its own, the log shared with the others, so
/// that one batch may change several at once.
///
/// @param id its number within the store, never reused
/// @param name what it was opened by
/// @param options fixed at its creation
public record ColumnFamily(int id, String name, FamilyOptions options) {}
