package dev.tern.gateway.net;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.channel.socket.DuplexChannel;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// A TCP port that takes connections on the loops of a group, in turn.
public final class ListeningPort implements AutoCloseable {
  /// A client that was told of the end has so long to take what it was sent.
  private static final long FAREWELL_MILLIS = 100;

  private static final long CLOSING_MILLIS = 1_000;

  private final Channel channel;
  private final ChannelGroup connections;

  private ListeningPort(Channel channel, ChannelGroup connections) {
    this.channel = channel;
    this.connections = connections;
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
    ChannelGroup connections = new DefaultChannelGroup(clients, GlobalEventExecutor.INSTANCE, true);
    ChannelFuture bound =
        new ServerBootstrap()
            .group(group)
            .channel(type)
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.SO_BACKLOG, 4096)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .handler(new AcceptPause(clients))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(new Intake());
                    connections.add(channel);
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
    return new ListeningPort(bound.channel(), connections);
  }

  /// The port's number, for when 0 was asked for.
  public int number() {
    return ((InetSocketAddress) channel.localAddress()).getPort();
  }

  /// Stops to listen; open connections go on.
  @Override
  public void close() {
    channel.close().awaitUninterruptibly(CLOSING_MILLIS);
  }

  /// Reads no more requests; those that were read are answered.
  public void quiet() {
    for (Channel connection : connections) {
      connection.eventLoop().execute(() -> Intake.close(connection));
    }
  }

  /// Closes the connections, once they have taken what was sent to them.
  public void end() {
    for (Channel connection : connections) {
      connection.eventLoop().execute(() -> farewell(connection));
    }
    connections.newCloseFuture().awaitUninterruptibly(CLOSING_MILLIS);
  }

  /// A connection that is closed while unread requests wait in it is reset, and the client may lose
  /// answers that it has not read: so it is told first that no more come.
  private static void farewell(Channel connection) {
    if (connection instanceof DuplexChannel duplex && connection.isActive()) {
      duplex.shutdownOutput();
      connection
          .eventLoop()
          .schedule(() -> connection.close(), FAREWELL_MILLIS, TimeUnit.MILLISECONDS);
    } else {
      connection.close();
    }
  }
}
