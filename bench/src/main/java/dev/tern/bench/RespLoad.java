package dev.tern.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.locks.LockSupport;
import java.util.function.ToDoubleFunction;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/// A RESP load generator: closed loop, or open loop at a rate with latencies from the due time.
///
/// One thread serves all connections, as in redis-benchmark: a thread for each takes more of the
/// machine than the servers do, and what is left to them says little of them.
public final class RespLoad {
  private static final long HIGHEST_MICROS = 60_000_000;

  /// In open loop replies are seen so much late at most.
  private static final long LOOK_NANOS = 50_000;

  private RespLoad() {}

  /// How to load.
  ///
  /// @param connections sockets, all served by one thread
  /// @param pipeline requests sent together
  /// @param valueBytes of a SET
  /// @param keys chosen uniformly
  /// @param seconds of a round
  /// @param rounds per server, alternating
  /// @param rate operations a second over all connections, 0 for closed loop
  /// @param warmUpSeconds before the rounds, per server: half of it SETs, half the workload
  public record Options(
      int connections,
      int pipeline,
      int valueBytes,
      int keys,
      int seconds,
      int rounds,
      int rate,
      int warmUpSeconds) {
    public Options {
      if (connections < 1
          || pipeline < 1
          || valueBytes < 1
          || keys < 1
          || seconds < 1
          || rounds < 1
          || rate < 0
          || warmUpSeconds < 0) {
        throw new IllegalArgumentException(
            "all bench settings are positive; the rate and the warm-up may be 0");
      }
    }
  }

  /// Where to send the load.
  ///
  /// @param address host:port
  /// @param process the server's, for the processor time it takes; null if it is not known
  public record Server(String address, @Nullable ProcessHandle process) {
    private double cpuSeconds() {
      return process == null
          ? Double.NaN
          : process.info().totalCpuDuration().map(d -> d.toNanos() / 1e9).orElse(Double.NaN);
    }
  }

  private record Round(double opsPerSecond, Histogram micros, long errors, double cpuMicros) {}

  /// Runs a workload on servers in turn; prints medians, and ratios to the first server's.
  ///
  /// @throws IOException if a server cannot be reached
  public static void compare(
      List<Server> servers, String workload, Options options, PrintStream out) throws IOException {
    List<List<Round>> rounds = new ArrayList<>();
    for (Server server : servers) {
      round(server, "set", options, options.warmUpSeconds() / 2.0);
      round(server, workload, options, options.warmUpSeconds() / 2.0);
      rounds.add(new ArrayList<>());
    }
    for (int i = 0; i < options.rounds(); i++) {
      for (int s = 0; s < servers.size(); s++) {
        rounds.get(s).add(round(servers.get(s), workload, options, options.seconds()));
      }
    }
    double first = median(rounds.getFirst(), Round::opsPerSecond).opsPerSecond();
    for (int s = 0; s < servers.size(); s++) {
      Round median = median(rounds.get(s), Round::opsPerSecond);
      Histogram micros = median.micros();
      out.printf(
          "%-6s P=%-3d %-22s %9.0f ops/s  p50 %6d us  p99 %6d us  p99.9 %6d us  max %7d us  cpu %6.2f us/op  errors %d%s%n",
          workload,
          options.pipeline(),
          servers.get(s).address(),
          median.opsPerSecond(),
          micros.getValueAtPercentile(50),
          micros.getValueAtPercentile(99),
          micros.getValueAtPercentile(99.9),
          micros.getMaxValue(),
          median(rounds.get(s), Round::cpuMicros).cpuMicros(),
          rounds.get(s).stream().mapToLong(Round::errors).sum(),
          s == 0 ? "" : "  Tern/peer %.2f".formatted(first / median.opsPerSecond()));
    }
  }

  private static Round median(List<Round> rounds, ToDoubleFunction<Round> figure) {
    List<Round> sorted = new ArrayList<>(rounds);
    sorted.sort(Comparator.comparingDouble(figure));
    return sorted.get(sorted.size() / 2);
  }

