package dev.tern.client;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A connection to a cluster. One is enough for a program; all methods may be called on any thread.
///
/// A request goes straight to a replica of its key, of those that answer the one that is likely to
/// do so first. What was refused for the moment, or could not be sent, is tried again elsewhere
/// until its deadline, after the time that an overloaded node asked for; and so is a read that
/// nobody answers for a while, without giving up the first attempt. A write whose connection broke
/// is not, unless doing it twice is doing it once: nobody knows whether it happened, and it fails
/// with [TernException.Unknown].
public final class TernClient implements AutoCloseable {
  /// The port of a node's Riak door.
  public static final int PORT = 8087;

  private static final int MAX_ATTEMPTS = 5;
  private static final long PLACEMENT_NANOS = 10_000_000_000L;
  private static final int BACKOFF_MILLIS = 5;

  private final Builder settings;
  private final EventLoopGroup group;
  private final ClientMetrics metrics = new ClientMetrics();
  private final Map<InetSocketAddress, Connection[]> nodes = new ConcurrentHashMap<>();
  private final Map<String, Known> placements = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /// @param askedNanos when a newer one was last asked for
  private record Known(@Nullable Placement placement, long askedNanos) {}

  private TernClient(Builder settings) {
    this.settings = settings;
    this.group =
        new MultiThreadIoEventLoopGroup(
            settings.threads,
            new DefaultThreadFactory("tern-client", /* daemon= */ true),
            NioIoHandler.newFactory());
  }

  /// A client of the cluster that these nodes belong to.
  ///
  /// @param seeds `host:port` of Riak doors, or `host` for [#PORT]; some that answer are enough
  public static TernClient connect(String... seeds) {
    return builder(seeds).build();
  }

  /// Settings, where the usual ones do not fit.
  public static Builder builder(String... seeds) {
    return new Builder(seeds);
  }

  /// Settings of a client.
  public static final class Builder {
    private final List<InetSocketAddress> seeds = new ArrayList<>();
    private int connections = 2;
    private int threads = 1;
    private @Nullable String datacenter;
    private int timeoutMillis = 5_000;
    private ClientMetrics.Observer observer = (operation, nanos, outcome) -> {};

    private Builder(String... seeds) {
      for (String seed : seeds) {
        int colon = seed.lastIndexOf(':');
        String host = colon < 0 ? seed : seed.substring(0, colon);
        int port = colon < 0 ? PORT : Integer.parseInt(seed.substring(colon + 1));
        this.seeds.add(InetSocketAddress.createUnresolved(host, port));
      }
      if (this.seeds.isEmpty()) {
        throw new IllegalArgumentException("a client needs the address of a node");
      }
    }

    /// Connections to each node; 2 if nothing is said.
    public Builder connections(int count) {
      connections = count;
      return this;
    }

    /// Threads of the client; 1 if nothing is said.
    public Builder threads(int count) {
      threads = count;
      return this;
    }

    /// Where this client is: it asks only nodes whose zone begins with this and a `/`. Seeds should
    /// be there too.
    public Builder datacenter(String name) {
      datacenter = name;
      return this;
    }

    /// Until a request is answered, if its level says nothing; 5000 if nothing is said.
    public Builder timeoutMillis(int millis) {
      timeoutMillis = millis;
      return this;
    }

    /// Is told of each request's end.
    public Builder observer(ClientMetrics.Observer told) {
      observer = told;
      return this;
    }

    public TernClient build() {
      return new TernClient(this);
    }
  }

  /// A bucket of a type. Types are made by `tern keyspace create`; buckets are there.
  public <V> Bucket<V> bucket(String type, String name, Codec<V> codec) {
    return new Bucket<>(this, type, name, codec, Level.DEFAULT, null);
  }

  public ClientMetrics metrics() {
    return metrics;
  }

  /// Carries out a call.
  CompletableFuture<byte[]> call(
      String operation,
      int code,
      byte[] message,
      int slot,
      String type,
      boolean repeatable,
      int timeoutMillis) {
    boolean writes = code != Wire.GET && code != Wire.GET_PLACEMENT;
    long now = System.nanoTime();
    int millis = timeoutMillis > 0 ? timeoutMillis : settings.timeoutMillis;
    Call call =
        new Call(
            code, message, slot, type, writes, repeatable || !writes, now, millis * 1_000_000L);
    metrics.requests.increment();
    call.answer.whenComplete((answer, failure) -> ended(operation, call, failure));
    if (closed) {
      call.answer.completeExceptionally(new TernException.Refused("the client is closed", false));
    } else {
      attempt(call);
    }
    return call.answer;
  }

  private void ended(String operation, Call call, @Nullable Throwable failure) {
    if (failure != null) {
      metrics.failures.increment();
    }
    String outcome = failure == null ? "done" : outcome(failure);
    settings.observer.ended(operation, System.nanoTime() - call.beganNanos, outcome);
  }

  private static String outcome(Throwable failure) {
    if (failure instanceof TernException.Unknown) {
      return "unknown";
    }
    if (failure instanceof TernException.NotApplied) {
      return "not-applied";
    }
    return failure instanceof TernException.Refused ? "refused" : "invalid";
  }

  private void attempt(Call call) {
    if (call.attempts++ > 0) {
      metrics.retries.increment();
    }
    Connection best = choose(call);
    call.lastTried = best.address;
    best.send(call);
  }

