package dev.tern.raft;

import java.util.ArrayDeque;

/// A leader's reads that wait to be confirmed: ReadIndex and leases (Ongaro's dissertation, 6.4 and
/// 6.4.1).
///
/// ```
///   read --> [the term has committed nothing: early] --> index = commit, bound to a round that
///        begins later --> a quorum acknowledges that round or a later one --> confirmed
/// ```
///
/// Rounds are numbered from 1 by each leader, and an answer counts only in the leader's own term,
/// of which there is one leader: so no acknowledgement of an old round counts for a newer one.
final class Reads {
  /// A read by member `from` (the leader itself included).
  record Waiting(int from, long context, long index, long round) {}

  private record Begun(long round, long tick) {}

  /// Told what is confirmed.
  interface Confirmed {
    void read(Waiting read);
  }

  private final ArrayDeque<Waiting> early = new ArrayDeque<>();

  /// Rounds never fall along the queue.
  private final ArrayDeque<Waiting> bound = new ArrayDeque<>();

  /// Rounds begun and not confirmed, and when. Bounded: the check of the quorum ends the leader.
  private final ArrayDeque<Begun> begun = new ArrayDeque<>();

  /// The latest round begun.
  private long round;

  /// A quorum has acknowledged this round; at most `round`.
  private long confirmed;

  /// When the latest confirmed round began; negative for never.
  private long confirmedTick = -1;

  int size() {
    return early.size() + bound.size();
  }

  long begin(long tick) {
    round++;
    begun.add(new Begun(round, tick));
    return round;
  }

  long round() {
    return round;
  }

  void wait(int from, long context) {
    early.add(new Waiting(from, context, 0, 0));
  }

  /// Binds a read; true if a round must begin now, false if one is under way that others wait for
  /// (it is bound to the next one, which begins when that one ends, or with the next heartbeat).
  boolean bind(int from, long context, long index, RaftBug bug) {
    long to = bug == RaftBug.READ_ROUND_REUSED ? confirmed : round + 1;
    boolean idle = bound.isEmpty();
    assert idle || bound.getLast().round() <= to : "rounds fall along the queue";
    bound.add(new Waiting(from, context, index, to));
    return idle;
  }

  /// The term has committed something: early reads may be bound.
  ArrayDeque<Waiting> takeEarly() {
    ArrayDeque<Waiting> taken = new ArrayDeque<>(early);
    early.clear();
    return taken;
  }

  /// A quorum has acknowledged everything up to `upTo`; true if a round must begin for those left.
  boolean confirm(long upTo, Confirmed told) {
    assert upTo <= round : "a round is acknowledged that has not begun";
    confirmed = Math.max(confirmed, upTo);
    while (!begun.isEmpty() && begun.getFirst().round() <= confirmed) {
      confirmedTick = begun.removeFirst().tick();
    }
    while (!bound.isEmpty() && bound.getFirst().round() <= confirmed) {
      told.read(bound.removeFirst());
    }
    return !bound.isEmpty() && bound.getFirst().round() > round;
  }

  /// Whether the followers that acknowledged the latest round still keep their promise.
  boolean leased(long tick, int leaseTicks) {
    return confirmedTick >= 0 && tick - confirmedTick < leaseTicks;
  }

  void forget(Confirmed told) {
    early.forEach(told::read);
    bound.forEach(told::read);
    early.clear();
    bound.clear();
  }
}
