package dev.tern.core.quorum;

import dev.tern.core.context.ShardContext;
import dev.tern.core.context.Statistics;
import dev.tern.core.replica.RecordBounds;
import dev.tern.core.traffic.Peers;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.Message;
import dev.tern.core.wire.MessageCodec;
import dev.tern.env.ByteWriter;

/// Sends this shard's messages to shards of other nodes, and keeps answers that cannot be sent yet.
///
/// Threads: the shard's loop.
final class Transport {
  private final ShardContext context;
  private final PreferenceLists lists;
  private final Peers peers;
  private final ByteWriter frame = new ByteWriter(1024);
  private final UnsentAnswers unsent = new UnsentAnswers(this::sendTo);

  Transport(ShardContext context, PreferenceLists lists, Peers peers) {
    this.context = context;
    this.lists = lists;
    this.peers = peers;
  }

  /// Whether a record may travel in a frame, and be stored.
  boolean takes(Siblings record) {
    return new RecordBounds(context.limits().frameBytes()).fits(record);
  }

  /// Sends to the shard of `node` that owns `slot`; false if it cannot be sent, which is as if it
  /// were lost.
  boolean send(int node, int slot, Message message) {
    return sendTo(node, lists.view().partitionOf(slot), message);
  }

  private boolean sendTo(int node, int toShard, Message message) {
    frame.clear();
    MessageCodec.encode(message, frame);
    boolean fits = frame.length() <= context.limits().frameBytes();
    if (!fits) {
      context.count(Statistics.Counter.MESSAGES_TOO_LARGE);
    }
    boolean sent = fits && context.network().send(context.shard(), node, toShard, frame);
    if (sent && message instanceof Message.Request) {
      peers.asks(node, frame.length());
    }
    context.count(sent ? Statistics.Counter.MESSAGES_SENT : Statistics.Counter.MESSAGES_UNSENT);
    return sent;
  }

  /// Sends to a shard elsewhere, named by itself or by a partition that it has. An answer that
  /// cannot be sent is kept for a while; one that never fits a frame is refused instead.
  void answer(int node, int toShard, Message message) {
    if (sendTo(node, toShard, message)) {
      return;
    }
    int length = frame.length();
    if (length > context.limits().frameBytes()) {
      Message instead =
          StandIn.of(
              message,
              "the answer has %d bytes, more than the %d that nodes send each other: ask for less"
                  .formatted(length, context.limits().frameBytes()));
      if (instead != null) {
        answer(node, toShard, instead);
      }
    } else if (message instanceof Message.Reply reply) {
      unsent.add(node, toShard, reply, length, context.nowNanos());
    }
  }

  /// The way to a node is open.
  void opened(int node) {
    unsent.send(node);
  }

  /// Every [Coordinator#BEAT_NANOS].
  void beat() {
    unsent.beat(context.nowNanos());
  }
}
