package dev.tern.gateway.session;

import io.netty.buffer.ByteBuf;

/// One client's requests and replies in the terms of a protocol. A conversation takes bytes, starts
/// requests and gives the replies' bytes in the order of the requests. It tells an [Outlet] what
/// its connection has to do.
///
/// Threads: one loop.
public interface Conversation {
  /// Starts the requests that `in` holds, as far as the bounds allow. The conversation keeps its
  /// place in a request that has not come whole.
  ///
  /// @return whether the conversation would take more bytes now; if not, it calls
  ///   [Outlet#readyForMore] later, or goes on when replies have left
  boolean feed(ByteBuf in);

  /// Bytes of memory that the request which has not come whole takes, about; what is still in the
  /// connection's buffer does not count.
  long incompleteBytes();

  /// Bytes that are known to come of the request that has not come whole.
  long missingBytes();

  /// Whether there is a reply that may leave: its request is the oldest.
  boolean hasReplies();

  /// Appends the bytes of all replies that may leave.
  void takeReplies(ByteBuf out);

  /// Whether the conversation takes no more requests. Bytes that come after this are dropped.
  boolean isClosing();

  /// The socket has taken the replies so far and has room for more.
  default void sent() {}

  /// The connection is over. Outcomes of requests under way may still come.
  void ended();
}