  /// The least busy connection of the key's replicas, or of any node.
  private Connection choose(Call call) {
    long now = System.nanoTime();
    Placement placement = call.slot < 0 ? null : placement(call.type, now);
    Connection best = null;
    if (placement != null) {
      best = leastBusy(placement.replicas(call.slot), call, now);
      if (best == null) {
        best = leastBusy(placement.nodes(), call, now);
        metrics.elsewhere.increment();
      }
    }
    if (best == null) {
      best = leastBusy(settings.seeds, call, now);
    }
    if (best == null) {
      List<InetSocketAddress> any = placement == null ? settings.seeds : placement.nodes();
      InetSocketAddress address = any.get(ThreadLocalRandom.current().nextInt(any.size()));
      best = connections(address)[0];
    }
    return best;
  }

  private @Nullable Connection leastBusy(List<InetSocketAddress> among, Call call, long now) {
    Connection best = null;
    long least = Long.MAX_VALUE;
    for (int i = 0; i < among.size(); i++) {
      InetSocketAddress address = among.get(i);
      if (call.attempts > 1 && address.equals(call.lastTried) && among.size() > 1) {
        continue;
      }
      for (Connection connection : connections(address)) {
        long cost = connection.isBroken(now) ? Long.MAX_VALUE : connection.cost(now);
        if (cost < least) {
          least = cost;
          best = connection;
        }
      }
    }
    return best;
  }

  private Connection[] connections(InetSocketAddress address) {
    Connection[] known = nodes.get(address);
    return known != null ? known : nodes.computeIfAbsent(address, this::open);
  }

  private Connection[] open(InetSocketAddress address) {
    Connection[] made = new Connection[settings.connections];
    for (int i = 0; i < made.length; i++) {
      made[i] = new Connection(address, group.next(), new Ends());
    }
    return made;
  }

  private @Nullable Placement placement(String type, long now) {
    Known known = placements.get(type);
    if (known == null || now - known.askedNanos > PLACEMENT_NANOS) {
      Placement before = known == null ? null : known.placement;
      Known asked = new Known(before, now);
      boolean mine =
          known == null
              ? placements.putIfAbsent(type, asked) == null
              : placements.replace(type, known, asked);
      if (mine) {
        ask(type, now);
      }
      return before;
    }
    return known.placement;
  }

  private void ask(String type, long now) {
    byte[] message = new Wire.Writer().bytes(1, type.getBytes(StandardCharsets.UTF_8)).encoded();
    call("placement", Wire.GET_PLACEMENT, message, -1, type, true, 0)
        .whenComplete(
            (answer, failure) -> {
              if (answer != null) {
                placements.put(type, new Known(Placement.decode(answer, settings.datacenter), now));
              }
            });
  }

  /// What each address that was tried said last.
  private String problems() {
    List<String> told = new ArrayList<>();
    nodes.forEach(
        (address, connections) -> {
          for (Connection connection : connections) {
            String problem = connection.problem();
            if (problem != null) {
              told.add(address.getHostString() + ":" + address.getPort() + " " + problem);
              return;
            }
          }
        });
    return told.isEmpty() ? "none is known" : String.join(", ", told);
  }

  /// What becomes of calls.
  private final class Ends implements Connection.Listener {
    @Override
    public void answered(Call call, int code, byte[] message) {
      if (code != Wire.ERROR) {
        call.answer.complete(message);
        return;
      }
      String error = error(message);
      TernException failure = TernException.of(error, call.writes);
      boolean passing = failure instanceof TernException.Refused refused && refused.isPassing();
      long wait = failure instanceof TernException.Refused refused ? refused.retryAfterMillis() : 0;
      if (!passing || !again(call, wait)) {
        call.answer.completeExceptionally(failure);
      }
    }

    @Override
    public void lost(Call call, boolean sent) {
      if (sent && !call.repeatable) {
        call.answer.completeExceptionally(
            new TernException.Unknown("the connection broke: the write may have happened"));
      } else if (!again(call, 0)) {
        call.answer.completeExceptionally(
            new TernException.Refused("no node can be reached: " + problems(), true));
      }
    }

    @Override
    public void slow(Call call) {
      if (call.repeatable && call.slot >= 0) {
        // Whichever answers first: twice is once.
        attempt(call);
      }
    }

    /// Tries it once more, a little later; false if it has had its chances.
    ///
    /// @param waitMillis what the store said that it needs; 0 if it did not. Up to half as long
    ///   again is added, so that not all who were refused come back at once
    private boolean again(Call call, long waitMillis) {
      if (call.answer.isDone()) {
        return true;
      }
      long left = (call.deadlineNanos - System.nanoTime()) / 1_000_000 - waitMillis;
      boolean room = call.attempts < MAX_ATTEMPTS && left > 0;
      if (!room || closed) {
        return false;
      }
      long millis =
          waitMillis > 0
              ? waitMillis
                  + ThreadLocalRandom.current().nextLong(Math.min(waitMillis, left) / 2 + 1)
              : call.attempts == 1
                  ? 0
                  : ThreadLocalRandom.current().nextLong((long) BACKOFF_MILLIS << call.attempts);
      var next = group.next().schedule(() -> attempt(call), millis, TimeUnit.MILLISECONDS);
      return next != null;
    }
  }

  /// The text of an error; of one that cannot be read too, so that its call ends.
  static String error(byte[] message) {
    Wire.Reader in = new Wire.Reader(message, 0, message.length);
    try {
      int field;
      while ((field = in.next()) != 0) {
        if (field == 1) {
          return new String(in.bytes(), StandardCharsets.UTF_8);
        }
        in.skip();
      }
      return "an error without a text";
    } catch (IllegalArgumentException e) {
      return "an error that cannot be read: " + e.getMessage();
    }
  }

  /// Ends all connections; what is under way fails.
  @Override
  public void close() {
    closed = true;
    for (Connection[] each : nodes.values()) {
      for (Connection connection : each) {
        connection.close();
      }
    }
    group.shutdownGracefully(0, 2, TimeUnit.SECONDS).awaitUninterruptibly(5, TimeUnit.SECONDS);
  }
}
