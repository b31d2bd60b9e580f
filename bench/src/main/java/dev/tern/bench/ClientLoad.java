package dev.tern.bench;

import dev.tern.client.Bucket;
import dev.tern.client.Context;
import dev.tern.client.TernException;
import java.io.PrintStream;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.ConcurrentHistogram;

/// Puts and gets by key through the Java client, a number of them in flight: the load that the
/// peers' benchmark makes through its driver.
public final class ClientLoad {
  private static final long HIGHEST_NANOS = 60_000_000_000L;

  /// @param inFlight requests at a time
  /// @param keys different ones
  /// @param valueBytes of each
  /// @param seconds of a run
  public record Options(int inFlight, int keys, int valueBytes, int seconds) {}

  /// What a run came to; latencies in milliseconds.
  public record Result(
      String name,
      long requests,
      double opsPerSecond,
      double p50,
      double p99,
      double p999,
      long refused,
      long unknown) {
    @Override
    public String toString() {
      return "%-12s ops/s=%,10.0f p50=%6.2f ms p99=%6.2f ms p99.9=%7.2f ms refused=%d unknown=%d"
          .formatted(name, opsPerSecond, p50, p99, p999, refused, unknown);
    }
  }

  private final Bucket<byte[]> bucket;
  private final Options options;
  private final byte[] value;

  public ClientLoad(Bucket<byte[]> bucket, Options options) {
    this.bucket = bucket;
    this.options = options;
    this.value = new byte[options.valueBytes];
    new Random(1).nextBytes(value);
  }

  /// Runs one mix and prints what it came to.
  ///
  /// @param reads of a hundred requests
  public Result run(String name, int reads, PrintStream out) throws InterruptedException {
    return run(name, reads, options.seconds, out);
  }

  /// The same for another time.
  public Result run(String name, int reads, int seconds, PrintStream out)
      throws InterruptedException {
    Semaphore room = new Semaphore(options.inFlight);
    ConcurrentHistogram latencies = new ConcurrentHistogram(HIGHEST_NANOS, 3);
    AtomicLong refused = new AtomicLong();
    AtomicLong unknown = new AtomicLong();
    SplittableRandom random = new SplittableRandom(7);
    long began = System.nanoTime();
    long end = began + seconds * 1_000_000_000L;
    long done = 0;
    while (System.nanoTime() < end) {
      room.acquire();
      long sent = System.nanoTime();
      boolean read = random.nextInt(100) < reads;
      request("k" + random.nextInt(options.keys), read)
          .whenComplete(
              (answer, failure) -> {
                latencies.recordValue(Math.min(HIGHEST_NANOS, System.nanoTime() - sent));
                if (failure != null) {
                  boolean open = cause(failure) instanceof TernException.Unknown;
                  if ((open ? unknown : refused).incrementAndGet() == 1) {
                    out.println(name + ": the first failure: " + cause(failure));
                  }
                }
                room.release();
              });
      done++;
    }
    room.acquire(options.inFlight);
    double took = (System.nanoTime() - began) / 1e9;
    Result result =
        new Result(
            name,
            done,
            done / took,
            latencies.getValueAtPercentile(50) / 1e6,
            latencies.getValueAtPercentile(99) / 1e6,
            latencies.getValueAtPercentile(99.9) / 1e6,
            refused.get(),
            unknown.get());
    out.println(result);
    return result;
  }

  private static Throwable cause(Throwable failure) {
    Throwable cause = failure.getCause();
    return cause == null ? failure : cause;
  }

  private CompletableFuture<?> request(String key, boolean read) {
    return read ? bucket.get(key) : bucket.put(key, value, Context.NONE);
  }
}
