package dev.tern.gateway.session;

import dev.tern.core.node.Node;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.net.ClientLimit;
import dev.tern.gateway.net.Door;
import dev.tern.gateway.net.LargeIntake;
import dev.tern.gateway.net.ListeningPort;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// The door of a protocol whose connections live on the shards' loops.
///
/// Threads: any; connections are set up and served on their loops.
public final class ClientDoor implements Door {
  /// Where connections live.
  ///
  /// @param group the loops' group, which takes connections in turn
  /// @param type of sockets that listen
  /// @param shards the shards' loops, in their order
  public record Loops(
      EventLoopGroup group,
      Class<? extends ServerSocketChannel> type,
      List<? extends EventLoop> shards) {
    public Loops {
      shards = List.copyOf(shards);
    }
  }

  private final Protocol protocol;
  private final Loops loops;
  private final ClientBounds bounds;
  private final ClientLimit limit;
  private final List<LargeIntake> intakes = new ArrayList<>();
  private final AtomicInteger connections = new AtomicInteger();
  private final AtomicLong accepted = new AtomicLong();
  private @Nullable ListeningPort listener;

  /// @param bounds of what the door's connections may hold
  /// @param limit how many clients there may be at all doors; one more is told so and closed
  public ClientDoor(
      Protocol protocol, Node node, Loops loops, ClientBounds bounds, ClientLimit limit) {
    this.protocol = protocol;
    this.loops = loops;
    this.bounds = bounds;
    this.limit = limit;
    for (EventLoop loop : loops.shards()) {
      intakes.add(new LargeIntake(loop, node::largeRoom, node.time()::monotonicNanos));
    }
  }

  @Override
  public String name() {
    return protocol.name();
  }

  @Override
  public void open(String host, int port) throws IOException {
    listener =
        ListeningPort.open(loops.group(), loops.type(), host, port, protocol.title(), this::accept);
  }

  @Override
  public int port() {
    return listener == null ? 0 : listener.number();
  }

  private void accept(Channel channel) {
    if (!limit.enter()) {
      byte[] full = protocol.full();
      if (full.length == 0) {
        channel.close();
      } else {
        channel.writeAndFlush(Unpooled.wrappedBuffer(full)).addListener(done -> channel.close());
      }
      return;
    }
    connections.incrementAndGet();
    accepted.incrementAndGet();
    int shard = loops.shards().indexOf(channel.eventLoop());
    channel
        .pipeline()
        .addLast(new Connection(protocol, shard, bounds, intakes.get(shard), this::closed));
  }

  private void closed() {
    connections.decrementAndGet();
    limit.leave();
  }

  /// What the connections hold, and which were closed.
  public ClientBounds bounds() {
    return bounds;
  }

  /// Connections that are open.
  public int connections() {
    return connections.get();
  }

  /// Connections since the start, those that were refused not counted.
  public long accepted() {
    return accepted.get();
  }

  @Override
  public void quiet() {
    if (listener != null) {
      listener.quiet();
    }
  }

  @Override
  public void end() {
    if (listener != null) {
      listener.end();
    }
  }

  @Override
  public void close() {
    if (listener != null) {
      listener.close();
    }
  }
}
