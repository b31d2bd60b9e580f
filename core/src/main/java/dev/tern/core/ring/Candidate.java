package dev.tern.core.ring;

/// A member as the planner sees it.
///
/// @param number 1 or more
/// @param weight how much it shall hold in proportion to others; 0 or more
/// @param leaving whether it shall hold nothing any more
public record Candidate(int number, String zone, int weight, boolean leaving) {
  boolean eligible() {
    return !leaving && weight > 0;
  }
}
