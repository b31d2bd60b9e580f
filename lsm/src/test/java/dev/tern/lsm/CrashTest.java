package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.CoverageMarks;
import dev.tern.env.Randomness;
import dev.tern.world.Rounds;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The power goes at every I/O of a workload, and again while the store recovers: what is there
/// afterwards is a prefix of what was written, without holes, that holds all that was synced.
class CrashTest {
  private static final int BATCHES = 220;
  private static final int KEYS = 30;

  /// One store's life.
  private static final class Life {
    final Bed bed;
    final Randomness random;

    /// What was written: of each batch, what it changes.
    final List<List<String[]>> batches = new ArrayList<>();

    /// The last sequence of each batch of this opening.
    final TreeMap<Long, Integer> lasts = new TreeMap<>();

    int synced;
    Lsm lsm;
    ColumnFamily[] families;

    Life(long seed) {
      bed = new Bed(seed);
      random = Randomness.of(seed).child("workload");
      bed.options =
          Bed.options(
              1024L << random.nextInt(2),
              random.nextInt(2) * 8192L,
              128 << random.nextInt(3),
              512L << random.nextInt(3));
      bed.options = random.nextInt(2) == 0 ? bed.options.withLogKeptAtClose() : bed.options;
    }

    /// Without a log what was flushed is what was synced.
    Life withoutLog(LsmBug planted) {
      LsmOptions.Tuning tuning = bed.options.tuning();
      bed.options =
          Bed.options(
                  tuning.memtableBytes(),
                  tuning.cacheBytes(),
                  tuning.blockBytes(),
                  tuning.tableBytes(),
                  planted)
              .withoutLog();
      return this;
    }

    private void flushed(long sequence) {
      Map.Entry<Long, Integer> last = lasts.floorEntry(sequence);
      synced = Math.max(synced, last == null ? 0 : last.getValue());
    }

    void open() throws IOException {
      lsm = bed.open();
      lasts.clear();
      if (!bed.options.hasLog()) {
        lsm.afterFlush(this::flushed);
      }
      FamilyOptions tiered = new FamilyOptions(CompactionStyle.SIZE_TIERED, Compression.NONE, 0, 0);
      families =
          new ColumnFamily[] {
            lsm.columnFamily("leveled", FamilyOptions.DEFAULT), lsm.columnFamily("tiered", tiered)
          };
    }

    void run() throws IOException {
      open();
      WriteBatch batch = new WriteBatch();
      Snapshot snapshot = null;
      for (int i = batches.size() + 1; i <= BATCHES; i++) {
        if (i % 150 == 75) {
          bringIn(i);
          continue;
        }
        batch.clear();
        batches.add(changes(i, batch));
        lasts.put(lsm.append(batch), i);
        if (random.nextInt(3) == 0) {
          lsm.flushLog();
        }
        if (random.nextInt(8) == 0) {
          sync(i);
        }
        if (random.nextInt(6) == 0) {
          bed.world.runUntil(bed.world.nanos() + random.nextInt(1_000_000));
        }
        if (random.nextInt(40) == 0) {
          snapshot = snapshot == null ? lsm.snapshot() : null;
        }
        if (i == BATCHES / 2) {
          lsm.close();
          synced = i;
          open();
        }
      }
      lsm.close();
      synced = BATCHES;
    }

