package dev.tern.runtime;

import io.netty.channel.IoHandlerFactory;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.channel.socket.SocketChannel;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.channel.uring.IoUring;
import io.netty.channel.uring.IoUringIoHandler;
import io.netty.channel.uring.IoUringServerSocketChannel;
import io.netty.channel.uring.IoUringSocketChannel;

/// How this machine does sockets.
///
/// @param name `io_uring`, `epoll` or `nio`
/// @param handler makes the I/O part of a loop
/// @param server class of listening channels
/// @param socket class of connections
public record Transport(
    String name,
    IoHandlerFactory handler,
    Class<? extends ServerSocketChannel> server,
    Class<? extends SocketChannel> socket) {

  /// The one of that name.
  ///
  /// @param wanted `io_uring`, `epoll`, `nio`, or `auto` for the best this machine has
  /// @throws IllegalArgumentException if the machine does not have it
  public static Transport named(String wanted) {
    return switch (wanted) {
      case "auto" -> IoUring.isAvailable() ? ioUring() : Epoll.isAvailable() ? epoll() : nio();
      case "io_uring" -> {
        if (!IoUring.isAvailable()) {
          throw new IllegalArgumentException(
              "io_uring is not available here: " + IoUring.unavailabilityCause());
        }
        yield ioUring();
      }
      case "epoll" -> {
        if (!Epoll.isAvailable()) {
          throw new IllegalArgumentException(
              "epoll is not available here: " + Epoll.unavailabilityCause());
        }
        yield epoll();
      }
      case "nio" -> nio();
      default ->
          throw new IllegalArgumentException(
              "the transport is auto, io_uring, epoll or nio, not " + wanted);
    };
  }

  private static Transport ioUring() {
    return new Transport(
        "io_uring",
        IoUringIoHandler.newFactory(),
        IoUringServerSocketChannel.class,
        IoUringSocketChannel.class);
  }

  private static Transport epoll() {
    return new Transport(
        "epoll",
        EpollIoHandler.newFactory(),
        EpollServerSocketChannel.class,
        EpollSocketChannel.class);
  }

  private static Transport nio() {
    return new Transport(
        "nio", NioIoHandler.newFactory(), NioServerSocketChannel.class, NioSocketChannel.class);
  }
}
