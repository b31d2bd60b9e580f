package dev.tern.gateway.riak;

import dev.tern.core.Node;
import dev.tern.env.Clock;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.net.ClientLimit;
import dev.tern.gateway.net.LargeIntake;
import dev.tern.gateway.net.ListeningPort;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandler;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import io.netty.util.concurrent.ImmediateEventExecutor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// Listens for Riak clients; each connection lives on one shard's loop.
public final class RiakDoor implements AutoCloseable {
  private final List<EventLoop> loops;
  private final List<RiakRequests> requests = new ArrayList<>();
  private final List<LargeIntake> intakes = new ArrayList<>();
  private final ClientLimit limit;
  private final AtomicInteger clients = new AtomicInteger();
  private final ClientBounds bounds;
  private @Nullable ListeningPort port;

  /// @param loops the shards' loops, in their order
  /// @param reserved name of a keyspace that is no bucket type
  /// @param bounds of what its connections may hold
  /// @param limit how many clients there may be; one more is closed at once
  public RiakDoor(
      Node node,
      Clock clock,
      List<? extends EventLoop> loops,
      String reserved,
      ClientBounds bounds,
      ClientLimit limit) {
    this.bounds = bounds;
    this.limit = limit;
    this.loops = List.copyOf(loops);
    for (int shard = 0; shard < loops.size(); shard++) {
      requests.add(new RiakRequests(node, clock, shard, reserved));
      intakes.add(new LargeIntake(loops.get(shard), node::largeRoom, clock::monotonicNanos));
    }
  }

  /// Opens the port.
  ///
  /// @param group the loops' group, which takes connections in turn
  /// @return the port, for when 0 was given
  /// @throws IOException if the port cannot be had
  public int listen(
      EventLoopGroup group, Class<? extends ServerSocketChannel> type, String host, int number)
      throws IOException {
    ListeningPort open = ListeningPort.open(group, type, host, number, "Riak", this::accept);
    port = open;
    return open.number();
  }

  private void accept(Channel channel) {
    if (!limit.enter()) {
      channel.close();
      return;
    }
    clients.incrementAndGet();
    int shard = loops.indexOf(channel.eventLoop());
    channel
        .pipeline()
        .addLast(new RiakConnection(requests.get(shard), bounds, intakes.get(shard), this::closed));
  }

  private void closed() {
    clients.decrementAndGet();
    limit.leave();
  }

  /// One client's conversation with one shard: frames in, frames out. It knows a socket only as the
  /// channel that it is put into, so that the simulator can hold it too.
  ///
  /// @param reserved name of a keyspace that is no bucket type
  /// @param bounds of what the door's connections may hold
  public static ChannelHandler conversation(
      Node node, Clock clock, int shard, String reserved, ClientBounds bounds) {
    LargeIntake unbounded =
        new LargeIntake(
            ImmediateEventExecutor.INSTANCE, () -> Long.MAX_VALUE, clock::monotonicNanos);
    return new RiakConnection(
        new RiakRequests(node, clock, shard, reserved), bounds, unbounded, () -> {});
  }

  /// What its connections hold, and which were closed; any thread.
  public ClientBounds bounds() {
    return bounds;
  }

  /// Connections; any thread.
  public int clients() {
    return clients.get();
  }

  /// Reads no more requests; those that were read are answered.
  public void quiet() {
    if (port != null) {
      port.quiet();
    }
  }

  /// Closes the connections, once they have taken what was sent to them.
  public void end() {
    if (port != null) {
      port.end();
    }
  }

  /// Stops to listen; open connections go on until [#end].
  @Override
  public void close() {
    if (port != null) {
      port.close();
    }
  }
}