  private static Round round(Server server, String workload, Options options, double seconds)
      throws IOException {
    Load load = new Load(options, seconds);
    double cpuBefore = server.cpuSeconds();
    try (Selector selector = Selector.open()) {
      List<RespConnection> connections = new ArrayList<>();
      try {
        for (int i = 0; i < options.connections(); i++) {
          connections.add(new RespConnection(server.address(), workload, options, i, selector));
        }
        load.run(connections, selector);
      } finally {
        for (RespConnection connection : connections) {
          connection.close();
        }
      }
    } catch (IOException | UncheckedIOException e) {
      throw new IOException(
          "the load on %s broke off: %s".formatted(server.address(), e.getMessage()), e);
    }
    return load.round(server.cpuSeconds() - cpuBefore);
  }

  /// One round in one thread: what it takes of the machine, the servers lack.
  private static final class Load {
    private final double seconds;
    private final Histogram micros = new Histogram(HIGHEST_MICROS, 3);

    /// Between the pipelines of one connection in open loop; 0 in closed loop.
    private final double intervalNanos;

    /// Those that wait for their next pipeline to be due.
    private final PriorityQueue<RespConnection> idle =
        new PriorityQueue<>(Comparator.comparingLong(connection -> connection.dueNanos));

    private int busy;
    private long errors;
    private double tookSeconds;

    Load(Options options, double seconds) {
      this.seconds = seconds;
      this.intervalNanos =
          options.rate() == 0
              ? 0
              : 1e9 * options.connections() * options.pipeline() / options.rate();
    }

    void run(List<RespConnection> connections, Selector selector) throws IOException {
      long begun = System.nanoTime();
      long end = begun + (long) (seconds * 1e9);
      for (int i = 0; i < connections.size(); i++) {
        RespConnection connection = connections.get(i);
        connection.dueNanos = begun + (long) (intervalNanos * i / connections.size());
        idle.add(connection);
      }
      long now = begun;
      while (true) {
        if (now < end) {
          sendDue(now);
        } else if (busy == 0) {
          break;
        }
        await(selector, now < end && !idle.isEmpty() ? idle.element().dueNanos - now : -1);
        now = System.nanoTime();
      }
      tookSeconds = (now - begun) / 1e9;
      errors = connections.stream().mapToLong(connection -> connection.errors).sum();
    }

    Round round(double cpuSeconds) {
      long count = micros.getTotalCount();
      return new Round(count / tookSeconds, micros, errors, cpuSeconds * 1e6 / count);
    }

    private void sendDue(long now) throws IOException {
      while (!idle.isEmpty() && idle.element().dueNanos <= now) {
        RespConnection connection = idle.remove();
        connection.send();
        busy++;
      }
    }

    /// Takes replies; waits for some, at most so long.
    ///
    /// @param nanos negative for as long as it takes
    private void await(Selector selector, long nanos) throws IOException {
      if (nanos < 0) {
        selector.select(this::ready);
      } else if (nanos < 1_000_000) {
        // The selector's patience is in milliseconds: in the last one, look now and then.
        if (selector.selectNow(this::ready) == 0) {
          LockSupport.parkNanos(Math.min(nanos, LOOK_NANOS));
        }
      } else {
        selector.select(this::ready, nanos / 1_000_000);
      }
    }

    private void ready(SelectionKey key) {
      RespConnection connection = (RespConnection) key.attachment();
      try {
        int replies = connection.ready();
        if (replies == 0) {
          return;
        }
        long now = System.nanoTime();
        long latency = Math.min(HIGHEST_MICROS, (now - connection.dueNanos) / 1000);
        micros.recordValueWithCount(latency, replies);
        if (connection.idle()) {
          busy--;
          connection.dueNanos =
              intervalNanos == 0 ? now : connection.dueNanos + (long) intervalNanos;
          idle.add(connection);
        }
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }
}
