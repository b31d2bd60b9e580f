package dev.tern.core.topology.log;

/// What a member says of its part in a move, to the leader of the topology log.
///
/// @param set the number of the groups
/// @param entryEpoch of the entry that it speaks of: of another one it says nothing
/// @param flags of [#ADOPTED], [#FILLED] and [#DRAINED]
public record MoveReport(int set, int partition, long entryEpoch, int flags) {
  /// The member goes by the entry, durably, and what it had admitted by earlier ones has ended.
  public static final int ADOPTED = 1;

  /// The member is new, has what it lacked, on its disk, and can be read.
  public static final int FILLED = 2;

  /// The member leaves, and has nothing left that no other replica has.
  public static final int DRAINED = 4;

  static final int MAX_FLAGS = ADOPTED | FILLED | DRAINED;

  boolean says(int flag) {
    return (flags & flag) != 0;
  }
}
