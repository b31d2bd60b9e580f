package dev.tern.simulation;

/// What seeds do only since the product can bear it: each is false until the mend it waits for is
/// in, and says which. All true is the aim.
final class Awaited {
  /// Values of last-write-wins keys whose time comes while the run is on: that expiry does not
  /// delete on the word of one replica.
  static final boolean EXPIRY = false;

  /// Expiries by the bounded time of the cluster: that a wall clock that is wrong by minutes does
  /// not decide what has expired.
  static final boolean BOUNDED_TIME = false;

  private Awaited() {}
}
