package dev.tern.simulation;

/// What seeds do only since the product can bear it: each is false until the mend it waits for is
/// in, and says which. All true is the aim.
final class Awaited {
  /// Values of last-write-wins keys whose time comes while the run is on: that expiry does not
  /// delete on the word of one replica.
  static final boolean EXPIRY = true;

  /// Expiries by the bounded time of the cluster: that a wall clock that is wrong by minutes does
  /// not decide what has expired.
  static final boolean BOUNDED_TIME = false;

  /// A disk that is set back by seconds: that a stripped delete does not come back with it.
  static final boolean SET_BACK = false;

  /// Most clocks wrong for a while: that stamps far ahead are refused only where they are minted.
  static final boolean FAR_STAMPS = false;

  /// A node away for minutes to days.
  static final boolean LONG_AWAY = true;

  /// Updates beside blind puts of a key are linearizable wherever two writes meet: that records
  /// have carstamps.
  static final boolean ORDER = true;

  /// A node that is up answers every request within three seconds: that a read which repairs does
  /// not begin anew for ever.
  static final boolean ANSWERS = false;

  private Awaited() {}
}
