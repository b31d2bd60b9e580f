package dev.tern.runtime;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.EventLoop;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/// A connection that a peer dialled: receives its messages, says nothing but hello and pong.
///
/// Accepted on any loop; once greeted it moves to the loop of the shard with the peer's shard
/// number, so that with equal numbers of shards most frames arrive where they belong. Nothing is
/// read while it moves: a peer sends nothing between its hello and the answer.
final class IncomingConnection extends FrameDecoder {
  private static final ByteWriter EMPTY = new ByteWriter(0);

  private final NettyNetwork network;
  private final CRC32C crc = new CRC32C();
  private final Silence silence;
  private FrameCodec.@Nullable Hello peer;
  private @Nullable ScheduledFuture<?> helloDeadline;

  IncomingConnection(NettyNetwork network) {
    this.network = network;
    this.silence =
        new Silence(
            network.timing().silenceNanos(), network.timing().pingNanos(), System.nanoTime());
  }

  @Override
  public void channelActive(ChannelHandlerContext context) {
    helloDeadline =
        context
            .channel()
            .eventLoop()
            .schedule(
                () -> {
                  if (peer == null) {
                    close(context, "it did not say hello");
                  }
                },
                network.timing().silenceNanos(),
                TimeUnit.NANOSECONDS);
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) throws Exception {
    silence.heard(System.nanoTime());
    super.channelRead(context, message);
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) throws Exception {
    super.channelInactive(context);
    FrameCodec.Hello from = peer;
    if (from != null && !context.executor().isShuttingDown()) {
      network.incomingLost(from.member());
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) throws Exception {
    if (context.channel().config().isAutoRead()) {
      super.channelReadComplete(context);
    } else {
      // The decoder would ask for more bytes, but the connection is about to move.
      context.fireChannelReadComplete();
    }
  }

  @Override
  void frame(ChannelHandlerContext context, int kind, int toShard, int fromShard, ByteBuf payload) {
    FrameCodec.Hello from = peer;
    if (kind == FrameCodec.MESSAGE && from != null) {
      deliver(context, from.member(), fromShard, toShard, payload);
    } else if (kind == FrameCodec.PING && from != null) {
      answer(context.channel(), FrameCodec.PONG, EMPTY);
    } else if (kind == FrameCodec.HELLO && from == null) {
      FrameCodec.Hello hello = FrameCodec.Hello.decode(borrowed(payload));
      network.checkCluster(hello);
      network.checkMember(hello);
      peer = hello;
      if (helloDeadline != null) {
        helloDeadline.cancel(false);
      }
      allowMessages();
      move(context, network.loop(hello.shard()));
    } else {
      throw new DecodeException("a frame of kind " + kind + " out of order");
    }
  }

  private void move(ChannelHandlerContext context, NettyEventLoop home) {
    if (home.inLoop()) {
      welcome(context);
      return;
    }
    Channel channel = context.channel();
    EventLoop there = home.netty();
    channel.config().setAutoRead(false);
    channel
        .deregister()
        .addListener(
            gone ->
                there
                    .register(channel)
                    .addListener(
                        registered -> {
                          if (registered.isSuccess()) {
                            channel.config().setAutoRead(true);
                            welcome(context);
                          } else {
                            channel.close();
                          }
                        }));
  }

  private void welcome(ChannelHandlerContext context) {
    int shard = network.shardOf(context.channel().eventLoop());
    answer(context.channel(), FrameCodec.HELLO, network.hello(shard).encode());
    silence.heard(System.nanoTime());
    lookAgain(context);
  }

  private void answer(Channel channel, int kind, ByteWriter payload) {
    channel.writeAndFlush(
        FrameCodec.encode(channel.alloc(), crc, kind, 0, 0, payload), channel.voidPromise());
  }

  private void lookAgain(ChannelHandlerContext context) {
    context
        .channel()
        .eventLoop()
        .schedule(() -> look(context), network.timing().pingNanos(), TimeUnit.NANOSECONDS);
  }

  private void look(ChannelHandlerContext context) {
    if (!context.channel().isActive()) {
      return;
    }
    if (silence.tooLong(System.nanoTime())) {
      close(context, "it has been silent for too long");
    } else {
      lookAgain(context);
    }
  }

  private void deliver(
      ChannelHandlerContext context, int node, int fromShard, int toShard, ByteBuf payload) {
    int shard = toShard % network.shards();
    NettyEventLoop loop = network.loop(shard);
    if (!loop.inLoop()) {
      byte[] bytes = copied(payload);
      loop.execute(
          () -> {
            try {
              network.receiver().frame(node, fromShard, shard, new ByteReader(bytes));
            } catch (DecodeException e) {
              context.executor().execute(() -> close(context, String.valueOf(e.getMessage())));
            }
          });
      return;
    }
    try {
      network.receiver().frame(node, fromShard, shard, borrowed(payload));
    } catch (DecodeException e) {
      throw e;
    } catch (RuntimeException | Error e) {
      loop.fail(e);
    }
  }

  @Override
  void refused(ChannelHandlerContext context, String reason) {
    if (peer != null) {
      close(context, reason);
      return;
    }
    complain(context, reason);
    ByteWriter text = new ByteWriter().writeString(reason);
    context
        .writeAndFlush(FrameCodec.encode(context.alloc(), crc, FrameCodec.REFUSAL, 0, 0, text))
        .addListener(ChannelFutureListener.CLOSE);
  }

  private void close(ChannelHandlerContext context, String reason) {
    stopReading();
    complain(context, reason);
    context.close();
  }

  private void complain(ChannelHandlerContext context, String reason) {
    FrameCodec.Hello from = peer;
    String who = from == null ? "" : "node " + from.member() + " at ";
    network
        .complaints()
        .warn(
            "closing the connection from "
                + who
                + context.channel().remoteAddress()
                + ": "
                + reason);
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    if (!(cause instanceof IOException)) {
      complain(context, cause.toString());
    }
    context.close();
  }
}
