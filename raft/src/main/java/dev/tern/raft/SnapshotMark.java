package dev.tern.raft;

/// Where a snapshot stands in the log: it holds the effect of all entries up to `index`.
///
/// @param index of the last entry in it
/// @param term of that entry
/// @param membership in force at that entry
public record SnapshotMark(long index, long term, Membership membership) {}
