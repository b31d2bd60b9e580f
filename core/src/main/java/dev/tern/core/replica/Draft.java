package dev.tern.core.replica;

import dev.tern.core.version.DotSet;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import org.jspecify.annotations.Nullable;

/// What shall be written, before it has a dot and a stamp.
///
/// @param type of the value, [ValueType#NONE] to delete
/// @param value null to delete
/// @param expiryMillis 0 for never
/// @param inherited the stamp of the version, of an update or an expiry; null for a blind put,
///   which takes the next time of this replica's clock
/// @param replaced the dots it replaces, in a keyspace with siblings; null where the last write
///   wins
/// @param overwrites whether it replaces what is here, too
public record Draft(
    ValueType type,
    byte @Nullable [] value,
    long expiryMillis,
    @Nullable Stamp inherited,
    @Nullable DotSet replaced,
    boolean overwrites) {}
