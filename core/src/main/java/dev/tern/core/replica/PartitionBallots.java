package dev.tern.core.replica;

/// What a replica knows of those who lead updates of one partition's keys, see [Ballots].
///
/// Invariants: no promise lies above what was heard of; the last update under another ballot than
/// the last one was appended before it.
///
/// Threads: the shard's loop.
final class PartitionBallots {
  /// Promised for all keys that are not known one by one; never falls.
  private long floor;

  /// The highest ballot that was heard of; never falls, and is the floor at least.
  private long heard;

  /// The ballot under which this node leads, 0 for none.
  private long own;

  /// Whether it is to lead for the first time since it was filled, or since the start.
  private boolean succeeds;

  /// Of the last update that was appended.
  private long accepted;

  /// The sequence of the log when the last update was appended.
  private long written;

  /// The sequence when the last update was appended that came under another ballot than
  /// [#accepted].
  private long rivals;

  /// The store was opened: what was promised before lies below a ballot.
  void restarted(long promised) {
    assert promised >= floor && promised >= heard : "a restart forgets a promise";
    floor = promised;
    heard = promised;
    succeeds = true;
  }

  /// Promised for all keys that are not known one by one.
  long floor() {
    return floor;
  }

  /// The promise of a key is not known one by one any more.
  void forget(long promised) {
    assert promised <= heard : "a promise was forgotten that was not heard of";
    floor = Math.max(floor, promised);
  }

  /// The highest ballot that was heard of.
  long heard() {
    return heard;
  }

  /// Somebody has named a ballot.
  void hear(long ballot) {
    heard = Math.max(heard, ballot);
    assert floor <= heard : "a promise above what was heard of";
  }

  /// The ballot under which this node leads, 0 for none.
  long own() {
    return own;
  }

  /// This node leads under a ballot from now on.
  void lead(long ballot) {
    own = ballot;
    succeeds = false;
  }

  /// This replica waits to be filled no more, and may lead after others that it has not heard of
  /// since.
  void succeed() {
    own = 0;
    succeeds = true;
  }

  /// Whether the next ballot is the first one since [#succeed].
  boolean succeeds() {
    return succeeds;
  }

  /// A replica has promised a ballot to another leader.
  void outvoted(long by) {
    hear(by);
    own = own < by ? 0 : own;
    assert own <= heard : "this node leads under a ballot that it has not heard of";
  }

  /// An update was appended.
  ///
  /// @param sequence of the log
  void accepted(long ballot, long sequence) {
    if (ballot != accepted) {
      rivals = written;
      accepted = ballot;
    }
    written = sequence;
    assert rivals <= written : "the log went back to " + sequence;
  }

  /// The sequence of the last update that was appended under another ballot.
  long rivals(long ballot) {
    return ballot == accepted ? rivals : written;
  }
}
