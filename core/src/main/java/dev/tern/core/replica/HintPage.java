package dev.tern.core.replica;

import java.util.List;

/// Hints of a target, in the order they came.
///
/// @param hints none if those that there were cannot be read
/// @param next the number to go on from; [Long#MAX_VALUE] if there is no more
/// @param unreadable how many were passed over, as they cannot be read
public record HintPage(List<Hint> hints, long next, int unreadable) {}
