package dev.tern.core.repair;

/// How far the replica here of a partition has come that moves.
///
/// @param set number of the replica groups
/// @param entryEpoch of the partition's entry that this replica goes by
/// @param filled whether it has what it needs to be read: always true of one that does not wait
/// @param drained whether the others have all that it holds, if it leaves
public record MoveState(int set, int partition, long entryEpoch, boolean filled, boolean drained) {}