    /// Replaces a range of both families, and the number of the batch, by tables from outside: all
    /// at once and durable.
    private void bringIn(int number) throws IOException {
      bed.settle();
      lsm.abandonStaged("in"); // A crash may have left it.
      List<String[]> changes = new ArrayList<>();
      List<KeyRange> ranges = new ArrayList<>();
      changes.add(new String[] {"0", "last", Integer.toString(number)});
      stage(0, changes);
      ranges.add(new KeyRange(families[0], Bed.bytes("last"), Bed.bytes("last0")));
      for (int family = 0; family < 2; family++) {
        ranges.add(new KeyRange(families[family], Bed.bytes(key(10)), Bed.bytes(key(20))));
        List<String[]> gone = new ArrayList<>();
        gone.add(new String[] {Integer.toString(family), key(10), key(20), ""});
        // Two files of one family, one of the other.
        for (int from = 10; from < 20; from += family == 0 ? 5 : 10) {
          List<String[]> rows = new ArrayList<>();
          for (int i = from; i < from + 4; i++) {
            rows.add(new String[] {Integer.toString(family), key(i), number + "from outside"});
          }
          stage(family, rows);
          gone.addAll(rows);
        }
        changes.addAll(gone);
      }
      bed.settle();
      batches.add(changes);
      lasts.put(lsm.replace("in", ranges), number);
      synced = number;
    }

    private void stage(int family, List<String[]> rows) throws IOException {
      String path = "outside/rows";
      bed.disk.createDirectories("outside");
      if (bed.disk.exists(path)) {
        bed.disk.delete(path);
      }
      long never = bed.clock.wallMillis() + 1_000_000_000_000L;
      try (TableFileWriter writer =
          TableFileWriter.create(bed.disk, bed.clock, random, path, families[family].options())) {
        for (String[] row : rows) {
          writer.put(Bed.bytes(row[1]), Bed.bytes(row[2]), never);
        }
        writer.finish();
      }
      lsm.stage("in", families[family], List.of(path), Staging.values()[random.nextInt(2)]);
    }

    private void sync(int batch) throws IOException {
      if (bed.options.hasLog()) {
        lsm.flushLog();
        lsm.syncLog();
        synced = batch;
      } else if (random.nextInt(3) == 0) {
        bed.settle();
        lsm.flush();
        assertTrue(synced >= batch, "a flush was not told of");
      } else {
        lsm.requestFlush();
      }
    }

    private List<String[]> changes(int number, WriteBatch batch) {
      List<String[]> changes = new ArrayList<>();
      changes.add(new String[] {"0", "last", Integer.toString(number)});
      for (int i = random.nextInt(4); i >= 0; i--) {
        String family = Integer.toString(random.nextInt(2));
        String key = key(random.nextInt(KEYS));
        switch (random.nextInt(8)) {
          case 0 -> changes.add(new String[] {family, key, null});
          case 1 -> changes.add(new String[] {family, key, key(random.nextInt(KEYS)), ""});
          default ->
              changes.add(new String[] {family, key, number + "x".repeat(random.nextInt(60))});
        }
      }
      for (String[] change : changes) {
        ColumnFamily family = families[Integer.parseInt(change[0])];
        if (change.length == 4) {
          batch.deleteRange(family, Bed.bytes(change[1]), Bed.bytes(change[2]));
        } else if (change[2] == null) {
          batch.delete(family, Bed.bytes(change[1]));
        } else {
          batch.put(family, Bed.bytes(change[1]), Bed.bytes(change[2]));
        }
      }
      return changes;
    }

    private static String key(int number) {
      return "key-%02d".formatted(number);
    }

    /// What a family holds after so many batches.
    @SuppressWarnings("NonApiType")
    TreeMap<byte[], byte[]> expected(int family, int count) {
      TreeMap<byte[], byte[]> state = new TreeMap<>(Arrays::compareUnsigned);
      for (List<String[]> changes : batches.subList(0, count)) {
        for (String[] change : changes) {
          byte[] key = Bed.bytes(change[1]);
          boolean isRange = change.length == 4;
          boolean here = Integer.parseInt(change[0]) == family;
          if (here && isRange && change[1].compareTo(change[2]) < 0) {
            state.subMap(key, Bed.bytes(change[2])).clear();
          } else if (here && !isRange && change[2] == null) {
            state.remove(key);
          } else if (here && !isRange) {
            state.put(key, Bed.bytes(change[2]));
          }
        }
      }
      return state;
    }

