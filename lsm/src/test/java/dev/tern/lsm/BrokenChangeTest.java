package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import dev.tern.lsm.compaction.CompactionPicker;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.AbstractMap;
import java.util.AbstractSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/// Something is thrown in the middle of a change of what readers see, or of a job's end, memory
/// being short for instance: nothing is lost, and nobody waits for ever.
class BrokenChangeTest {
  private final MemoryFiles files = new MemoryFiles();
  private final WaitingJobs jobs = new WaitingJobs();
  private final LsmOptions options =
      LsmOptions.DEFAULT.withTuning(new LsmOptions.Tuning(2048, 0, 256, 1024, LsmBug.NONE));

  private Lsm open() throws IOException {
    Lsm lsm = jobs.open(files, options);
    jobs.runAll();
    return lsm;
  }

  private static byte[] key(int number) {
    return "key%05d".formatted(number).getBytes(US_ASCII);
  }

  private static void fill(Lsm lsm, ColumnFamily family, int from, int to) throws IOException {
    for (int i = from; i < to; i++) {
      lsm.append(new WriteBatch().put(family, key(i), new byte[100]));
    }
    lsm.flushLog();
    lsm.syncLog();
  }

  private void findAll(int count) throws IOException {
    try (Lsm lsm = open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      lsm.verify();
      for (int i = 0; i < count; i++) {
        assertArrayEquals(new byte[100], lsm.get(family, key(i)), "key " + i);
      }
      lsm.flush();
      lsm.verify();
    }
  }

  private static void assertFailed(Lsm lsm, ColumnFamily family) throws IOException {
    assertNotNull(lsm.failure());
    WriteBatch more = new WriteBatch().put(family, key(0), new byte[1]);
    assertThrows(IllegalStateException.class, () -> lsm.write(more));
    assertThrows(IllegalStateException.class, lsm::flush);
    lsm.close();
  }

  /// The manifest names the tables of a flush, and readers cannot be shown them.
  @Test
  void aFlushThatIsNotPublishedFailsTheStoreAndKeepsItsTables() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    fill(lsm, family, 0, 10);
    lsm.publication.rotateMemtables(0);
    ReadState from = lsm.readers.acquire();
    assertThrows(
        OutOfMemoryError.class,
        () ->
            lsm.flushes.flush(
                from,
                new long[0],
                (changed, flushed) -> {
                  throw new OutOfMemoryError("planted");
                }));
    assertThrows(IOException.class, () -> lsm.tables.nameLogs());
    lsm.readers.letGo(from);
    lsm.close();
    findAll(10);
  }

  /// A map of one entry; memory runs out behind it.
  private static Map<Integer, Levels> exhausted(int family, Levels levels) {
    return new AbstractMap<>() {
      @Override
      public Set<Map.Entry<Integer, Levels>> entrySet() {
        return new AbstractSet<>() {
          @Override
          public Iterator<Map.Entry<Integer, Levels>> iterator() {
            return Stream.of(Map.entry(family, levels), Map.entry(family, levels))
                .peek(new Exhausted())
                .iterator();
          }

          @Override
          public int size() {
            return 1;
          }
        };
      }
    };
  }

  /// Takes one.
  private static final class Exhausted implements Consumer<Map.Entry<Integer, Levels>> {
    private boolean full;

    @Override
    public void accept(Map.Entry<Integer, Levels> entry) {
      if (full) {
        throw new OutOfMemoryError("planted");
      }
      full = true;
    }
  }

  /// Memory runs out between the change of the lists and the edit that names it.
  @Test
  void aChangeThatBreaksBeforeItsEditChangesNothing() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    for (int i = 0; i < 2; i++) {
      fill(lsm, family, i, i + 1);
      lsm.flush();
    }
    Levels now = lsm.tables.levels(family.id());
    assertTrue(now.level(0).length > 1);
    List<Table> oldest = List.of(now.level(0)[now.level(0).length - 1]);
    Levels moved = now.without(oldest).plus(Levels.LAST, oldest);
    assertThrows(
        OutOfMemoryError.class,
        () ->
            lsm.tables.change(
                all -> exhausted(family.id(), moved),
                (changed, flushed) -> {
                  throw new AssertionError("shown");
                }));
    assertEquals(now, lsm.tables.levels(family.id()));
    fill(lsm, family, 2, 3);
    lsm.flush();
    lsm.close();
    findAll(3);
  }

  /// Its levels are missing: it breaks in the middle.
  @Test
  void aFlushThatIsHalfPublishedFailsTheStore() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    fill(lsm, family, 0, 10);
    assertThrows(
        NullPointerException.class, () -> lsm.publication.install(null, 5, /* flushed= */ true));
    assertEquals(0, lsm.publication.immutables());
    assertArrayEquals(new byte[100], lsm.get(family, key(3)));
    assertFailed(lsm, family);
    findAll(10);
  }

  /// What the owner does at the end of a group throws while a job goes on in another log.
  @Test
  void aRotationThatThrowsIsTriedAgain() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    boolean[] armed = {false};
    lsm.beforeGroupEnds(
        () -> {
          if (armed[0]) {
            throw new IllegalStateException("planted");
          }
        });
    fill(lsm, family, 0, 30);
    armed[0] = true;
    int logs = StoreFiles.logs(files, "store").size();
    for (int i = 0; i < 5; i++) {
      jobs.runAll();
      lsm.retry();
    }
    assertFalse(lsm.busy());
    assertNull(lsm.failure());
    assertTrue(StoreFiles.logs(files, "store").size() <= logs + 1);
    armed[0] = false;
    lsm.flush();
    fill(lsm, family, 30, 60);
    lsm.flush();
    lsm.close();
    findAll(60);
  }

  /// Something is thrown between the choice of a compaction's inputs and the merge.
  @Test
  void aCompactionThatDoesNotBeginLeavesItsInputsToOthers() throws IOException {
    boolean[] armed = {false};
    int[] thrown = {0};
    Offload sick =
        new Offload() {
          @Override
          public <T> void offload(Job<T> job, Completion<T> completion) {
            if (armed[0]) {
              thrown[0]++;
              throw new StackOverflowError("planted");
            }
            jobs.offload(
                () -> {
                  try {
                    return job.run();
                  } catch (StackOverflowError e) {
                    throw new IOException(e);
                  }
                },
                completion);
          }

          @Override
          public void pause(long nanos) {
            // Nobody waits.
          }
        };
    Lsm lsm =
        Lsm.open(
            files, sick, WaitingJobs.STOPPED, Randomness.of(1), "store", options.withThreads(3));
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    int keys = 0;
    for (int tables = 0; tables < CompactionPicker.YOUNG_TABLES; tables++) {
      jobs.runAll();
      fill(lsm, family, keys, ++keys);
      lsm.flush();
    }
    armed[0] = true;
    jobs.runAll();
    armed[0] = false;
    assertTrue(thrown[0] > 0, "no compaction began");
    assertTrue(
        lsm.tables.levels(family.id()).all().stream().noneMatch(Table::isCompacting),
        "a table is in a compaction that nobody makes");
    fill(lsm, family, keys, ++keys);
    lsm.flush();
    jobs.runAll();
    assertTrue(lsm.tables.levels(family.id()).level(0).length < CompactionPicker.YOUNG_TABLES);
    assertFalse(lsm.busy(), "a job counts as under way that nobody does");
    lsm.close();
    findAll(keys);
  }
}
