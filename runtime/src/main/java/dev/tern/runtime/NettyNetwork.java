package dev.tern.runtime;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.Network;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.AdaptiveRecvByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.EventLoopGroup;
import io.netty.channel.group.ChannelGroup;
import io.netty.channel.group.DefaultChannelGroup;
import io.netty.util.concurrent.EventExecutor;
import io.netty.util.concurrent.GlobalEventExecutor;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.channels.UnresolvedAddressException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Frames over TCP: each loop keeps one outgoing connection to each peer and sends only on it;
/// incoming connections only receive. So a frame is written by its shard's thread, and frames of
/// one shard to one peer arrive in order while the connection holds.
///
/// A peer of another cluster, another version, an unknown number, or with broken frames is cut off
/// with a log line, and dialled again with a growing pause; nothing else is touched.
public final class NettyNetwork implements Network {
  /// Unsent bytes to a peer above which [#send] refuses, until half of them are gone.
  static final int MAX_UNSENT_BYTES = 64 << 20;

  /// What is read of a member's connection at a time. Much more than of a client's: however many
  /// clients send a node large values, its peers' frames come through.
  private static final int MOST_READ_BYTES = 1 << 20;

  private static final int LEAST_READ_BYTES = 2 << 10;

  private static final long CLOSING_MILLIS = 2_000;

  private static final Logger LOG = LoggerFactory.getLogger(NettyNetwork.class);

  private final int self;
  private final String cluster;
  private final List<NettyEventLoop> loops;
  private final Transport transport;
  private final Timing timing;
  private final Complaints complaints = new Complaints(LOG);

  /// Whom this node was told to dial, and so whose connections it accepts.
  private final Set<Integer> members = ConcurrentHashMap.newKeySet();

  /// Per loop: the outgoing connections by member number, changed on that loop only.
  private final List<Map<Integer, PeerConnection>> peers;

  /// All connections; what is added after it was closed is closed.
  private final ChannelGroup channels =
      new DefaultChannelGroup("internode", GlobalEventExecutor.INSTANCE, true);

  private volatile @Nullable Receiver receiver;
  private @Nullable Channel listener;
  private volatile boolean closed;

  NettyNetwork(
      int self, String cluster, List<NettyEventLoop> loops, Transport transport, Timing timing) {
    this.self = self;
    this.cluster = cluster;
    this.loops = List.copyOf(loops);
    this.transport = transport;
    this.timing = timing;
    this.peers =
        this.loops.stream()
            .map(
                l ->
                    (Map<Integer, PeerConnection>) new ConcurrentHashMap<Integer, PeerConnection>())
            .toList();
  }

