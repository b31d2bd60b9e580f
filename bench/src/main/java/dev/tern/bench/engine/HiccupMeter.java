package dev.tern.bench.engine;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/// What the machine withholds from a thread that wants to run a thousand times a second.
///
/// A process of its own, so that the collector's pauses, which are the engines' doing, are not
/// excused. Its clock is this process's: on Linux both are CLOCK_MONOTONIC. It says `from to` for
/// each wait that was longer than asked by [#LEAST_NANOS], and a sign of life ten times a second;
/// it ends when nobody reads that any more.
///
/// Any thread may ask.
public final class HiccupMeter implements AutoCloseable {
  /// Shorter delays are the timer's own.
  static final long LEAST_NANOS = 500_000;

  private static final long WAIT_NANOS = 1_000_000;
  private static final long ALIVE_NANOS = 100_000_000;

  private record Hiccup(long fromNanos, long toNanos) {}

  private final Process process;
  private final List<Hiccup> hiccups = new ArrayList<>();
  private long heardNanos = Long.MIN_VALUE;
  private boolean ended;

  private HiccupMeter(Process process) {
    this.process = process;
  }

  /// Starts it and waits for its first sign of life.
  ///
  /// @throws IOException if it does not start
  static HiccupMeter start() throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx16m",
                "-cp",
                System.getProperty("java.class.path"),
                HiccupMeter.class.getName())
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    HiccupMeter meter = new HiccupMeter(process);
    Thread listener = new Thread(meter::listen, "hiccups");
    listener.setDaemon(true);
    listener.start();
    meter.awaitUntil(System.nanoTime());
    return meter;
  }

  private void listen() {
    try (BufferedReader lines =
        new BufferedReader(
            new InputStreamReader(process.getInputStream(), StandardCharsets.US_ASCII))) {
      String line;
      while ((line = lines.readLine()) != null) {
        String[] parts = line.split(" ", 2);
        hear(Long.parseLong(parts[0]), Long.parseLong(parts[1]));
      }
    } catch (IOException e) {
      // It was ended, which the following says.
      process.destroy();
    }
    synchronized (this) {
      ended = true;
      notifyAll();
    }
  }

  private synchronized void hear(long fromNanos, long toNanos) {
    if (toNanos > fromNanos) {
      hiccups.add(new Hiccup(fromNanos, toNanos));
    }
    heardNanos = toNanos;
    notifyAll();
  }

  /// Waits until everything before a moment is known.
  ///
  /// @throws IOException if the meter is gone
  synchronized void awaitUntil(long nanos) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
    while (heardNanos < nanos) {
      if (ended || System.nanoTime() > deadline) {
        throw new IOException("the hiccup meter says nothing");
      }
      wait(100);
    }
  }

  /// Nanoseconds withheld between two moments.
  synchronized long within(long fromNanos, long toNanos) {
    long sum = 0;
    for (Hiccup hiccup : hiccups) {
      long from = Math.max(fromNanos, hiccup.fromNanos());
      long to = Math.min(toNanos, hiccup.toNanos());
      sum += Math.max(0, to - from);
    }
    return sum;
  }

  /// The longest between two moments.
  synchronized long longest(long fromNanos, long toNanos) {
    long longest = 0;
    for (Hiccup hiccup : hiccups) {
      if (hiccup.toNanos() > fromNanos && hiccup.fromNanos() < toNanos) {
        longest = Math.max(longest, hiccup.toNanos() - hiccup.fromNanos());
      }
    }
    return longest;
  }

  /// Forgets what is known so far.
  synchronized void clear() {
    hiccups.clear();
  }

  @Override
  public void close() {
    process.destroy();
  }

  /// The process.
  public static void main(String[] args) {
    long said = System.nanoTime() - ALIVE_NANOS;
    while (true) {
      long began = System.nanoTime();
      LockSupport.parkNanos(WAIT_NANOS);
      long now = System.nanoTime();
      if (now - began - WAIT_NANOS > LEAST_NANOS) {
        say(began + WAIT_NANOS, now);
        said = now;
      } else if (now - said > ALIVE_NANOS) {
        say(now, now);
        said = now;
      }
    }
  }

  private static void say(long fromNanos, long toNanos) {
    System.out.println(fromNanos + " " + toNanos);
    if (System.out.checkError()) {
      // Nobody listens any more.
      System.exit(0);
    }
  }
}
