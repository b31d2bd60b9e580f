package dev.tern.core.replica;

import org.jspecify.annotations.Nullable;

/// What shall be written, before it has a dot and a stamp.
///
/// @param value null to delete
/// @param expiryMillis 0 for never
/// @param updates the read-modify-write counter of the version
public record Draft(byte @Nullable [] value, long expiryMillis, int updates) {}
