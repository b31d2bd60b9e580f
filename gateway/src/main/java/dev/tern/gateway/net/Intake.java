package dev.tern.gateway.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundHandlerAdapter;

/// Lets a connection be read until it is closed for requests; answers still leave.
///
/// Threads: the connection's loop.
final class Intake extends ChannelOutboundHandlerAdapter {
  private boolean closed;

  /// No request is read from a connection any more, whatever its door wants.
  static void close(Channel connection) {
    Intake intake = connection.pipeline().get(Intake.class);
    if (intake != null) {
      intake.closed = true;
      connection.config().setAutoRead(false);
    }
  }

  @Override
  public void read(ChannelHandlerContext context) {
    if (!closed) {
      context.read();
    }
  }
}
