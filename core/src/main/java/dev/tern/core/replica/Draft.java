package dev.tern.core.replica;

import dev.tern.core.version.DotSet;
import org.jspecify.annotations.Nullable;

/// What shall be written, before it has a dot and a stamp.
///
/// @param value null to delete
/// @param expiryMillis 0 for never
/// @param updates the read-modify-write counter of the version
/// @param replaced the dots it replaces, in a keyspace with siblings; null where the last write
///   wins
/// @param overwrites whether it replaces what is here, too
public record Draft(
    byte @Nullable [] value,
    long expiryMillis,
    int updates,
    @Nullable DotSet replaced,
    boolean overwrites) {}