    /// Opens, compares, and goes on to the end.
    void check(String when) throws IOException {
      open();
      bed.assertNoOrphans(lsm, when);
      String last = Bed.text(lsm.get(families[0], Bed.bytes("last")));
      int recovered = last == null ? 0 : Integer.parseInt(last);
      assertTrue(
          recovered >= synced && recovered <= batches.size(),
          () ->
              "%s: recovered %d of %d, %d were synced"
                  .formatted(when, recovered, batches.size(), synced));
      for (int family = 0; family < 2; family++) {
        Bed.assertHolds(lsm, families[family], expected(family, recovered), when);
      }
      lsm.verify();
      batches.subList(recovered, batches.size()).clear();
      synced = recovered;
      lsm.close();
      bed.settle();
      assertEquals(List.of(), bed.disk.open, when + ": handles stay open");
    }
  }

  /// Whether the power went before the end.
  private static boolean crash(Life life, long at) throws IOException {
    life.bed.disk.crashAfter(at);
    try {
      life.run();
    } catch (World.Crash crash) {
      assertTrue(life.bed.disk.hasCrashed());
    }
    boolean crashed = life.bed.disk.hasCrashed();
    life.bed.powerCut();
    return crashed;
  }

  @Test
  void aPowerCutAtAnyOperationLeavesAPrefixWithAllThatWasSynced() throws IOException {
    CoverageMarks.clear();
    int crashes = 0;
    int recycled = 0;
    for (long round = 0; round < Rounds.of(2); round++) {
      for (long at = 0; ; at++) {
        long seed = round * 100_000 + at;
        Life life = new Life(seed);
        boolean crashed = crash(life, at);
        crashes += crashed ? 1 : 0;
        recycled += life.bed.disk.overwritten > 0 ? 1 : 0;
        recoverAndGoOn(life, seed, "seed " + seed + ", crash at " + at);
        if (!crashed) {
          break;
        }
      }
    }
    assertTrue(crashes > 300, "too few crashes: " + crashes);
    assertTrue(recycled > 100, "logs are hardly used again: " + recycled);
    LsmMarksTest.assertReached(LsmMarksTest.BY_CRASHES);
  }

  /// Everything that is told of as flushed is there after a crash, of both families alike.
  private static int crashWithoutLog(LsmBug planted, int rounds) throws IOException {
    int crashes = 0;
    for (long at = 0; ; at++) {
      for (int round = 0; round < rounds; round++) {
        long seed = round * 100_000L + at;
        Life life = new Life(seed).withoutLog(planted);
        boolean crashed = crash(life, at);
        recoverAndGoOn(life, seed, "seed " + seed + ", crash at " + at);
        if (!crashed) {
          return crashes;
        }
        crashes++;
      }
    }
  }

  @Test
  void aStoreWithoutALogHasExactlyWhatWasFlushed() throws IOException {
    int crashes = crashWithoutLog(LsmBug.NONE, Rounds.of(2));
    assertTrue(crashes > 300, "too few crashes: " + crashes);
  }

  @Test
  void aFlushThatIsToldOfTooEarlyIsFound() {
    assertThrows(AssertionError.class, () -> crashWithoutLog(LsmBug.FLUSH_TOLD_EARLY, 1));
  }

  /// Checks what the crash left, goes on to the end, and checks that.
  private static void recoverAndGoOn(Life life, long seed, String when) {
    try {
      again(life, seed);
      life.check(when);
      life.run();
      life.check(when + ", at the end");
    } catch (IOException | RuntimeException | AssertionError e) {
      throw new AssertionError(when, e);
    }
  }

  /// Perhaps the power goes in the middle of the recovery.
  private static void again(Life life, long seed) throws IOException {
    Randomness random = Randomness.of(seed).child("again");
    while (random.nextInt(3) == 0) {
      life.bed.disk.crashAfter(random.nextInt(40));
      try {
        life.open();
        life.lsm.close();
      } catch (World.Crash crash) {
        assertEquals(1, crash.node);
      }
      life.bed.powerCut();
    }
  }
}
