package dev.tern.client;

import io.netty.bootstrap.Bootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoop;
import io.netty.channel.socket.nio.NioSocketChannel;
import java.net.InetSocketAddress;
import java.net.UnknownHostException;
import java.nio.channels.UnresolvedAddressException;
import java.util.ArrayDeque;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// One connection to a node: requests go out as they come, answers come back in their order. It
/// opens with the first request, and again after it broke, not sooner than [#PAUSE_NANOS].
final class Connection {
  private static final int CONNECT_MILLIS = 1_000;
  private static final long PAUSE_NANOS = 200_000_000;

  /// How often deadlines are looked at, milliseconds.
  private static final int SWEEP_MILLIS = 10;

  /// A connection on which something is owed and nothing came for so long is given up.
  private static final long SILENT_NANOS = 5_000_000_000L;

  /// Differences below are no reason to prefer a node.
  private static final long USUAL_NANOS = 2_000_000;

  /// A request that is not answered by then is taken for slow.
  static final long SLOW_NANOS = 200_000_000;

  private static final long HALF_LIFE_NANOS = 500_000_000;

  private static final int MAX_FRAME_BYTES = 64 << 20;

  /// What becomes of calls; called on the loop.
  interface Listener {
    void answered(Call call, int code, byte[] message);

    /// @param sent whether the node may have it
    void lost(Call call, boolean sent);

    /// No answer for [#SLOW_NANOS]; told once. It may still come.
    void slow(Call call);
  }

  final InetSocketAddress address;
  private final EventLoop loop;
  private final Listener listener;
  private final Queue<Call> outgoing = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean scheduled = new AtomicBoolean();
  private final AtomicInteger load = new AtomicInteger();

  /// What an answer lately took, at its worst: a slow node shows at once and is forgiven slowly
  /// (peak-sensitive moving average, as Finagle's). Written on the loop.
  private volatile long tookNanos = USUAL_NANOS;

  private volatile long tookAtNanos = System.nanoTime();

  /// Until then it is not tried again.
  private volatile long brokenUntilNanos = Long.MIN_VALUE;

  /// Why it broke last; null if it never did.
  private volatile @Nullable String problem;

  // On the loop.
  private final ArrayDeque<Call> awaited = new ArrayDeque<>();
  private @Nullable Channel channel;
  private boolean connecting;
  private boolean sweeping;
  private boolean closed;
  private long heardNanos;

  /// Whether an answer ever came from that address.
  private boolean understood;

  Connection(InetSocketAddress address, EventLoop loop, Listener listener) {
    this.address = address;
    this.loop = loop;
    this.listener = listener;
  }

  /// How long a further request will take, roughly: what lately took so long, times those before
  /// it.
  long cost(long nowNanos) {
    long halves = Math.min(20, Math.max(0, nowNanos - tookAtNanos) / HALF_LIFE_NANOS);
    return (load.get() + 1) * Math.max(USUAL_NANOS, tookNanos >> halves);
  }

  private void took(Call call, long nowNanos) {
    long sample = nowNanos - call.sentNanos;
    long before = tookNanos;
    tookNanos = sample > before ? sample : before + (sample - before) / 16;
    tookAtNanos = nowNanos;
  }

  /// Whether it broke a moment ago.
  boolean isBroken(long nowNanos) {
    return nowNanos < brokenUntilNanos;
  }

  /// Why it broke last, in words; null if it never did.
  @Nullable String problem() {
    return problem;
  }

  /// Any thread.
  void send(Call call) {
    load.incrementAndGet();
    outgoing.add(call);
    if (scheduled.compareAndSet(false, true)) {
      loop.execute(this::drain);
    }
  }

  private void drain() {
    scheduled.set(false);
    Channel open = channel;
    if (closed || open == null && System.nanoTime() < brokenUntilNanos) {
      fail();
      return;
    }
    if (open == null) {
      connect();
      return;
    }
    ByteBuf out = null;
    Call call;
    while ((call = outgoing.poll()) != null) {
      out = out == null ? open.alloc().directBuffer(1024) : out;
      out.writeInt(1 + call.message.length).writeByte(call.code).writeBytes(call.message);
      call.sentNanos = System.nanoTime();
      if (awaited.isEmpty()) {
        heardNanos = call.sentNanos;
      }
      awaited.add(call);
    }
    if (out != null) {
      open.writeAndFlush(out, open.voidPromise());
    }
    sweepLater();
  }

