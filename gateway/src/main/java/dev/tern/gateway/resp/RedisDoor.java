package dev.tern.gateway.resp;

import dev.tern.core.Node;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.env.Clock;
import dev.tern.gateway.net.ListeningPort;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.EventLoop;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.socket.ServerSocketChannel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Listens for Redis clients; each connection lives on one shard's loop.
public final class RedisDoor implements AutoCloseable {
  /// Connections at a time; one more is told so and closed, as Redis does.
  public static final int MAX_CLIENTS = 50_000;

  private final Node node;
  private final Clock clock;
  private final List<EventLoop> loops;
  private final List<Keyspace> keyspaces = new ArrayList<>();
  private final List<DoorStatistics> statistics = new ArrayList<>();
  private final ServerCommands server;
  private final AtomicLong ids = new AtomicLong();
  private final AtomicInteger clients = new AtomicInteger();
  private @Nullable ListeningPort listener;

  /// @param loops the shards' loops, in their order
  /// @param keyspace whose keys the door serves
  public RedisDoor(Node node, Clock clock, List<? extends EventLoop> loops, String keyspace) {
    this.node = node;
    this.clock = clock;
    this.loops = List.copyOf(loops);
    for (int shard = 0; shard < loops.size(); shard++) {
      keyspaces.add(node.keyspace(shard, keyspace));
      statistics.add(new DoorStatistics());
    }
    this.server = new ServerCommands(clock.wallMillis(), statistics);
  }

  /// Opens the port.
  ///
  /// @param group the loops' group, which takes connections in turn
  /// @return the port, for when 0 was given
  /// @throws IOException if the port cannot be had
  public int listen(
      EventLoopGroup group, Class<? extends ServerSocketChannel> type, String host, int port)
      throws IOException {
    ListeningPort open = ListeningPort.open(group, type, host, port, "Redis", this::accept);
    listener = open;
    return open.number();
  }

  private void accept(Channel channel) {
    if (clients.incrementAndGet() > MAX_CLIENTS) {
      clients.decrementAndGet();
      byte[] full = "-ERR max number of clients reached\r\n".getBytes(StandardCharsets.US_ASCII);
      channel
          .writeAndFlush(io.netty.buffer.Unpooled.wrappedBuffer(full))
          .addListener(done -> channel.close());
      return;
    }
    channel.pipeline().addLast(new Connection(loops.indexOf(channel.eventLoop())));
  }

  /// Figures per loop; any thread.
  public List<DoorStatistics> statistics() {
    return List.copyOf(statistics);
  }

  /// Stops to listen; open connections end with their loops.
  @Override
  public void close() {
    if (listener != null) {
      listener.close();
    }
  }

  /// Bytes between a socket and a session.
  private final class Connection extends ChannelInboundHandlerAdapter
      implements RedisSession.Output {
    private final int shard;
    private @Nullable ChannelHandlerContext context;
    private @Nullable RedisSession session;
    private @Nullable ByteBuf unread;
    private boolean reading;
    private boolean flushScheduled;

    Connection(int shard) {
      this.shard = shard;
    }

    @Override
    public void channelActive(ChannelHandlerContext active) {
      context = active;
      session =
          new RedisSession(
              node,
              keyspaces.get(shard),
              clock,
              statistics.get(shard),
              server,
              ids.incrementAndGet(),
              String.valueOf(active.channel().remoteAddress()).replace("/", ""),
              this);
      statistics.get(shard).opened();
      server.opened(session);
    }

    @Override
    public void channelRead(ChannelHandlerContext active, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      if (unread == null) {
        unread = bytes;
      } else {
        unread =
            io.netty.handler.codec.ByteToMessageDecoder.MERGE_CUMULATOR.cumulate(
                active.alloc(), unread, bytes);
      }
      reading = true;
      feed();
    }

    private void feed() {
      RedisSession current = session;
      if (current == null || context == null) {
        return;
      }
      ByteBuf bytes = unread;
      boolean more = current.feed(bytes == null ? Unpooled.EMPTY_BUFFER : bytes);
      if (bytes != null && (!bytes.isReadable() || current.isClosing())) {
        bytes.release();
        unread = null;
      }
      boolean read = more && context.channel().isWritable();
      if (context.channel().config().isAutoRead() != read) {
        context.channel().config().setAutoRead(read);
      }
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext active) {
      reading = false;
      sendReplies();
    }

    @Override
    public void repliesReady() {
      if (!reading && !flushScheduled && context != null) {
        // All replies that this turn of the loop brings leave in one system call.
        flushScheduled = true;
        context.channel().eventLoop().execute(this::flushScheduled);
      }
    }

    private void flushScheduled() {
      flushScheduled = false;
      sendReplies();
    }

    private void sendReplies() {
      RedisSession current = session;
      if (current == null || context == null || !current.hasReplies()) {
        return;
      }
      ByteBuf out = context.alloc().directBuffer(512);
      current.takeReplies(out);
      context.writeAndFlush(out, context.voidPromise());
      if (!context.channel().config().isAutoRead() || unread != null) {
        feed();
        sendReplies();
      }
    }

    @Override
    public void close() {
      if (context != null) {
        ChannelHandlerContext active = context;
        active.channel().eventLoop().execute(active::close);
      }
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext active) {
      if (active.channel().isWritable()) {
        feed();
        sendReplies();
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
      clients.decrementAndGet();
      if (session != null) {
        statistics.get(shard).closed();
        server.closed(session);
      }
      if (unread != null) {
        unread.release();
        unread = null;
      }
      context = null;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext active, Throwable cause) {
      active.close();
    }
  }
}