  /// Opens the port; what dials it waits until [#start].
  int listen(EventLoopGroup group, String host, int port) throws IOException {
    ChannelFuture bound =
        new ServerBootstrap()
            .group(group)
            .channel(transport.server())
            .option(ChannelOption.SO_REUSEADDR, true)
            .option(ChannelOption.AUTO_READ, false)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(
                ChannelOption.RECVBUF_ALLOCATOR,
                new AdaptiveRecvByteBufAllocator(
                    LEAST_READ_BYTES, LEAST_READ_BYTES, MOST_READ_BYTES))
            .childHandler(
                new ChannelInitializer<Channel>() {
                  @Override
                  protected void initChannel(Channel channel) {
                    closeWithThis(channel);
                    channel.pipeline().addLast(new IncomingConnection(NettyNetwork.this));
                  }
                })
            .bind(new InetSocketAddress(host, port))
            .awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException(
          "cannot listen on %s:%d between nodes: %s".formatted(host, port, why(bound.cause())));
    }
    listener = bound.channel();
    return ((InetSocketAddress) bound.channel().localAddress()).getPort();
  }

  private static String why(Throwable cause) {
    return cause instanceof UnresolvedAddressException
        ? "there is no such host"
        : String.valueOf(cause.getMessage());
  }

  @Override
  public void start(Receiver newReceiver) {
    receiver = newReceiver;
    for (int i = 0; i < loops.size(); i++) {
      Map<Integer, PeerConnection> known = peers.get(i);
      loops.get(i).execute(() -> known.values().forEach(PeerConnection::start));
    }
    if (listener != null) {
      listener.config().setAutoRead(true);
    }
  }

  @Override
  public void connect(int node, String host, int port) {
    members.add(node);
    for (int i = 0; i < loops.size(); i++) {
      int shard = i;
      PeerConnection peer =
          new PeerConnection(
              this, loops.get(i), shard, node, InetSocketAddress.createUnresolved(host, port));
      loops
          .get(i)
          .execute(
              () -> {
                PeerConnection before = peers.get(shard).put(node, peer);
                if (before != null) {
                  before.giveUp();
                }
                if (receiver != null) {
                  peer.start();
                }
              });
    }
  }

  @Override
  public boolean send(int fromShard, int node, int toShard, ByteWriter payload) {
    if (payload.length() > MAX_PAYLOAD_BYTES) {
      complaints.warn("a message of " + payload.length() + " bytes is too long to be sent");
      return false;
    }
    if (node == self) {
      sendToSelf(fromShard, toShard % loops.size(), payload.toByteArray());
      return true;
    }
    PeerConnection peer = peers.get(fromShard).get(node);
    return peer != null && peer.send(toShard, payload);
  }

  private void sendToSelf(int fromShard, int shard, byte[] bytes) {
    loops
        .get(shard)
        .execute(
            () -> {
              try {
                receiver().frame(self, fromShard, shard, new ByteReader(bytes));
              } catch (DecodeException e) {
                complaints.warn("a message of this node to itself: " + e.getMessage());
              }
            });
  }

  @Override
  public boolean connected(int fromShard, int node) {
    PeerConnection peer = peers.get(fromShard).get(node);
    return node == self || (peer != null && peer.isOpen());
  }

  @Override
  public boolean hasRoom(int fromShard, int node) {
    PeerConnection peer = peers.get(fromShard).get(node);
    return node == self || (peer != null && peer.hasRoom());
  }

  /// Closes the port and all connections. Not left to the loops' end: with no quiet period a loop
  /// may end between noticing that it should and closing its channels, which then stay open.
  void close() {
    closed = true;
    if (listener != null) {
      listener.close().awaitUninterruptibly(CLOSING_MILLIS);
    }
    channels.close().awaitUninterruptibly(CLOSING_MILLIS);
  }

  /// Puts a channel among those that end with this network, or ends it now.
  void closeWithThis(Channel channel) {
    channels.add(channel);
  }

  boolean isClosed() {
    return closed;
  }

  Receiver receiver() {
    return Objects.requireNonNull(receiver, "start() comes first");
  }

  Transport transport() {
    return transport;
  }

  Timing timing() {
    return timing;
  }

  Complaints complaints() {
    return complaints;
  }

  int shards() {
    return loops.size();
  }

  NettyEventLoop loop(int shard) {
    return loops.get(shard % loops.size());
  }

  int shardOf(EventExecutor executor) {
    for (int i = 0; i < loops.size(); i++) {
      if (loops.get(i).netty() == executor) {
        return i;
      }
    }
    return 0;
  }

  /// What this node says of itself on a connection of `shard`.
  FrameCodec.Hello hello(int shard) {
    return new FrameCodec.Hello(cluster, self, shard, loops.size());
  }

  /// @throws DecodeException if the other end belongs elsewhere
  void checkCluster(FrameCodec.Hello hello) {
    if (!hello.cluster().equals(cluster)) {
      throw new DecodeException(
          "node %d belongs to the cluster (or list of members) '%s', node %d to '%s'"
              .formatted(hello.member(), hello.cluster(), self, cluster));
    }
  }

  /// A connection that a member dialled broke: answers on it may be lost.
  void incomingLost(int node) {
    Receiver told = receiver;
    if (told == null || closed) {
      return;
    }
    for (int i = 0; i < loops.size(); i++) {
      int shard = i;
      loops.get(i).execute(() -> told.connection(shard, node, false));
    }
  }

  /// @throws DecodeException if the number is not that of another member
  void checkMember(FrameCodec.Hello hello) {
    if (hello.member() == self) {
      throw new DecodeException("it has this node's own number " + self);
    }
    if (!members.contains(hello.member())) {
      throw new DecodeException(
          "node " + hello.member() + " is not a member known to node " + self);
    }
  }
}
