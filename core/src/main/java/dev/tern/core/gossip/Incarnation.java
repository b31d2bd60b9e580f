package dev.tern.core.gossip;

/// The numbers a member orders claims about itself by: its generation (which of its lives, counted
/// on its disk) in the high half, what it minted in this life in the low one.
public final class Incarnation {
  private Incarnation() {}

  /// The first of a life.
  ///
  /// @throws IllegalArgumentException if the generation does not fit, or is not positive
  public static long first(long generation) {
    if (generation < 1 || generation > Integer.MAX_VALUE) {
      throw new IllegalArgumentException("a generation of " + generation);
    }
    return generation << 32;
  }

  /// The life it belongs to.
  public static long generation(long incarnation) {
    return incarnation >>> 32;
  }

  /// What of it was minted in that life.
  static long minted(long incarnation) {
    return incarnation & 0xffff_ffffL;
  }
}
