package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Network;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// A network with its loops, and all that it receives.
final class TestNode implements AutoCloseable, Network.Receiver {
  static final String CLUSTER = "terns";

  static final Timing TIMING =
      new Timing(
          TimeUnit.MILLISECONDS.toNanos(500),
          TimeUnit.SECONDS.toNanos(60),
          TimeUnit.MILLISECONDS.toNanos(5),
          TimeUnit.MILLISECONDS.toNanos(20),
          1000);

  record Received(int fromNode, int fromShard, int toShard, byte[] payload, boolean onLoop) {}

  final NettyNetwork network;
  final List<NettyEventLoop> loops = new ArrayList<>();
  final LinkedBlockingQueue<Received> received = new LinkedBlockingQueue<>();

  /// "shard node open", in order.
  final LinkedBlockingQueue<String> connections = new LinkedBlockingQueue<>();

  final LinkedBlockingQueue<Throwable> fatal = new LinkedBlockingQueue<>();
  final int port;
  private final MultiThreadIoEventLoopGroup group;
  private final Workers workers = new Workers(1);

  /// Called with each payload before it is noted.
  volatile Consumer<byte[]> onFrame = bytes -> {};

  TestNode(String transportName, int number, int shards, String cluster, Timing timing)
      throws IOException {
    this(transportName, number, shards, cluster, timing, 0);
  }

  TestNode(String transportName, int number, int shards, String cluster, Timing timing, int port)
      throws IOException {
    Transport transport = Transport.named(transportName);
    group = new MultiThreadIoEventLoopGroup(shards, transport.handler());
    for (EventExecutor executor : group) {
      loops.add(new NettyEventLoop((IoEventLoop) executor, workers, fatal::add));
    }
    network = new NettyNetwork(number, cluster, loops, transport, timing);
    this.port = network.listen(group, "127.0.0.1", port);
    network.start(this);
  }

  void knows(int node, int atPort) {
    network.connect(node, "127.0.0.1", atPort);
  }

  static void meet(int numberA, TestNode a, int numberB, TestNode b) {
    a.knows(numberB, b.port);
    b.knows(numberA, a.port);
    a.awaitOpen(numberB);
    b.awaitOpen(numberA);
  }

  void awaitOpen(int node) {
    for (int i = 0; i < loops.size(); i++) {
      int shard = i;
      Await.until("node " + node + " is connected", () -> network.connected(shard, node));
    }
  }

  boolean send(int fromShard, int node, int toShard, byte[] payload) {
    CompletableFuture<Boolean> sent = new CompletableFuture<>();
    ByteWriter writer = new ByteWriter(payload.length).writeBytes(payload);
    loops
        .get(fromShard)
        .execute(() -> sent.complete(network.send(fromShard, node, toShard, writer)));
    return sent.join();
  }

  Received next() throws InterruptedException {
    Received next = received.poll(Await.PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertNotNull(next, "no frame came");
    return next;
  }

  String nextConnection() throws InterruptedException {
    String next = connections.poll(Await.PATIENCE_SECONDS, TimeUnit.SECONDS);
    assertNotNull(next, "nothing happened to the connections");
    return next;
  }

  @Override
  public void frame(int fromNode, int fromShard, int toShard, ByteReader payload) {
    byte[] bytes = payload.readBytes(payload.remaining());
    onFrame.accept(bytes);
    received.add(new Received(fromNode, fromShard, toShard, bytes, loops.get(toShard).inLoop()));
  }

  @Override
  public void connection(int shard, int node, boolean open) {
    connections.add(shard + " " + node + " " + open);
  }

  @Override
  public void close() {
    network.close();
    group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
    workers.close();
  }
}
