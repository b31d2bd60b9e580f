package dev.tern.core.wire;

import java.util.List;

/// What one replica saw in a run of slots.
///
/// @param keys in order of (slot, hash)
/// @param next everything before this cursor was seen; [ScanCursor#END] if all was
public record ScanPage(List<ScannedKey> keys, long next) {}
