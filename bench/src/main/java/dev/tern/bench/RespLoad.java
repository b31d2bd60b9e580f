package dev.tern.bench;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import org.HdrHistogram.Histogram;

/// A RESP load generator: closed loop, or open loop at a rate with latencies from the due time.
public final class RespLoad {
  private static final long HIGHEST_MICROS = 60_000_000;

  private RespLoad() {}

  /// How to load.
  ///
  /// @param connections sockets, one thread each
  /// @param pipeline requests sent together
  /// @param valueBytes of a SET
  /// @param keys chosen uniformly
  /// @param seconds of a round
  /// @param rounds per server, alternating
  /// @param rate operations a second over all connections, 0 for closed loop
  public record Options(
      int connections, int pipeline, int valueBytes, int keys, int seconds, int rounds, int rate) {
    public Options {
      if (connections < 1
          || pipeline < 1
          || valueBytes < 1
          || keys < 1
          || seconds < 1
          || rounds < 1
          || rate < 0) {
        throw new IllegalArgumentException("all bench settings are positive, the rate may be 0");
      }
    }
  }

  private record Round(double opsPerSecond, Histogram micros, long errors) {}

  /// Runs a workload on a server and, if `peer` is not blank, on a peer in turn; prints medians.
  ///
  /// @throws IOException if a server cannot be reached
  public static void compare(
      String target, String peer, String workload, Options options, PrintStream out)
      throws IOException, InterruptedException {
    List<String> servers = peer.isBlank() ? List.of(target) : List.of(target, peer);
    for (String server : servers) {
      round(server, "set", options);
    }
    List<List<Round>> rounds = List.of(new ArrayList<>(), new ArrayList<>());
    for (int i = 0; i < options.rounds(); i++) {
      for (int s = 0; s < servers.size(); s++) {
        rounds.get(s).add(round(servers.get(s), workload, options));
      }
    }
    double first = 0;
    for (int s = 0; s < servers.size(); s++) {
      Round median = median(rounds.get(s));
      first = s == 0 ? median.opsPerSecond() : first;
      Histogram micros = median.micros();
      out.printf(
          "%-6s P=%-3d %-22s %9.0f ops/s  p50 %6d us  p99 %6d us  p99.9 %6d us  max %7d us  errors %d%s%n",
          workload,
          options.pipeline(),
          servers.get(s),
          median.opsPerSecond(),
          micros.getValueAtPercentile(50),
          micros.getValueAtPercentile(99),
          micros.getValueAtPercentile(99.9),
          micros.getMaxValue(),
          median.errors(),
          s == 0 ? "" : "  Tern/peer %.2f".formatted(first / median.opsPerSecond()));
    }
  }

  private static Round median(List<Round> rounds) {
    List<Round> sorted = new ArrayList<>(rounds);
    sorted.sort(java.util.Comparator.comparingDouble(Round::opsPerSecond));
    return sorted.get(sorted.size() / 2);
  }

  private static Round round(String server, String workload, Options options)
      throws IOException, InterruptedException {
    List<Future<Long>> parts = new ArrayList<>();
    Histogram micros = new Histogram(HIGHEST_MICROS, 3);
    long begun = System.nanoTime();
    long end = begun + options.seconds() * 1_000_000_000L;
    try (ExecutorService threads = Executors.newFixedThreadPool(options.connections())) {
      for (int i = 0; i < options.connections(); i++) {
        Connection connection = new Connection(server, workload, options, i);
        parts.add(
            threads.submit(
                () -> {
                  Histogram mine = new Histogram(HIGHEST_MICROS, 3);
                  long errors = connection.run(begun, end, mine);
                  synchronized (micros) {
                    micros.add(mine);
                  }
                  return errors;
                }));
      }
      long errors = 0;
      for (Future<Long> part : parts) {
        errors += part.get();
      }
      double seconds = (System.nanoTime() - begun) / 1e9;
      return new Round(micros.getTotalCount() / seconds, micros, errors);
    } catch (ExecutionException e) {
      throw new IOException("the load on " + server + " broke off: " + e.getCause(), e);
    }
  }

  private static final class Connection {
    private final Socket socket;
    private final InputStream in;
    private final OutputStream out;
    private final String workload;
    private final Options options;
    private final SplittableRandom random;
    private final String value;

    Connection(String server, String workload, Options options, int index) throws IOException {
      String[] parts = server.split(":", 2);
      socket = new Socket(parts[0], Integer.parseInt(parts[1]));
      socket.setTcpNoDelay(true);
      in = new BufferedInputStream(socket.getInputStream(), 64 << 10);
      out = new BufferedOutputStream(socket.getOutputStream(), 64 << 10);
      this.workload = workload;
      this.options = options;
      this.random = new SplittableRandom(index);
      char[] filler = new char[options.valueBytes()];
      Arrays.fill(filler, 'x');
      this.value = new String(filler);
    }

    long run(long begun, long end, Histogram micros) throws IOException {
      long errors = 0;
      double intervalNanos = options.rate() == 0 ? 0 : 1e9 * options.connections() / options.rate();
      double due = begun;
      try (socket) {
        while (true) {
          long now = System.nanoTime();
          if (intervalNanos > 0) {
            due += intervalNanos * options.pipeline();
            while (now < due) {
              LockSupport.parkNanos((long) due - now);
              now = System.nanoTime();
            }
          }
          if (now >= end) {
            return errors;
          }
          long from = intervalNanos > 0 ? (long) due : now;
          for (int i = 0; i < options.pipeline(); i++) {
            request();
          }
          out.flush();
          for (int i = 0; i < options.pipeline(); i++) {
            errors += reply() ? 0 : 1;
            long latency = (System.nanoTime() - from) / 1000;
            micros.recordValue(Math.min(HIGHEST_MICROS, latency));
          }
        }
      }
    }

    private void request() throws IOException {
      String key = "key:%012d".formatted(random.nextInt(options.keys()));
      boolean read = workload.equals("get") || workload.equals("mixed") && random.nextInt(10) > 0;
      String text;
      if (read) {
        text = "*2\r\n$3\r\nGET\r\n$16\r\n" + key + "\r\n";
      } else if (workload.equals("incr")) {
        text = "*2\r\n$4\r\nINCR\r\n$20\r\ncnt:" + key + "\r\n";
      } else {
        text =
            "*3\r\n$3\r\nSET\r\n$16\r\n" + key + "\r\n$" + value.length() + "\r\n" + value + "\r\n";
      }
      out.write(text.getBytes(StandardCharsets.US_ASCII));
    }

    /// Reads one reply; false if it is an error.
    private boolean reply() throws IOException {
      int type = in.read();
      long number = 0;
      int c;
      boolean negative = false;
      while ((c = in.read()) != '\n') {
        if (c < 0) {
          throw new EOFException("the server closed the connection");
        }
        negative |= c == '-';
        number = c >= '0' && c <= '9' ? number * 10 + c - '0' : number;
      }
      if (type == '$' && !negative) {
        in.skipNBytes(number + 2);
      }
      return type != '-';
    }
  }
}
