package dev.tern.core.quorum;

import dev.tern.core.wire.Message;
import java.util.ArrayDeque;
import java.util.TreeMap;

/// Answers that could not be sent as the way back was not open, or full: whoever asked waits for
/// them. They are sent when the connection opens, and tried again with each beat, until those that
/// wait have given up.
///
/// Threads: one shard's loop.
final class UnsentAnswers {
  /// All nodes together. Large answers that do not fit are kept as small ones that say so; when
  /// these do not fit either, their askers learn of it by their deadlines.
  static final int MAX_BYTES = 16 << 20;

  /// Of these for small ones only.
  private static final int RESERVED_BYTES = 4 << 20;

  /// Of a small one, about.
  private static final int SMALL_BYTES = 256;

  /// Most requests have ended by then.
  static final long KEPT_NANOS = 5_000_000_000L;

  private record Unsent(int shard, Message.Reply answer, int bytes, long untilNanos) {}

  /// Sends an answer; false if it cannot be sent yet.
  interface Sender {
    boolean send(int node, int shard, Message.Reply answer);
  }

  private final Sender sender;
  private final TreeMap<Integer, ArrayDeque<Unsent>> unsent = new TreeMap<>();
  private long bytes;

  UnsentAnswers(Sender sender) {
    this.sender = sender;
  }

  /// Keeps an answer to a shard of a node.
  void add(int node, int shard, Message.Reply answer, int length, long nowNanos) {
    Message.Reply kept = answer;
    int size = length;
    if (bytes + size > MAX_BYTES - RESERVED_BYTES
        && StandIn.of(answer, "the answer found no room on its way back; ask again")
            instanceof Message.Reply small) {
      kept = small;
      size = Math.min(length, SMALL_BYTES);
    }
    if (bytes + size <= MAX_BYTES) {
      bytes += size;
      assert size > 0 && bytes > 0;
      unsent
          .computeIfAbsent(node, any -> new ArrayDeque<>())
          .add(new Unsent(shard, kept, size, nowNanos + KEPT_NANOS));
    }
  }

  boolean isEmpty() {
    return unsent.isEmpty();
  }

  /// Sends what waits for a node, as far as it can be sent.
  void send(int node) {
    ArrayDeque<Unsent> waiting = unsent.get(node);
    while (waiting != null && !waiting.isEmpty()) {
      Unsent first = waiting.element();
      if (!sender.send(node, first.shard(), first.answer())) {
        return;
      }
      waiting.remove();
      bytes -= first.bytes();
      assert bytes >= 0;
    }
    unsent.remove(node);
  }

  /// Tries all again; drops those that nobody waits for any more.
  void beat(long nowNanos) {
    for (int node : unsent.keySet().toArray(new Integer[0])) {
      ArrayDeque<Unsent> waiting = unsent.get(node);
      while (waiting != null && !waiting.isEmpty() && waiting.element().untilNanos() <= nowNanos) {
        bytes -= waiting.remove().bytes();
      }
      send(node);
    }
  }
}
