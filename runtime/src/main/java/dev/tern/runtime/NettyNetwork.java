package dev.tern.runtime;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Network;
import io.netty.bootstrap.Bootstrap;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.handler.codec.LengthFieldBasedFrameDecoder;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Frames over TCP: each loop keeps one outgoing connection to each peer and sends only on it;
/// incoming connections only receive. So a frame is written by its shard's thread, and frames of
/// one shard to one peer arrive in order while the connection holds.
///
/// A peer of another cluster, another version, or with broken frames is cut off with a log line,
/// and dialled again with a growing pause; nothing else is touched.
public final class NettyNetwork implements Network {
  private static final Logger LOG = LoggerFactory.getLogger(NettyNetwork.class);

  /// Unsent bytes to a peer above which [#send] refuses.
  private static final int MAX_UNSENT_BYTES = 64 << 20;

  private static final int CONNECT_TIMEOUT_MILLIS = 1000;
  private static final long FIRST_PAUSE_MILLIS = 50;
  private static final long LAST_PAUSE_MILLIS = 1000;

  private final int self;
  private final String cluster;
  private final List<NettyEventLoop> loops;
  private final Transport transport;

  /// Per loop: the outgoing connections by member number, touched on that loop only.
  private final List<Map<Integer, Peer>> peers;

  private @Nullable Receiver receiver;
  private @Nullable Channel listener;
  private volatile boolean closed;

  NettyNetwork(int self, String cluster, List<NettyEventLoop> loops, Transport transport) {
    this.self = self;
    this.cluster = cluster;
    this.loops = List.copyOf(loops);
    this.transport = transport;
    this.peers =
        this.loops.stream()
            .map(l -> (Map<Integer, Peer>) new ConcurrentHashMap<Integer, Peer>())
            .toList();
  }

