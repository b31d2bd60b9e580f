package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Clock;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import dev.tern.lsm.entry.Keys;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Writes into a range and deletes in it while tables are brought into it again and again, on real
/// threads: what was written with a later sequence than an ingest's is never hidden by it, nor is
/// what was deleted shown.
@Timeout(value = 240, unit = TimeUnit.SECONDS)
class IngestRaceTest {
  private static final int INGESTS = 20;
  private static final int KEYS = 42;
  private static final int WRITERS = 3;

  /// Each job on a thread.
  private record Threads(ExecutorService executor) implements Offload {
    @Override
    public <T> void offload(Job<T> job, Completion<T> completion) {
      executor.execute(
          () -> {
            T result = null;
            Throwable failure = null;
            try {
              result = job.run();
            } catch (Exception e) {
              failure = e;
            }
            completion.complete(result, failure);
          });
    }

    @Override
    public void pause(long nanos) {
      LockSupport.parkNanos(nanos);
    }
  }

  /// Holds one thread up when it asks for the time, as an ingest does between its mark and its
  /// edit.
  private record Slow(Thread thread) implements Clock {
    @Override
    public long monotonicNanos() {
      return System.nanoTime();
    }

    @Override
    public long wallMillis() {
      if (Thread.currentThread().equals(thread)) {
        LockSupport.parkNanos(2_000_000);
      }
      return 0;
    }
  }

  /// A writer saw the tables of an ingest where it had written.
  private record Seen(long written, long ingest) {}

  private final MemoryFiles files = new MemoryFiles();
  private final Map<Long, Long> sequences = new ConcurrentHashMap<>();
  private volatile boolean ended;

  private static byte[] key(int number) {
    return Bed.bytes("key-%04d".formatted(number));
  }

  /// Negative: of an ingest. Else the writer's own.
  private static byte[] value(long number) {
    byte[] value = new byte[60];
    Keys.LONG.set(value, 0, number);
    return value;
  }

  private List<Seen> write(Lsm lsm, ColumnFamily family, int seed) throws IOException {
    Randomness random = Randomness.of(seed);
    List<Seen> seen = new ArrayList<>();
    for (long number = 1; !ended; number++) {
      byte[] key = key(WRITERS * random.nextInt(KEYS / WRITERS) + seed);
      boolean delete = random.nextInt(3) == 0;
      WriteBatch batch = new WriteBatch();
      long sequence =
          lsm.append(delete ? batch.delete(family, key) : batch.put(family, key, value(number)));
      if (number % 4 == 0) {
        lsm.flushLog();
      }
      // One looks long at what it wrote, the others write much.
      for (int look = 0; look < (seed == 0 ? 400 : 8) && !ended; look++) {
        byte[] found = lsm.get(family, key);
        if (found == null) {
          assertTrue(delete, "a key is missing that its writer and all ingests have");
          LockSupport.parkNanos(50_000);
          continue;
        }
        long says = (long) Keys.LONG.get(found, 0);
        if (says < 0) {
          seen.add(new Seen(sequence, -says));
        } else {
          assertTrue(!delete && number == says, "a value of %d after %d".formatted(says, number));
        }
        LockSupport.parkNanos(50_000);
      }
    }
    return seen;
  }

  private void ingest(Lsm lsm, ColumnFamily family, long number) throws IOException {
    String path = family.options().style() + "-" + number;
    try (TableFileWriter writer =
        TableFileWriter.create(
            files, WaitingJobs.STOPPED, Randomness.of(number), path, family.options())) {
      for (int i = 0; i < KEYS; i++) {
        writer.put(key(i), value(-number));
      }
      writer.finish();
    }
    lsm.stage(path, family, List.of(path), Staging.LINK);
    try {
      sequences.put(number, lsm.replace(path, List.of(new KeyRange(family, key(0), key(KEYS)))));
    } catch (IngestRefusedException e) {
      lsm.abandonStaged(path);
    }
  }

  @Test
  void whatIsWrittenBehindAnIngestIsNotHiddenByIt() throws Exception {
    for (CompactionStyle style : List.of(CompactionStyle.LEVELED, CompactionStyle.SIZE_TIERED)) {
      ended = false;
      sequences.clear();
      try (ExecutorService executor = Executors.newCachedThreadPool();
          Lsm lsm =
              Lsm.open(
                  files,
                  new Threads(executor),
                  new Slow(Thread.currentThread()),
                  Randomness.of(1),
                  style.name(),
                  Bed.options(2048, 4096, 256, 1024).withThreads(2))) {
        ColumnFamily family = lsm.columnFamily("data", style);
        List<Future<List<Seen>>> writers = new ArrayList<>();
        for (int i = 0; i < WRITERS; i++) {
          int seed = i;
          writers.add(executor.submit(() -> write(lsm, family, seed)));
        }
        for (long number = 1; number <= INGESTS; number++) {
          ingest(lsm, family, number);
        }
        ended = true;
        int looks = 0;
        for (Future<List<Seen>> writer : writers) {
          for (Seen each : writer.get()) {
            Long at = sequences.get(each.ingest);
            assertTrue(
                at != null && at > each.written,
                "an ingest at %d hides what was written or deleted at %d"
                    .formatted(at, each.written));
            looks++;
          }
        }
        assertTrue(looks > 0, "no writer met an ingest");
        assertTrue(sequences.size() > INGESTS / 8, "ingests: " + sequences.size());
        assertEquals(List.of(), lsm.staged());
        lsm.verify();
      }
    }
  }
}
