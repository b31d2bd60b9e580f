package dev.tern.core.topology;

import dev.tern.core.ring.ZonePolicy;

/// How keys are placed; keyspaces of one policy share its replica groups.
///
/// @param n replicas of a partition; fewer where there are fewer members
public record PlacementPolicy(int n, ZonePolicy zones) {}
