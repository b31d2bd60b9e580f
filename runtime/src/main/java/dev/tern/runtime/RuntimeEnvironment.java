package dev.tern.runtime;

import dev.tern.env.Environment;
import dev.tern.env.EventLoop;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.EventExecutor;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/// The real environment of one node. Close it before the node: afterwards no task of the node runs.
public final class RuntimeEnvironment implements AutoCloseable {
  /// A loop that has not ended by then is not waited for.
  private static final long CLOSING_MILLIS = 5_000;

  private final MultiThreadIoEventLoopGroup group;
  private final Workers workers;
  private final List<NettyEventLoop> loops;
  private final NettyNetwork network;
  private final Transport transport;
  private final int port;
  private final EventLog events = new EventLog();
  private final Environment environment;

  /// Makes directories, loops and the port between nodes.
  ///
  /// @param data the node's directory
  /// @param shards event loops
  /// @param self this node's member number
  /// @param cluster what members of the same cluster, and only they, call it
  /// @param host address to listen on between nodes
  /// @param internodePort 0 for any free port
  /// @param fatal told of errors after which the node must not go on
  /// @throws IOException if the directory or the port cannot be used
  public RuntimeEnvironment(
      Path data,
      int shards,
      int self,
      String cluster,
      String host,
      int internodePort,
      Transport transport,
      Consumer<Throwable> fatal)
      throws IOException {
    this.transport = transport;
    DirectoryFileSystem files = new DirectoryFileSystem(data);
    // Compactions that keep to their pace must not hold up the reads of their shard.
    int workerCount = Math.max(4, Runtime.getRuntime().availableProcessors() + 3 * shards);
    this.workers = new Workers(workerCount);
    this.group =
        new MultiThreadIoEventLoopGroup(
            shards, new DefaultThreadFactory("tern-shard"), transport.handler());
    this.loops = new ArrayList<>();
    for (EventExecutor executor : group) {
      loops.add(new NettyEventLoop((IoEventLoop) executor, workers, fatal));
    }
    this.network = new NettyNetwork(self, cluster, loops, transport, Timing.production());
    try {
      this.port = network.listen(group, host, internodePort);
    } catch (IOException e) {
      close();
      throw e;
    }
    this.environment =
        new Environment(
            new SystemClock(),
            List.<EventLoop>copyOf(loops),
            network,
            files,
            Randomness.of(new SecureRandom().nextLong()),
            events);
  }

  /// What the node and its doors have reported.
  public EventLog events() {
    return events;
  }

  /// For the files that a process writes before it has an environment.
  public static FileLives fileLives() {
    return FileLives.of(Randomness.of(new SecureRandom().nextLong()));
  }

  /// What the node gets.
  public Environment environment() {
    return environment;
  }

  /// The shards' loops, for doors.
  public List<NettyEventLoop> loops() {
    return List.copyOf(loops);
  }

  /// The loops' group, which gives connections to them in turn.
  public MultiThreadIoEventLoopGroup group() {
    return group;
  }

  public Transport transport() {
    return transport;
  }

  /// The port that other nodes reach.
  public int internodePort() {
    return port;
  }

  /// Stops the loops after what they have begun, and waits for them.
  @Override
  public void close() {
    if (network != null) {
      network.close();
    }
    // A quiet period, however short: with none a loop may end without closing its channels.
    group
        .shutdownGracefully(1, CLOSING_MILLIS, TimeUnit.MILLISECONDS)
        .awaitUninterruptibly(CLOSING_MILLIS);
    workers.close();
  }
}
