package dev.tern.raft;

import java.util.ArrayDeque;

/// What a leader knows of one follower, and how much it may send it (after etcd's `tracker`).
///
/// ```
///   PROBE -- Appended --> REPLICATE        one message, then wait for its answer | many in flight
///     ^  <-- Conflict --      |
///     +---- Appended ---- SNAPSHOT <-- what it needs is compacted away
/// ```
final class Progress {
  /// How it is sent to.
  enum State {
    PROBE,
    REPLICATE,
    SNAPSHOT
  }

  /// Messages in flight, beside the bound in bytes.
  private static final int MAX_INFLIGHT = 1024;

  private record Sent(long lastIndex, long bytes) {}

  final int id;
  State state = State.PROBE;

  /// The follower's log agrees with the leader's up to here, durably. Never falls in a term.
  long match;

  /// The next entry to be sent; above `match`.
  long next;

  /// PROBE: a message is out and not answered.
  boolean probing;

  /// It was heard of since the last check of the quorum.
  boolean active = true;

  /// The latest round it has acknowledged, of this leader.
  long round;

  /// REPLICATE: sent and not acknowledged, in order; `inflightBytes` is their sum.
  private final ArrayDeque<Sent> inflight = new ArrayDeque<>();

  private long inflightBytes;

  /// SNAPSHOT: which one, and the chunk that is being loaded or under way.
  SnapshotMark snapshot = new SnapshotMark(0, 0, Membership.NOBODY);

  long chunkOffset;
  boolean chunkSent;
  long chunkTick;

  Progress(int id, long next) {
    this.id = id;
    this.next = next;
  }

  boolean full(long maxBytes) {
    return inflightBytes >= maxBytes || inflight.size() >= MAX_INFLIGHT;
  }

  long inflightBytes() {
    return inflightBytes;
  }

  void sent(long lastIndex, long bytes) {
    assert state == State.REPLICATE && lastIndex >= next : "entries are sent twice";
    inflight.add(new Sent(lastIndex, bytes));
    inflightBytes += bytes;
    next = lastIndex + 1;
  }

  private void become(State to) {
    state = to;
    probing = false;
    inflight.clear();
    inflightBytes = 0;
  }

  void probe(long from) {
    become(State.PROBE);
    next = Math.max(from, match + 1);
  }

  void replicate() {
    become(State.REPLICATE);
    next = match + 1;
  }

  void snapshot(SnapshotMark mark) {
    become(State.SNAPSHOT);
    snapshot = mark;
    chunkOffset = 0;
    chunkSent = false;
  }

  /// True if it was news.
  boolean matched(long index) {
    while (!inflight.isEmpty() && inflight.getFirst().lastIndex() <= index) {
      inflightBytes -= inflight.removeFirst().bytes();
    }
    next = Math.max(next, index + 1);
    if (index <= match) {
      return false;
    }
    match = index;
    assert next > match && inflightBytes >= 0
        : "follower %d: %d after %d".formatted(id, next, match);
    return true;
  }
}
