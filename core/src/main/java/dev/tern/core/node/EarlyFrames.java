package dev.tern.core.node;

import dev.tern.env.ByteReader;
import dev.tern.env.Clock;
import dev.tern.env.DecodeException;
import dev.tern.env.EventLoop;
import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.IntPredicate;

/// Frames for one shard from nodes that have not greeted yet. A node that starts, and one that a
/// starting node has just reached, may each hear the other's requests before its greeting: they are
/// held until the node has greeted, then taken in their order. What is held too long, or does not
/// fit, is given back, so that its sender does not wait for its deadline.
///
/// Threads: the shard's loop.
final class EarlyFrames {
  /// What is held for a shard, all nodes together.
  static final int MAX_BYTES = 8 << 20;

  /// A node greets within milliseconds, or is none of the cluster.
  static final long HELD_NANOS = 2_000_000_000;

  private static final long LOOK_NANOS = 5_000_000;

  /// Takes a frame of a node.
  interface Taker {
    void take(int fromNode, int fromShard, ByteReader payload);
  }

  private record Frame(int fromShard, byte[] payload, long atNanos) {}

  private final EventLoop loop;
  private final Clock clock;
  private final IntPredicate greeted;
  private final Taker taker;
  private final Taker refuser;
  private final TreeMap<Integer, ArrayDeque<Frame>> held = new TreeMap<>();

  /// Of all that is held.
  private long bytes;

  private boolean looking;

  /// @param greeted whether a node has greeted as a member
  /// @param taker of frames whose node has greeted
  /// @param refuser of those that are given back
  EarlyFrames(EventLoop loop, Clock clock, IntPredicate greeted, Taker taker, Taker refuser) {
    this.loop = loop;
    this.clock = clock;
    this.greeted = greeted;
    this.taker = taker;
    this.refuser = refuser;
  }

  /// Takes a frame now, or holds it until its node has greeted.
  ///
  /// @throws DecodeException if it is taken and cannot be read
  void frame(int fromNode, int fromShard, ByteReader payload) {
    if (held.containsKey(fromNode)) {
      look();
    }
    if (greeted.test(fromNode)) {
      taker.take(fromNode, fromShard, payload);
    } else if (bytes + payload.remaining() > MAX_BYTES) {
      giveBack(fromNode, fromShard, payload);
    } else {
      byte[] copy = payload.readBytes(payload.remaining());
      bytes += copy.length;
      held.computeIfAbsent(fromNode, node -> new ArrayDeque<>())
          .add(new Frame(fromShard, copy, clock.monotonicNanos()));
      lookLater();
    }
  }

  private void lookLater() {
    if (!looking && !held.isEmpty()) {
      looking = true;
      loop.schedule(
          LOOK_NANOS,
          () -> {
            looking = false;
            look();
            lookLater();
          });
    }
  }

  private void look() {
    long oldest = clock.monotonicNanos() - HELD_NANOS;
    Iterator<Map.Entry<Integer, ArrayDeque<Frame>>> nodes = held.entrySet().iterator();
    while (nodes.hasNext()) {
      Map.Entry<Integer, ArrayDeque<Frame>> each = nodes.next();
      int node = each.getKey();
      ArrayDeque<Frame> frames = each.getValue();
      boolean welcome = greeted.test(node);
      while (!frames.isEmpty() && (welcome || frames.peek().atNanos() < oldest)) {
        Frame frame = frames.remove();
        bytes -= frame.payload().length;
        ByteReader payload = new ByteReader(frame.payload());
        if (welcome) {
          takeLate(node, frame.fromShard(), payload);
        } else {
          giveBack(node, frame.fromShard(), payload);
        }
      }
      if (frames.isEmpty()) {
        nodes.remove();
      }
    }
  }

  /// The connection that it came on is not at hand any more: a frame that cannot be read is
  /// dropped.
  private void takeLate(int node, int fromShard, ByteReader payload) {
    try {
      taker.take(node, fromShard, payload);
    } catch (DecodeException e) {
      return;
    }
  }

  private void giveBack(int node, int fromShard, ByteReader payload) {
    try {
      refuser.take(node, fromShard, payload);
    } catch (DecodeException e) {
      return;
    }
  }
}
