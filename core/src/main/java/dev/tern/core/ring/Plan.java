package dev.tern.core.ring;

import java.util.List;

/// New lists and the way to them.
///
/// @param lists by partition, member numbers in order of preference
/// @param moves in order of partitions
/// @param members a line for each member that holds or held something, or may, in order of numbers
/// @param leastMoves no plan with these numbers of replicas a member needs fewer moves
public record Plan(int[][] lists, List<Move> moves, List<Line> members, int leastMoves) {
  /// A replica to be moved.
  ///
  /// @param from whose place is taken; 0 where the list grows
  /// @param to who gets the data; 0 where the list shrinks
  public record Move(int partition, int from, int to) {}

  /// What becomes of a member.
  ///
  /// @param before replicas held
  /// @param after replicas to be held
  /// @param in replicas to come
  /// @param out replicas to go
  /// @param ledBefore lists it stands first in
  /// @param ledAfter lists it will stand first in
  public record Line(
      int number, int before, int after, int in, int out, int ledBefore, int ledAfter) {}
}
