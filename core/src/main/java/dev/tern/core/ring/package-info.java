/// Who shall hold which partition: lists of replicas from members, zones and weights, and the moves
/// that lead from the present lists to the new ones.
///
/// ```
///   members, n, zone policy, present lists
///      |
///      Shares:     how many replicas each member shall hold: zones first, then weights
///      Placement:  what may stay stays; holes and surpluses go to members that lack,
///      |           along the shortest chain of exchanges
///      Leads:      who stands first, evenly
///      v
///   Plan: lists, moves (partition, from, to), a line for each member
/// ```
///
/// Invariants:
/// - a list names min(n, members) different members; zones hold as equal parts of it as they have
///   members for, so no zone holds two while there are n zones;
/// - a member's number of replicas is its share rounded down or up: members of equal weight whose
///   zones are not at their limit differ by one at most;
/// - the same input gives the same plan, in whatever order the members come.
///
/// Threads: pure functions, any.
@NullMarked
package dev.tern.core.ring;

import org.jspecify.annotations.NullMarked;
