package dev.tern.raft;

/// What a member must not forget.
///
/// @param term the latest term it has seen
/// @param vote whom it voted for in that term, 0 for nobody
/// @param commit an index known to be committed; a hint, it may lag behind
public record HardState(long term, int vote, long commit) {
  /// A member that has seen nothing.
  public static final HardState NOTHING = new HardState(0, 0, 0);
}
