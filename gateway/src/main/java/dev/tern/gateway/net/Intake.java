package dev.tern.gateway.net;

import io.netty.channel.Channel;
import io.netty.channel.ChannelDuplexHandler;
import io.netty.channel.ChannelHandlerContext;
import io.netty.util.ReferenceCountUtil;

/// Lets a connection be read until it is closed for requests; answers still leave.
///
/// Netty reads a connection whose other end has closed, whatever was asked for. What comes that way
/// is dropped: a request that is carried out and cannot be answered would be sent a second time by
/// a client that is told of nothing but a closed connection.
///
/// Threads: the connection's loop.
final class Intake extends ChannelDuplexHandler {
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

  @Override
  public void channelRead(ChannelHandlerContext context, Object bytes) {
    if (closed) {
      ReferenceCountUtil.release(bytes);
    } else {
      context.fireChannelRead(bytes);
    }
  }
}
