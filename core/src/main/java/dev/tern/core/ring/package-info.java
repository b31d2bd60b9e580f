/// The planner: which members shall hold which partition, and which moves lead there from the
/// present lists.
///
/// ```
///   members, n, zone policy, present lists
///      |
///      Shares:     how many replicas each member shall hold: zones first, then weights
///      Placement:  keeps what may stay; fills holes and takes surpluses along the shortest
///      |           chain of exchanges
///      Leads:      which member stands first in a list, evenly
///      v
///   Plan: lists, moves (partition, from, to), a line for each member
/// ```
///
/// Invariants:
/// - a list names min(n, members) different members;
/// - no zone holds two replicas of a partition while there are n zones; with fewer zones, zones
///   hold parts of a list that are as equal as their members allow;
/// - the number of replicas of a member is its share, rounded down or up; so members of equal
///   weight, whose zones are not at their limit, differ by one at most;
/// - the same input gives the same plan, in whatever order the members come.
///
/// Threads: pure functions, any thread.
@NullMarked
package dev.tern.core.ring;

import org.jspecify.annotations.NullMarked;
