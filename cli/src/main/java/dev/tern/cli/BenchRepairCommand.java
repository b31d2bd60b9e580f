package dev.tern.cli;

import dev.tern.client.Bucket;
import dev.tern.client.Codec;
import dev.tern.client.Context;
import dev.tern.client.Level;
import dev.tern.client.TernClient;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// How long a node that was away needs to have what it missed, and what that costs.
@Command(
    name = "repair",
    description = {
      "Loads keys on three nodes (N=3), kills one, writes some of the keys anew, starts it again and"
          + " waits until anti-entropy has brought it all of them.",
      "With --hints a fourth node holds the writes meanwhile and brings them."
    },
    mixinStandardHelpOptions = true)
final class BenchRepairCommand implements Callable<Integer> {
  private static final int OFFSET = 24_000;
  private static final int AWAY = 3;
  private static final int IN_FLIGHT = 200;
  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(5);

  @Option(names = "--keys", description = "(default ${DEFAULT-VALUE})")
  private int keys = 1_000_000;

  @Option(names = "--changed", description = "of them while the node is away")
  private int changed = 10_000;

  @Option(names = "--value-bytes", description = "of each value (default ${DEFAULT-VALUE})")
  private int valueBytes = 100;

  @Option(names = "--durability", description = "none, os or sync (default ${DEFAULT-VALUE})")
  private String durability = "os";

  @Option(names = "--hints", description = "writes are sloppy, and there are four nodes")
  private boolean hints;

  @Override
  public Integer call() throws Exception {
    Path dir = Files.createTempDirectory("tern-bench");
    PrintStream log = new PrintStream(dir.resolve("log").toFile());
    int count = hints ? 4 : 3;
    try (LocalNodes nodes = new LocalNodes(count, dir, OFFSET, durability, 0, log)) {
      Runtime.getRuntime().addShutdownHook(new Thread(nodes::close, "tern-shutdown"));
      nodes.start();
      AdminPage.post(
          "127.0.0.1:" + nodes.adminPort(1),
          "/keyspace/create",
          AdminPage.body().put("name", "bench").put("n", 3).put("durability", durability));
      String[] seeds = new String[count];
      for (int i = 0; i < count; i++) {
        seeds[i] = "127.0.0.1:" + nodes.riakPort(i + 1);
      }
      try (TernClient client = TernClient.connect(seeds)) {
        run(nodes, client.bucket("bench", "b", Codec.bytes()), count);
      }
    }
    return 0;
  }

  private void run(LocalNodes nodes, Bucket<byte[]> bucket, int count)
      throws IOException, InterruptedException {
    write(bucket.at(Level.ALL), 0, keys, "loaded");
    nodes.kill(AWAY);
    LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(6));
    Level level = hints ? Level.of(2, 3).thatIsSloppy() : Level.QUORUM;
    long bytes = write(bucket.at(level), 0, changed, "changed while node " + AWAY + " was away");
    nodes.restart(AWAY);
    long back = System.nanoTime();
    double wanted = hints ? missed(nodes, count) : changed;
    double came = 0;
    long until = back + LONGEST_NANOS;
    while (came < wanted && System.nanoTime() < until) {
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
      came = hints ? replayed(nodes, count) : nodes.metric(AWAY, "tern_repaired_records_total");
    }
    double seconds = (System.nanoTime() - back) / 1e9;
    System.out.printf(
        "%s: %,.0f of %,.0f in %.2f s after the node was seen by all, %,.0f a second%n",
        hints ? "held writes brought" : "records brought", came, wanted, seconds, came / seconds);
    double repaired = nodes.metric(AWAY, "tern_repaired_bytes_total");
    System.out.printf(
        "bytes of keys and values by anti-entropy: %,.0f; that differed: %,d; %.3f times%n",
        repaired, bytes, repaired / bytes);
  }

  private double missed(LocalNodes nodes, int count) throws IOException, InterruptedException {
    double held = 0;
    for (int node = 1; node <= count; node++) {
      held += node == AWAY ? 0 : nodes.metric(node, "tern_hints_held_total");
    }
    return held;
  }

  private double replayed(LocalNodes nodes, int count) throws IOException, InterruptedException {
    double replayed = 0;
    for (int node = 1; node <= count; node++) {
      replayed += node == AWAY ? 0 : nodes.metric(node, "tern_hints_replayed_total");
    }
    return replayed;
  }

  /// Writes keys; the bytes of their keys and values as they are stored.
  private long write(Bucket<byte[]> bucket, int from, int to, String what)
      throws InterruptedException {
    Semaphore room = new Semaphore(IN_FLIGHT);
    AtomicLong failed = new AtomicLong();
    byte[] value = new byte[valueBytes];
    new Random(to).nextBytes(value);
    long bytes = 0;
    long began = System.nanoTime();
    for (int i = from; i < to; i++) {
      room.acquire();
      String key = "k" + i;
      // Beside the value its content type, and the bucket beside the key.
      bytes += key.length() + 2 + valueBytes + 2 + "application/octet-stream".length() + 2;
      bucket
          .put(key, value, Context.NONE)
          .whenComplete(
              (done, failure) -> {
                if (failure != null) {
                  failed.incrementAndGet();
                }
                room.release();
              });
    }
    room.acquire(IN_FLIGHT);
    double seconds = (System.nanoTime() - began) / 1e9;
    System.out.printf("%,d keys %s in %.1f s, %d failed%n", to - from, what, seconds, failed.get());
    return bytes;
  }
}
