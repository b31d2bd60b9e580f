package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Ingests that come faster than compactions take their tables in.
class IngestPaceTest {
  private static final byte[] FROM = Bed.bytes("a");
  private static final byte[] TO = Bed.bytes("b");

  private final MemoryFiles files = new MemoryFiles();
  private final PacedJobs jobs = new PacedJobs();

  /// Jobs that wait until the test runs them, or until somebody pauses for them.
  private static final class PacedJobs implements Offload {
    private final WaitingJobs waiting = new WaitingJobs();
    private boolean compacts;
    private long pausedNanos;

    @Override
    public <T> void offload(Job<T> job, Completion<T> completion) {
      waiting.offload(job, completion);
    }

    @Override
    public void pause(long nanos) {
      pausedNanos += nanos;
      if (compacts) {
        waiting.runAll();
      }
    }
  }

  private void replace(Lsm lsm, ColumnFamily family, int number) throws IOException {
    String path = "outside-" + number;
    try (TableFileWriter writer =
        TableFileWriter.create(
            files, WaitingJobs.STOPPED, Randomness.of(number), path, FamilyOptions.DEFAULT)) {
      writer.put(Bed.bytes("a" + number), Bed.bytes("value"));
      writer.finish();
    }
    lsm.stage("all", family, List.of(path), Staging.COPY);
    lsm.replace("all", List.of(new KeyRange(family, FROM, TO)));
  }

  private Lsm open() throws IOException {
    return Lsm.open(
        files,
        jobs,
        WaitingJobs.STOPPED,
        Randomness.of(1),
        "store",
        Bed.options(1 << 20, 1 << 20, 1024, 1 << 20));
  }

  @Test
  void theMoreTablesAreYoungTheLongerAnIngestWaits() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    for (int i = 0; i < 5; i++) {
      replace(lsm, family, i);
    }
    assertEquals(0, jobs.pausedNanos);
    long longest = 0;
    for (int i = 5; i < 40; i++) {
      long before = jobs.pausedNanos;
      replace(lsm, family, i);
      longest = jobs.pausedNanos - before;
    }
    assertTrue(longest >= 4_000_000_000L, longest + " ns");
    assertTrue(longest <= 5_100_000_000L, longest + " ns");
    // As soon as compactions have caught up nobody waits.
    jobs.compacts = true;
    long before = jobs.pausedNanos;
    replace(lsm, family, 40);
    assertTrue(jobs.pausedNanos - before < 100_000_000L, jobs.pausedNanos - before + " ns");
    lsm.close();
  }

  @Test
  void whatCameInIsCompactedThoughNobodyWrites() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    for (int i = 0; i < 12; i++) {
      replace(lsm, family, i);
    }
    long before = lsm.statistics().compactions();
    jobs.waiting.runAll();
    assertTrue(lsm.statistics().compactions() > before, "nothing was compacted");
    lsm.close();
  }
}
