package dev.tern.runtime;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOption;
import io.netty.channel.WriteBufferWaterMark;
import java.net.InetSocketAddress;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// The outgoing connection of one shard to one peer, dialled again whenever it breaks. Lives on its
/// shard's loop.
///
/// ```
///   dialling --connected--> greeting --the peer's hello--> open
///      ^                       |                             |
///      +--- pause, growing ----+--- closed, refused, silent -+
/// ```
///
/// Invariants: messages are written only while open, that is, to the member that was meant; at most
/// one ping is unanswered.
final class PeerConnection {
  private static final ByteWriter EMPTY = new ByteWriter(0);

  private final NettyNetwork network;
  private final NettyEventLoop loop;
  private final int shard;
  private final int node;
  private final InetSocketAddress address;
  private final CRC32C crc = new CRC32C();

  private @Nullable Channel channel;
  private ChannelFutureListener written = done -> {};
  private boolean flushScheduled;
  private boolean started;
  private boolean given;
  private long pauseNanos;

  /// Written on the loop, read anywhere.
  private volatile boolean open;

  PeerConnection(
      NettyNetwork network, NettyEventLoop loop, int shard, int node, InetSocketAddress address) {
    this.network = network;
    this.loop = loop;
    this.shard = shard;
    this.node = node;
    this.address = address;
    this.pauseNanos = network.timing().firstPauseNanos();
  }

  /// Whether the peer has greeted back and the connection not yet broken. Any thread.
  boolean isOpen() {
    return open;
  }

  /// Begins to dial, once.
  void start() {
    if (!started) {
      started = true;
      dial();
    }
  }

  private void dial() {
    if (given || network.isClosed()) {
      return;
    }
    Reader reader = new Reader();
    ChannelFuture connecting =
        new Bootstrap()
            .group(loop.netty())
            .channel(network.transport().socket())
            .option(ChannelOption.TCP_NODELAY, true)
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, network.timing().connectMillis())
            .option(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(
                    NettyNetwork.MAX_UNSENT_BYTES / 2, NettyNetwork.MAX_UNSENT_BYTES))
            .handler(reader)
            .connect(new InetSocketAddress(address.getHostString(), address.getPort()));
    network.closeWithThis(connecting.channel());
    connecting.addListener(
        done -> {
          if (!done.isSuccess() && !loop.netty().isShuttingDown()) {
            // Without a channel (no descriptors left) this is not the loop.
            loop.execute(reader::ended);
          }
        });
    connecting.channel().closeFuture().addListener(done -> reader.ended());
  }

  private void pauseThenDial() {
    if (given || network.isClosed() || loop.netty().isShuttingDown()) {
      return;
    }
    long nanos = pauseNanos / 2 + ThreadLocalRandom.current().nextLong(pauseNanos / 2 + 1);
    pauseNanos = Math.min(network.timing().lastPauseNanos(), pauseNanos * 2);
    loop.netty().schedule(this::dial, nanos, TimeUnit.NANOSECONDS);
  }

  /// Ends it for good.
  void giveUp() {
    given = true;
    if (channel != null) {
      channel.close();
    }
  }

  /// Whether [#send] would take a frame now.
  boolean hasRoom() {
    Channel out = channel;
    return out != null && open && out.isWritable();
  }

  /// False if the frame was not taken.
  boolean send(int toShard, ByteWriter payload) {
    Channel out = channel;
    if (out == null || !hasRoom()) {
      return false;
    }
    write(out, FrameCodec.MESSAGE, toShard, payload).addListener(written);
    return true;
  }

  /// Frames of one turn of the loop go out together: one system call.
  private ChannelFuture write(Channel out, int kind, int toShard, ByteWriter payload) {
    ChannelFuture future =
        out.write(FrameCodec.encode(out.alloc(), crc, kind, toShard, shard, payload));
    if (!flushScheduled) {
      flushScheduled = true;
      loop.netty().execute(this::flush);
    }
    return future;
  }

  private void flush() {
    flushScheduled = false;
    if (channel != null) {
      channel.flush();
    }
  }

  private void tell(boolean isOpen) {
    open = isOpen;
    loop.guarded(() -> network.receiver().connection(shard, node, isOpen)).run();
  }

  /// What the peer says on this connection: its hello or a refusal, then pongs.
  private final class Reader extends FrameDecoder {
    private final Silence silence =
        new Silence(
            network.timing().silenceNanos(), network.timing().pingNanos(), System.nanoTime());
    private boolean ended;
    private boolean greeted;
    private boolean unanswered;

    /// The unanswered ping has not yet been taken by the socket.
    private boolean queued;

    @Override
    public void channelActive(ChannelHandlerContext context) {
      channel = context.channel();
      written = this::written;
      write(context.channel(), FrameCodec.HELLO, 0, network.hello(shard).encode());
      lookAgain(context);
    }

    /// The attempt or the connection is over, however that came.
    void ended() {
      if (ended) {
        return;
      }
      ended = true;
      channel = null;
      if (greeted) {
        tell(false);
      }
      pauseThenDial();
    }

    @Override
    void frame(
        ChannelHandlerContext context, int kind, int toShard, int fromShard, ByteBuf payload) {
      silence.heard(System.nanoTime());
      switch (kind) {
        case FrameCodec.HELLO -> greet(FrameCodec.Hello.decode(borrowed(payload)));
        case FrameCodec.PONG -> unanswered = false;
        case FrameCodec.REFUSAL -> {
          ByteReader reason = borrowed(payload);
          throw new DecodeException("it refuses this node: " + reason.readString());
        }
        default -> throw new DecodeException("a frame of kind " + kind + " out of order");
      }
    }

    private void greet(FrameCodec.Hello hello) {
      if (greeted) {
        throw new DecodeException("a second hello");
      }
      network.checkCluster(hello);
      if (hello.member() != node) {
        throw new DecodeException(
            "node " + hello.member() + " answers where node " + node + " was expected");
      }
      assert !open : "two connections to node " + node + " are open";
      greeted = true;
      pauseNanos = network.timing().firstPauseNanos();
      tell(true);
    }

    @Override
    void refused(ChannelHandlerContext context, String reason) {
      network
          .complaints()
          .warn("closing the connection to node " + node + " at " + address + ": " + reason);
      context.close();
    }

    private void lookAgain(ChannelHandlerContext context) {
      loop.netty()
          .schedule(() -> look(context), network.timing().pingNanos(), TimeUnit.NANOSECONDS);
    }

    private void look(ChannelHandlerContext context) {
      if (!context.channel().isActive()) {
        return;
      }
      if (silence.tooLong(System.nanoTime())) {
        refused(context, "it has been silent for too long");
        return;
      }
      if (greeted && !unanswered) {
        unanswered = true;
        queued = true;
        write(context.channel(), FrameCodec.PING, 0, EMPTY)
            .addListener(
                done -> {
                  queued = false;
                });
      }
      lookAgain(context);
    }

    /// A message was taken by the socket. That proves that somebody reads only until the ping
    /// behind it is out; later it may be this machine's own buffers that fill.
    private void written(ChannelFuture done) {
      if (!done.isSuccess()) {
        done.channel().close();
      } else if (queued) {
        silence.heard(System.nanoTime());
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }
}
