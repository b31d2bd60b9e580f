package dev.tern.bench;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/// Writes to all nodes of a cluster, has one killed in the middle, and reads back at another what
/// was acknowledged.
public final class Failover {
  private static final long HIGHEST_MICROS = 60_000_000;

  /// Seconds before the kill, of which the last two count as before, and after it.
  private static final int BEFORE_SECONDS = 6;

  private static final int AFTER_SECONDS = 5;

  private Failover() {}

  /// What one connection did: ends with its first failure.
  private static final class Writer {
    final int node;
    final int number;
    final Histogram before = new Histogram(HIGHEST_MICROS, 3);
    final Histogram secondAfter = new Histogram(HIGHEST_MICROS, 3);
    final Histogram later = new Histogram(HIGHEST_MICROS, 3);
    int sent;
    int acknowledged;

    Writer(int node, int number) {
      this.node = node;
      this.number = number;
    }

    String key(int i) {
      return "failover:%d:%d".formatted(number, i);
    }

    void run(String server, long killNanos, long endNanos) {
      try (Socket socket = open(server)) {
        InputStream in = new BufferedInputStream(socket.getInputStream());
        OutputStream out = socket.getOutputStream();
        while (true) {
          long began = System.nanoTime();
          if (began >= endNanos) {
            return;
          }
          out.write(command("SET", key(sent), key(sent)));
          sent++;
          if (!line(in).equals("+OK")) {
            return;
          }
          acknowledged++;
          note(began, System.nanoTime(), killNanos);
        }
      } catch (IOException e) {
        // The request in flight has failed: sent is one ahead of acknowledged.
        return;
      }
    }

    private void note(long began, long ended, long killNanos) {
      long micros = Math.min(HIGHEST_MICROS, (ended - began) / 1000);
      if (began >= killNanos + 1_000_000_000L) {
        later.recordValue(micros);
      } else if (ended >= killNanos) {
        secondAfter.recordValue(micros);
      } else if (began >= killNanos - 2_000_000_000L) {
        before.recordValue(micros);
      }
    }
  }

  /// Runs it and prints what happened.
  ///
  /// @param servers host:port of each node's Redis door
  /// @param connections over all nodes
  /// @param kill ends the last node at once
  /// @return whether nothing was lost and nothing but the killed node's own connections failed
  public static boolean run(List<String> servers, int connections, Runnable kill, PrintStream out)
      throws IOException, InterruptedException {
    long killNanos = System.nanoTime() + TimeUnit.SECONDS.toNanos(BEFORE_SECONDS);
    long endNanos = killNanos + TimeUnit.SECONDS.toNanos(AFTER_SECONDS);
    List<Writer> writers = new ArrayList<>();
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService threads = Executors.newFixedThreadPool(connections)) {
      for (int i = 0; i < connections; i++) {
        Writer writer = new Writer(i % servers.size(), i);
        writers.add(writer);
        running.add(
            threads.submit(
                () -> {
                  writer.run(servers.get(writer.node), killNanos, endNanos);
                  return true;
                }));
      }
      TimeUnit.NANOSECONDS.sleep(killNanos - System.nanoTime());
      kill.run();
      for (Future<?> one : running) {
        one.get();
      }
    } catch (ExecutionException e) {
      throw new IOException("the load broke off: " + e.getCause(), e);
    }
    return report(servers, writers, out);
  }

  private static boolean report(List<String> servers, List<Writer> writers, PrintStream out)
      throws IOException {
    Histogram before = new Histogram(HIGHEST_MICROS, 3);
    Histogram secondAfter = new Histogram(HIGHEST_MICROS, 3);
    Histogram later = new Histogram(HIGHEST_MICROS, 3);
    int killed = servers.size() - 1;
    int acknowledged = 0;
    int failedElsewhere = 0;
    int inFlight = 0;
    int lost = 0;
    for (Writer writer : writers) {
      before.add(writer.before);
      secondAfter.add(writer.secondAfter);
      later.add(writer.later);
      acknowledged += writer.acknowledged;
      lost += lost(servers.getFirst(), writer);
      int failed = writer.sent - writer.acknowledged;
      failedElsewhere += writer.node == killed ? 0 : failed;
      inFlight += writer.node == killed ? failed : 0;
    }
    out.printf(
        "kill -9 of one node of %d, %d connections: %d writes acknowledged, %d lost; %d failed on"
            + " the killed node's connections, %d on others%n",
        servers.size(), writers.size(), acknowledged, lost, inFlight, failedElsewhere);
    print("two seconds before", before, 2, out);
    print("the second after", secondAfter, 1, out);
    print("after that", later, AFTER_SECONDS - 1, out);
    return lost == 0 && failedElsewhere == 0;
  }

  private static void print(String when, Histogram micros, int seconds, PrintStream out) {
    out.printf(
        "  %-18s %7d writes/s  p50 %6d us  p99 %6d us  p99.9 %6d us  max %7d us%n",
        when,
        micros.getTotalCount() / seconds,
        micros.getValueAtPercentile(50),
        micros.getValueAtPercentile(99),
        micros.getValueAtPercentile(99.9),
        micros.getMaxValue());
  }

  private static int lost(String server, Writer writer) throws IOException {
    int lost = 0;
    try (Socket socket = open(server)) {
      InputStream in = new BufferedInputStream(socket.getInputStream());
      for (int i = 0; i < writer.acknowledged; i++) {
        socket.getOutputStream().write(command("GET", writer.key(i)));
        String length = line(in);
        boolean there = length.startsWith("$") && !length.equals("$-1");
        lost += there && line(in).equals(writer.key(i)) ? 0 : 1;
      }
    }
    return lost;
  }

  private static Socket open(String server) throws IOException {
    String[] parts = server.split(":", 2);
    Socket socket = new Socket(parts[0], Integer.parseInt(parts[1]));
    socket.setTcpNoDelay(true);
    return socket;
  }

  private static byte[] command(String... words) {
    StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
    }
    return text.toString().getBytes(StandardCharsets.US_ASCII);
  }

  private static String line(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    int c;
    while ((c = in.read()) != '\n') {
      if (c < 0) {
        throw new java.io.EOFException("the server closed the connection");
      }
      if (c != '\r') {
        line.append((char) c);
      }
    }
    return line.toString();
  }
}
