package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Clock;
import dev.tern.env.Randomness;
import dev.tern.lsm.MemoryFiles.Change;
import dev.tern.lsm.file.StoreFiles;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Tables can be written and the manifest cannot: tries leave no tables behind, but those that a
/// failed edit may have named all the same.
class UnnamedTablesTest {
  private static final int KEYS = 30;

  private final MemoryFiles files = new MemoryFiles();
  private final WaitingJobs jobs = new WaitingJobs();
  private long nanos;

  private final Clock clock =
      new Clock() {
        @Override
        public long monotonicNanos() {
          return nanos;
        }

        @Override
        public long wallMillis() {
          return 0;
        }
      };

  private static byte[] key(int number) {
    return "key%05d".formatted(number).getBytes(US_ASCII);
  }

  private Lsm open(MemoryFiles in) throws IOException {
    LsmOptions options =
        LsmOptions.DEFAULT.withTuning(new LsmOptions.Tuning(2048, 0, 256, 1024, LsmBug.NONE));
    Lsm lsm = Lsm.open(in, jobs, clock, Randomness.of(1), "store", options);
    jobs.runAll();
    return lsm;
  }

  private void write(Lsm lsm, ColumnFamily family) throws IOException {
    for (int i = 0; i < KEYS; i++) {
      lsm.append(new WriteBatch().put(family, key(i), new byte[100]));
    }
    lsm.flushLog();
    lsm.syncLog();
  }

  private void retry(Lsm lsm) {
    for (int i = 0; i < 20; i++) {
      nanos += 1_000_000_000;
      lsm.retry();
      jobs.runAll();
    }
  }

  private List<Long> tables() throws IOException {
    return StoreFiles.tables(files, "store");
  }

  private void assertHasAll(Lsm lsm) throws IOException {
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    lsm.verify();
    for (int i = 0; i < KEYS; i++) {
      assertArrayEquals(new byte[100], lsm.get(family, key(i)), "key " + i);
    }
  }

  /// An operation that fails once.
  private record Fault(String path, Change change) {
    boolean meets(String name, Change made) {
      return name.contains(path) && made == change;
    }
  }

  /// @param faults one after the other; behind them no manifest can be made
  private void tried(Fault... faults) throws IOException {
    Lsm lsm = open(files);
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    write(lsm, family);
    // Memtables wait for their flush: else no table is written while no log can be named.
    while (lsm.statistics().immutableMemtables() == 0) {
      jobs.jobs.remove().run();
    }
    int before = tables().size();
    int[] refusals = {0};
    files.refuse(
        (name, change) -> {
          boolean refused =
              refusals[0] < faults.length
                  ? faults[refusals[0]].meets(name, change)
                  : name.contains("MANIFEST") && change == Change.CREATE;
          refusals[0] += refused ? 1 : 0;
          return refused;
        });
    retry(lsm);
    assertTrue(refusals[0] > faults.length + 5, "tries: " + refusals[0]);
    assertTrue(tables().size() <= before + faults.length, "tables are left: " + tables());
    assertHasAll(lsm);

    // A power cut now: what the failed edit may have named is there.
    MemoryFiles copy = files.copy();
    try (Lsm again = open(copy)) {
      assertHasAll(again);
    }
    files.refuse((name, change) -> false);
    retry(lsm);
    assertHasAll(lsm);
    assertEquals(lsm.statistics().tables(), tables().size());
    lsm.close();
    jobs.runAll();
    try (Lsm again = open(files)) {
      assertHasAll(again);
    }
  }

  @Test
  void anEditThatIsNotForcedMayHaveNamedItsTables() throws IOException {
    tried(new Fault("MANIFEST", Change.FORCE));
  }

  @Test
  void anEditThatIsNotWrittenMayHaveNamedItsTables() throws IOException {
    tried(new Fault("MANIFEST", Change.APPEND));
  }

  @Test
  void aStateThatIsNamedPerhapsMayHaveNamedItsTables() throws IOException {
    tried(new Fault("MANIFEST", Change.FORCE), new Fault("CURRENT", Change.RENAME));
  }
}
