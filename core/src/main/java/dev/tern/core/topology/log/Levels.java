package dev.tern.core.topology.log;

import dev.tern.core.topology.MemberEntry;
import dev.tern.core.topology.TopologyState;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What a version of Tern can speak and write. A *level* counts the changes of the protocol between
/// nodes and of shared formats; the cluster works at one level, recorded in the topology, which is
/// raised when all members can do more.
///
/// @param min the lowest level it can work at
/// @param max the highest
public record Levels(int min, int max) {
  /// Of this version. 5: the topology of format 3. Levels 1 to 4 are not spoken any more.
  ///
  /// The level rises with each format of a frame and with each format that several nodes read:
  /// `LevelsTest` has the formats of each level.
  public static final Levels OURS = new Levels(5, 5);

  public Levels {
    if (min < 1 || max < min) {
      throw new IllegalArgumentException("levels %d to %d".formatted(min, max));
    }
  }

  /// Why a node of these levels cannot take part in a cluster of that level; null if it can.
  public @Nullable String problem(int level) {
    if (level > max) {
      return ("it speaks protocol levels %d to %d and the cluster is at %d: upgrade it to a version"
              + " that speaks %d")
          .formatted(min, max, level, level);
    }
    if (level < TopologyState.FIRST_LEVEL) {
      return ("it speaks protocol levels %d to %d and the cluster is at %d, which no release spoke:"
              + " found a cluster with empty directories and copy the keys through a client")
          .formatted(min, max, level);
    }
    if (level < min) {
      return ("it speaks protocol levels %d to %d and the cluster is at %d: upgrade all members, by"
              + " way of a version that speaks both")
          .formatted(min, max, level);
    }
    return null;
  }

  /// Refuses a topology at a level that a node of these levels does not speak.
  ///
  /// @throws RefusedException with the levels and what to do
  public void expect(TopologyState known) {
    String problem = problem(known.level());
    if (problem != null) {
      throw new RefusedException(
          "this node cannot take part in the cluster of its data directory: " + problem);
    }
  }

  /// The highest level that all members speak, as far as they have said; this speaker's own if it
  /// is alone, 0 if one has said nothing.
  ///
  /// @param told by number
  int common(TopologyState state, int self, Map<Integer, Levels> told) {
    int common = max;
    for (MemberEntry member : state.members()) {
      Levels theirs = told.get(member.number());
      if (member.number() != self) {
        common = theirs == null ? 0 : Math.min(common, theirs.max());
      }
    }
    return common;
  }
}