  private void connect() {
    if (connecting) {
      return;
    }
    connecting = true;
    new Bootstrap()
        .group(loop)
        .channel(NioSocketChannel.class)
        .option(ChannelOption.TCP_NODELAY, true)
        .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_MILLIS)
        .handler(
            new ChannelInitializer<Channel>() {
              @Override
              protected void initChannel(Channel fresh) {
                fresh.pipeline().addLast(new Answers());
              }
            })
        .connect(address)
        .addListener(
            (ChannelFutureListener)
                done -> {
                  connecting = false;
                  if (done.isSuccess() && !closed) {
                    channel = done.channel();
                    drain();
                  } else {
                    done.channel().close();
                    problem = why(done.cause());
                    brokenUntilNanos = System.nanoTime() + PAUSE_NANOS;
                    fail();
                  }
                });
  }

  private static String why(@Nullable Throwable cause) {
    if (cause instanceof java.net.ConnectException && cause.getCause() != null) {
      return String.valueOf(cause.getCause().getMessage()).toLowerCase(Locale.ROOT);
    }
    return cause instanceof UnresolvedAddressException || cause instanceof UnknownHostException
        ? "unknown host"
        : cause == null ? "closed" : String.valueOf(cause.getMessage());
  }

  /// What was not sent is somebody else's.
  private void fail() {
    Call call;
    while ((call = outgoing.poll()) != null) {
      load.decrementAndGet();
      listener.lost(call, /* sent= */ false);
    }
  }

  private void sweepLater() {
    if (!sweeping && !awaited.isEmpty()) {
      sweeping = true;
      loop.schedule(this::sweep, SWEEP_MILLIS, TimeUnit.MILLISECONDS);
    }
  }

  private void sweep() {
    sweeping = false;
    long now = System.nanoTime();
    for (Call call : awaited) {
      if (call.isOver(now) && !call.answer.isDone()) {
        call.timeOut();
      } else if (now - call.sentNanos > SLOW_NANOS && !call.slow && !call.answer.isDone()) {
        call.slow = true;
        tookNanos = Math.max(tookNanos, now - call.sentNanos);
        tookAtNanos = now;
        listener.slow(call);
      }
    }
    Channel open = channel;
    if (open != null && !awaited.isEmpty() && now - heardNanos > SILENT_NANOS) {
      open.close();
    }
    sweepLater();
  }

  /// What comes from the node on one channel.
  private final class Answers extends ChannelInboundHandlerAdapter {
    private @Nullable ByteBuf unread;

    /// Whether the other side has never said anything but what is no frame: no request was
    /// understood there.
    private boolean foreign;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf bytes = (ByteBuf) message;
      heardNanos = System.nanoTime();
      if (unread == null) {
        unread = bytes;
      } else {
        ByteBuf both = context.alloc().buffer(unread.readableBytes() + bytes.readableBytes());
        both.writeBytes(unread).writeBytes(bytes);
        unread.release();
        bytes.release();
        unread = both;
      }
      ByteBuf all = unread;
      while (all.readableBytes() >= 4) {
        long length = all.getUnsignedInt(all.readerIndex());
        if (length < 1 || length > MAX_FRAME_BYTES) {
          foreign = !understood;
          context.close();
          return;
        }
        if (all.readableBytes() < 4 + length) {
          return;
        }
        all.skipBytes(4);
        int code = all.readUnsignedByte();
        byte[] answer = new byte[(int) length - 1];
        all.readBytes(answer);
        Call call = awaited.poll();
        if (call == null) {
          context.close();
          return;
        }
        understood = true;
        int left = load.decrementAndGet();
        assert left >= 0 : "more was answered than asked";
        took(call, heardNanos);
        listener.answered(call, code, answer);
      }
      if (!all.isReadable()) {
        all.release();
        unread = null;
      }
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (unread != null) {
        unread.release();
        unread = null;
      }
      if (context.channel() != channel) {
        return;
      }
      channel = null;
      problem = foreign ? "does not speak Riak's protocol" : "closed the connection";
      brokenUntilNanos = System.nanoTime() + PAUSE_NANOS;
      Call call;
      while ((call = awaited.poll()) != null) {
        load.decrementAndGet();
        listener.lost(call, /* sent= */ !foreign);
      }
      fail();
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  /// Ends it; what is under way is lost.
  void close() {
    loop.execute(
        () -> {
          closed = true;
          Channel open = channel;
          if (open != null) {
            open.close();
          }
          fail();
        });
  }
}
