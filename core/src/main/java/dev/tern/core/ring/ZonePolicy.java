package dev.tern.core.ring;

/// What zones mean to a placement.
public enum ZonePolicy {
  /// The replicas of a partition stand in as many zones as there are.
  SPREAD,
  /// Zones do not matter.
  IGNORE
}
