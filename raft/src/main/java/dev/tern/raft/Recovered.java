package dev.tern.raft;

import java.util.List;

/// What a member finds on its disk when it starts.
///
/// @param state its hard state
/// @param mark of its latest snapshot; index 0 and the founding membership if there is none
/// @param baseIndex of the last entry that was compacted away; at most the mark's index
/// @param baseTerm of that entry
/// @param entries all that follow, without holes, at least up to the mark
public record Recovered(
    HardState state, SnapshotMark mark, long baseIndex, long baseTerm, List<Entry> entries) {
  /// An empty disk.
  ///
  /// @param founding those who found the group, alike at each of them; [Membership#NOBODY] for a
  ///   member that is added later
  public static Recovered nothing(Membership founding) {
    return new Recovered(HardState.NOTHING, new SnapshotMark(0, 0, founding), 0, 0, List.of());
  }
}