  /// Opens the port, without reading from it before [#start].
  int listen(EventLoopGroup group, String host, int port) throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(group)
            .channel(transport.server())
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    channel.pipeline().addLast(decoder(), new Incoming());
                  }
                })
            .bind(new InetSocketAddress(host, port))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(
          "cannot listen on %s:%d between nodes: %s"
              .formatted(host, port, String.valueOf(bound.cause().getMessage())));
    }
    listener = bound.channel();
    return ((InetSocketAddress) bound.channel().localAddress()).getPort();
  }

  private static LengthFieldBasedFrameDecoder decoder() {
    return new LengthFieldBasedFrameDecoder(FrameCodec.MAX_FRAME_BYTES, 0, 4, 0, 4);
  }

  @Override
  public void start(Receiver newReceiver) {
    receiver = newReceiver;
  }

  @Override
  public void connect(int node, String host, int port) {
    for (int i = 0; i < loops.size(); i++) {
      int shard = i;
      Peer peer = new Peer(shard, node, new InetSocketAddress(host, port));
      loops
          .get(i)
          .execute(
              () -> {
                Peer before = peers.get(shard).put(node, peer);
                if (before != null) {
                  before.replaced();
                }
                peer.dial();
              });
    }
  }

  @Override
  public boolean send(int fromShard, int node, int toShard, ByteWriter payload) {
    Peer peer = peers.get(fromShard).get(node);
    return peer != null && peer.send(toShard, payload);
  }

  @Override
  public boolean connected(int fromShard, int node) {
    Peer peer = peers.get(fromShard).get(node);
    return peer != null && peer.open;
  }

  void close() {
    closed = true;
    if (listener != null) {
      listener.close().awaitUninterruptibly();
    }
  }

  /// One outgoing connection; lives on its loop.
  private final class Peer {
    private final int shard;
    private final int node;
    private final InetSocketAddress address;
    private final CRC32C crc = new CRC32C();
    private @Nullable Channel channel;
    volatile boolean open;
    private boolean flushScheduled;
    private boolean replaced;
    private long pauseMillis = FIRST_PAUSE_MILLIS;

    Peer(int shard, int node, InetSocketAddress address) {
      this.shard = shard;
      this.node = node;
      this.address = address;
    }

    void dial() {
      if (closed || replaced) {
        return;
      }
      new Bootstrap()
          .group(loops.get(shard).netty())
          .channel(transport.socket())
          .option(ChannelOption.TCP_NODELAY, true)
          .option(ChannelOption.SO_KEEPALIVE, true)
          .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, CONNECT_TIMEOUT_MILLIS)
          .option(
              ChannelOption.WRITE_BUFFER_WATER_MARK,
              new WriteBufferWaterMark(MAX_UNSENT_BYTES / 2, MAX_UNSENT_BYTES))
          .handler(new Outgoing(this))
          .connect(new InetSocketAddress(address.getHostString(), address.getPort()))
          .addListener(
              done -> {
                if (!done.isSuccess()) {
                  again();
                }
              });
    }

    private void again() {
      if (!closed && !replaced) {
        loops.get(shard).netty().schedule(this::dial, pauseMillis, TimeUnit.MILLISECONDS);
        pauseMillis = Math.min(LAST_PAUSE_MILLIS, pauseMillis * 2);
      }
    }

    void opened(Channel newChannel) {
      channel = newChannel;
      ByteWriter hello = new ByteWriter();
      hello.writeLong(FrameCodec.MAGIC).writeShort(FrameCodec.VERSION).writeString(cluster);
      hello.writeInt(self);
      newChannel.writeAndFlush(
          FrameCodec.encode(newChannel.alloc(), crc, FrameCodec.HELLO, 0, shard, hello),
          newChannel.voidPromise());
      open = true;
      receiver().connection(shard, node, true);
    }

    void lost() {
      if (open) {
        open = false;
        channel = null;
        receiver().connection(shard, node, false);
      }
      again();
    }

    void replaced() {
      replaced = true;
      if (channel != null) {
        channel.close();
      }
    }

    boolean send(int toShard, ByteWriter payload) {
      Channel out = channel;
      if (out == null || !open || !out.isWritable()) {
        return false;
      }
      pauseMillis = FIRST_PAUSE_MILLIS;
      out.write(
          FrameCodec.encode(out.alloc(), crc, FrameCodec.MESSAGE, toShard, shard, payload),
          out.voidPromise());
      if (!flushScheduled) {
        // One system call for all that this turn of the loop sends.
        flushScheduled = true;
        loops.get(shard).netty().execute(this::flush);
      }
      return true;
    }

    private void flush() {
      flushScheduled = false;
      if (channel != null) {
        channel.flush();
      }
    }
  }

  private Receiver receiver() {
    return java.util.Objects.requireNonNull(receiver, "start() comes first");
  }

  /// Only watches the connection; a peer sends nothing back on it.
  private static final class Outgoing extends ChannelInboundHandlerAdapter {
    private final Peer peer;
    private boolean opened;

    Outgoing(Peer peer) {
      this.peer = peer;
    }

    @Override
    public void channelActive(ChannelHandlerContext context) {
      opened = true;
      peer.opened(context.channel());
    }

    @Override
    public void channelInactive(ChannelHandlerContext context) {
      if (opened) {
        peer.lost();
      }
    }

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ReferenceCountUtil.release(message);
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      context.close();
    }
  }

  /// Receives frames and hands them to the loops of their shards.
  private final class Incoming extends ChannelInboundHandlerAdapter {
    private final CRC32C crc = new CRC32C();
    private int fromNode;

    @Override
    public void channelRead(ChannelHandlerContext context, Object message) {
      ByteBuf frame = (ByteBuf) message;
      try {
        read(frame);
      } catch (DecodeException e) {
        LOG.warn("closing {}: {}", context.channel().remoteAddress(), e.getMessage());
        context.close();
      } finally {
        frame.release();
      }
    }

    private void read(ByteBuf frame) {
      int length = frame.readableBytes() - 4;
      if (length < FrameCodec.HEADER_BYTES) {
        throw new DecodeException("a frame of " + length + " bytes");
      }
      crc.reset();
      crc.update(frame.nioBuffer(frame.readerIndex(), length));
      if (frame.getInt(frame.readerIndex() + length) != (int) crc.getValue()) {
        throw new DecodeException("a frame whose checksum does not match");
      }
      int version = frame.readUnsignedByte();
      int kind = frame.readUnsignedByte();
      int toShard = frame.readUnsignedShort();
      int fromShard = frame.readUnsignedShort();
      byte[] payload = new byte[length - FrameCodec.HEADER_BYTES];
      frame.readBytes(payload);
      if (version != FrameCodec.VERSION) {
        throw new DecodeException(
            "frames of version " + version + ", this node speaks " + FrameCodec.VERSION);
      }
      if (kind == FrameCodec.HELLO && fromNode == 0) {
        hello(new ByteReader(payload));
      } else if (kind == FrameCodec.MESSAGE && fromNode != 0) {
        deliver(toShard, fromShard, payload);
      } else {
        throw new DecodeException("a frame of kind " + kind + " out of order");
      }
    }

    private void hello(ByteReader in) {
      if (in.readLong() != FrameCodec.MAGIC) {
        throw new DecodeException("it is no Tern node");
      }
      in.readUnsignedShort();
      String theirs = in.readString();
      if (!theirs.equals(cluster)) {
        throw new DecodeException(
            "it belongs to another cluster or has another list of members: " + theirs);
      }
      fromNode = in.readInt();
      if (fromNode == self) {
        throw new DecodeException("it has this node's own number " + self);
      }
    }

    private void deliver(int toShard, int fromShard, byte[] payload) {
      int shard = toShard % loops.size();
      NettyEventLoop loop = loops.get(shard);
      int node = fromNode;
      if (loop.inLoop()) {
        receiver().frame(node, fromShard, shard, new ByteReader(payload));
      } else {
        loop.execute(
            () -> {
              try {
                receiver().frame(node, fromShard, shard, new ByteReader(payload));
              } catch (DecodeException e) {
                LOG.warn("a message of node {} was refused: {}", node, e.getMessage());
              }
            });
      }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
      if (!(cause instanceof IOException)) {
        LOG.warn("closing {}: {}", context.channel().remoteAddress(), cause.toString());
      }
      context.close();
    }
  }
}
