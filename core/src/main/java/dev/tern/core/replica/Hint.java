package dev.tern.core.replica;

import dev.tern.core.version.Siblings;

/// A write that this node holds for a replica that was away.
///
/// @param number in the order they came, for its target
/// @param heldSinceMillis when it came, by the cluster's time: for people
/// @param bytes that it is stored in
public record Hint(
    long number, int keyspace, byte[] key, Siblings record, long heldSinceMillis, int bytes) {}
