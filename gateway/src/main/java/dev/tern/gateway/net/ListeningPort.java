package dev.tern.gateway.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.function.Consumer;

/// A TCP port that takes connections on the loops of a group, in turn.
public final class ListeningPort implements AutoCloseable {
  private final Channel channel;

  private ListeningPort(Channel channel) {
    this.channel = channel;
  }

  /// Opens a port.
  ///
  /// @param clients whose port it is, for people
  /// @param accept sets up a connection, on its loop
  /// @throws IOException if the port cannot be had
  public static ListeningPort open(
      EventLoopGroup group,
      Class<? extends ServerSocketChannel> type,
      String host,
      int port,
      String clients,
      Consumer<Channel> accept)
      throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(group)
            .channel(type)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.SO_BACKLOG, 4096)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    accept.accept(channel);
                  }
                })
            .bind(new InetSocketAddress(host, port))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(
          "cannot listen on %s:%d for %s clients: %s"
              .formatted(host, port, clients, String.valueOf(bound.cause().getMessage())));
    }
    return new ListeningPort(bound.channel());
  }

  /// The port's number, for when 0 was asked for.
  public int number() {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  /// Stops to listen; open connections end with their loops.
  @Override
  public void close() {
    channel.close().awaitUninterruptibly();
  }
}
