package dev.tern.core.quorum;

import java.util.TreeMap;
import java.util.TreeSet;

/// Versions that this shard minted for keys of which it keeps no replica, on their way to those who
/// hold them. Their dots are in no replica's clock, so nothing but this and the hints of others
/// tells that they may still come.
///
/// A write counts until everyone whom it was sent to has answered, or for [#LINGER_NANOS]: a frame
/// that takes longer is not foreseen.
///
/// Threads: the shard's loop.
public final class AwayWrites {
  /// What is not answered counts for so long.
  static final long LINGER_NANOS = 60_000_000_000L;

  /// Writes that are known one by one; beyond that every partition counts.
  static final int MAX = 16_384;

  /// By id, which grows with the time.
  private final TreeMap<Long, Sent> sent = new TreeMap<>();

  /// Until when there may be some that are not known one by one.
  private long unknownUntilNanos = Long.MIN_VALUE;

  private record Sent(int partition, TreeSet<Integer> nodes, long untilNanos) {}

  AwayWrites() {}

  /// A version was sent to a node.
  ///
  /// @param id of the request
  void sent(long id, int partition, int node, long nowNanos) {
    Sent known = sent.get(id);
    if (known == null && sent.size() >= MAX) {
      unknownUntilNanos = nowNanos + LINGER_NANOS;
      return;
    }
    if (known == null) {
      assert sent.isEmpty() || sent.lastKey() < id : "a request is older than one before it";
      known = new Sent(partition, new TreeSet<>(), nowNanos + LINGER_NANOS);
      sent.put(id, known);
    }
    assert sent.size() <= MAX;
    known.nodes.add(node);
  }

  /// A node has answered a request.
  void answered(int node, long id) {
    Sent known = sent.isEmpty() ? null : sent.get(id);
    if (known != null && known.nodes.remove(node) && known.nodes.isEmpty()) {
      sent.remove(id);
    }
  }

  /// Whether any may be on its way to the replicas of a partition, of whatever keyspace.
  public boolean any(int partition, long nowNanos) {
    while (!sent.isEmpty() && nowNanos >= sent.firstEntry().getValue().untilNanos) {
      sent.pollFirstEntry();
    }
    return nowNanos < unknownUntilNanos
        || sent.values().stream().anyMatch(each -> each.partition == partition);
  }
}
