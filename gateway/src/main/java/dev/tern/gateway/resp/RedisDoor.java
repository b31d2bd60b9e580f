package dev.tern.gateway.resp;

import dev.tern.core.Node;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.env.Clock;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.net.ClientLimit;
import dev.tern.gateway.net.LargeIntake;
import dev.tern.gateway.net.ListeningPort;
import dev.tern.gateway.net.Unread;
import io.netty.buffer.ByteBuf;
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
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/// Listens for Redis clients; each connection lives on one shard's loop.
public final class RedisDoor implements AutoCloseable {
  private final Node node;
  private final Clock clock;
  private final List<EventLoop> loops;
  private final List<Keyspace> keyspaces = new ArrayList<>();
  private final List<DoorStatistics> statistics = new ArrayList<>();
  private final List<LargeIntake> intakes = new ArrayList<>();
  private final ServerCommands server;
  private final AtomicLong ids = new AtomicLong();
  private final ClientBounds bounds;
  private final ClientLimit clients;
  private @Nullable ListeningPort listener;

  /// @param loops the shards' loops, in their order
  /// @param keyspace whose keys the door serves
  /// @param bounds of what its connections may hold
  /// @param clients how many there may be; one more is told so and closed, as Redis does
  public RedisDoor(
      Node node,
      Clock clock,
      List<? extends EventLoop> loops,
      String keyspace,
      ClientBounds bounds,
      ClientLimit clients) {
    this.bounds = bounds;
    this.clients = clients;
    this.node = node;
    this.clock = clock;
    this.loops = List.copyOf(loops);
    for (int shard = 0; shard < loops.size(); shard++) {
      keyspaces.add(node.keyspace(shard, keyspace));
      statistics.add(new DoorStatistics());
      intakes.add(new LargeIntake(loops.get(shard), node::largeRoom, clock::monotonicNanos));
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
    if (!clients.enter()) {
      byte[] full = "-ERR max number of clients reached\r\n".getBytes(StandardCharsets.US_ASCII);
      channel
          .writeAndFlush(io.netty.buffer.Unpooled.wrappedBuffer(full))
          .addListener(done -> channel.close());
      return;
    }
    channel.pipeline().addLast(new Connection(loops.indexOf(channel.eventLoop())));
  }

  /// What its connections hold, and which were closed; any thread.
  public ClientBounds bounds() {
    return bounds;
  }

  /// Figures per loop; any thread.
  public List<DoorStatistics> statistics() {
    return List.copyOf(statistics);
  }

  /// Reads no more requests; those that were read are answered.
  public void quiet() {
    if (listener != null) {
      listener.quiet();
    }
  }

  /// Closes the connections, once they have taken what was sent to them.
  public void end() {
    if (listener != null) {
      listener.end();
    }
  }

  /// Stops to listen; open connections go on until [#end].
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
    private final Unread unread = new Unread();
    private final ClientBounds.Share share = bounds.new Share();
    private final LargeIntake.Share intake;
    private boolean reading;
    private boolean flushScheduled;
    private boolean dropped;

    Connection(int shard) {
      this.shard = shard;
      this.intake = intakes.get(shard).new Share(this::readyForMore);
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
              address(active),
              this);
      statistics.get(shard).opened();
      server.opened(session);
    }

    private static String address(ChannelHandlerContext active) {
      return String.valueOf(active.channel().remoteAddress()).replace("/", "");
    }

    @Override
    public void channelRead(ChannelHandlerContext active, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      if (dropped) {
        bytes.release();
        return;
      }
      unread.add(active.alloc(), bytes);
      reading = true;
      feed();
    }

    /// Hands over what has come. The connection is read on though the client takes no replies: only
    /// their bound ends that.
    private void feed() {
      RedisSession current = session;
      ChannelHandlerContext active = context;
      if (current == null || active == null || dropped) {
        return;
      }
      boolean more = current.feed(unread.bytes()) && intake.reads(current.missingBytes());
      if (current.isClosing()) {
        unread.release();
      } else {
        unread.settle();
      }
      if (!share.holdsIncomplete(current.incompleteBytes())) {
        drop(ClientBounds.Reason.INCOMPLETE_REQUESTS, "");
      } else if (active.channel().config().isAutoRead() != more) {
        active.channel().config().setAutoRead(more);
      }
    }

    /// Closes the connection for a reason of this node's.
    private void drop(ClientBounds.Reason reason, String detail) {
      ChannelHandlerContext active = context;
      if (active != null && !dropped) {
        dropped = true;
        bounds.closing(reason, address(active), detail);
        unread.release();
        active.close();
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
      ChannelHandlerContext active = context;
      if (current == null || active == null || dropped) {
        return;
      }
      while (current.hasReplies()) {
        ByteBuf out = active.alloc().directBuffer(512);
        try {
          current.takeReplies(out);
        } catch (RuntimeException | Error e) {
          // No memory for them, most likely.
          out.release();
          throw e;
        }
        active.writeAndFlush(out, active.voidPromise());
        if (!holdsReplies(active)) {
          return;
        }
        if (active.channel().config().isAutoRead() && unread.isEmpty()) {
          return;
        }
        feed();
        if (dropped) {
          return;
        }
      }
    }

    /// Counts what the client has not taken; closes the connection if it is too much.
    private boolean holdsReplies(ChannelHandlerContext active) {
      long bytes = ClientBounds.unread(active.channel());
      if (share.holdsReplies(bytes)) {
        return true;
      }
      drop(ClientBounds.Reason.UNREAD_REPLIES, bytes + " bytes wait for the client");
      return false;
    }

    @Override
    public void readyForMore() {
      if (!flushScheduled && context != null) {
        flushScheduled = true;
        context.channel().eventLoop().execute(this::goOn);
      }
    }

    private void goOn() {
      flushScheduled = false;
      feed();
      sendReplies();
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
      holdsReplies(active);
    }

    @Override
    public void channelInactive(ChannelHandlerContext inactive) {
      clients.leave();
      if (session != null) {
        statistics.get(shard).closed();
        server.closed(session);
      }
      unread.release();
      share.release();
      intake.release();
      context = null;
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext active, Throwable cause) {
      if (cause instanceof IOException) {
        // The client has broken the connection.
        active.close();
      } else {
        drop(ClientBounds.Reason.FAILED, String.valueOf(cause));
      }
    }
  }
}
