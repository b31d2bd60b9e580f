package dev.tern.gateway.net;

import dev.tern.env.Events;
import dev.tern.env.NodeEvent;
import io.netty.channel.Channel;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/// What the connections of one door may hold of a node's memory, and the connections that were
/// closed because they held more or failed: counted by reason, and reported as events.
///
/// A client that sends requests and reads no replies is read on until the replies that wait for it
/// reach [#MAX_REPLY_BYTES]: a client may write a whole pipeline before it reads. Not reading it
/// would let both sides wait for each other for ever.
///
/// Threads: any.
public final class ClientBounds {
  /// Replies that one connection has not taken, bytes.
  public static final long MAX_REPLY_BYTES = 64L << 20;

  /// While all connections together hold too much, one that holds less than this stays open, bytes.
  private static final long SMALL_BYTES = 1L << 20;

  /// Why this node closed a connection.
  public enum Reason {
    /// The client does not take its replies.
    UNREAD_REPLIES("it does not take its replies"),
    /// Requests that have not come whole hold too much memory.
    INCOMPLETE_REQUESTS("incomplete requests hold too much memory"),
    /// The bytes are no request of the protocol.
    PROTOCOL("its bytes are no request"),
    /// Something failed: memory, most likely.
    FAILED("the connection failed");

    private final String words;

    Reason(String words) {
      this.words = words;
    }
  }

  private final String door;
  private final long maxReplies;
  private final long maxIncomplete;
  private final AtomicLong replies = new AtomicLong();
  private final AtomicLong incomplete = new AtomicLong();
  private final Map<Reason, AtomicLong> closed = new EnumMap<>(Reason.class);
  private final Events events;

  /// @param door for people
  /// @param maxReplies that all connections together have not taken, bytes
  /// @param maxIncomplete of requests of all connections that have not come whole, bytes
  /// @param events told of each connection that is closed
  public ClientBounds(String door, long maxReplies, long maxIncomplete, Events events) {
    this.events = events;
    this.door = door;
    this.maxReplies = maxReplies;
    this.maxIncomplete = maxIncomplete;
    for (Reason reason : Reason.values()) {
      closed.put(reason, new AtomicLong());
    }
  }

  /// For a node with this much memory: a quarter of each kind.
  ///
  /// @param direct memory outside of the heap, where replies wait, bytes
  /// @param heap where requests gather, bytes
  /// @param events told of each connection that is closed
  public static ClientBounds of(String door, long direct, long heap, Events events) {
    return new ClientBounds(door, direct / 4, heap / 4, events);
  }

  /// Bytes of replies that a client has not taken, 0 while they are few; on the connection's loop.
  public static long unread(Channel channel) {
    ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
    return unsent == null || channel.isWritable() ? 0 : unsent.totalPendingWriteBytes();
  }

  /// Connections closed for a reason since the start.
  public long closed(Reason reason) {
    return java.util.Objects.requireNonNull(closed.get(reason)).get();
  }

  /// Bytes of replies that wait for clients.
  public long replyBytes() {
    return replies.get();
  }

  /// Counts a connection that this node closes, and reports it.
  ///
  /// @param address of the client
  /// @param detail what else is known, may be empty
  public void closing(Reason reason, String address, String detail) {
    java.util.Objects.requireNonNull(closed.get(reason)).incrementAndGet();
    String why = detail.isEmpty() ? reason.words : "%s (%s)".formatted(reason.words, detail);
    events.happened(new NodeEvent.ConnectionClosed(door, address, why));
  }

  /// What one connection holds. One loop.
  public final class Share {
    private long myReplies;
    private long myIncomplete;

    /// The connection's replies that the client has not taken; false if they are too many.
    public boolean holdsReplies(long bytes) {
      long all = replies.addAndGet(bytes - myReplies);
      myReplies = bytes;
      return bytes <= MAX_REPLY_BYTES && (all <= maxReplies || bytes < SMALL_BYTES);
    }

    /// What has come of the connection's next request; false if it is too much.
    public boolean holdsIncomplete(long bytes) {
      long all = incomplete.addAndGet(bytes - myIncomplete);
      myIncomplete = bytes;
      return all <= maxIncomplete || bytes < SMALL_BYTES;
    }

    /// The connection is over.
    public void release() {
      holdsReplies(0);
      holdsIncomplete(0);
    }
  }
}
