package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Clock;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What is deleted between the mark of an ingest and its edit stays deleted, though a compaction
/// finds nothing below the deletion yet; or the ingest begins anew, behind the deletion.
@Timeout(60)
class IngestDeletionTest {
  /// Once armed, gets in where an ingest asks for the time behind its mark and holds no lock.
  private final class Between implements Clock {
    @Override
    public long monotonicNanos() {
      mayGetIn();
      return 0;
    }

    @Override
    public long wallMillis() {
      mayGetIn();
      return wall;
    }
  }

  private interface Action {
    void run() throws IOException;
  }

  private final MemoryFiles files = new MemoryFiles();
  private final WaitingJobs jobs = new WaitingJobs();
  private long wall = 1;
  private Action armed;
  private long mark;
  private Lsm lsm;
  private ColumnFamily family;

  private void mayGetIn() {
    if (armed == null
        || lsm.flushedSequence() < mark
        || lsm.tables.lock.isHeldByCurrentThread()
        || lsm.readers.snapshotSequences().length > 1) {
      return;
    }
    Action action = armed;
    armed = null;
    try {
      action.run();
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private Lsm open(CompactionStyle style, LsmBug planted) throws IOException {
    LsmOptions options = Bed.options(64 << 10, 8192, 256, 2048, planted);
    lsm = Lsm.open(files, jobs, new Between(), Randomness.of(1), "store", options);
    family = lsm.columnFamily("data", style);
    jobs.runAll();
    return lsm;
  }

  private void stage() throws IOException {
    Randomness random = Randomness.of(3);
    try (TableFileWriter writer =
        TableFileWriter.create(
            files, WaitingJobs.STOPPED, random, "outside", FamilyOptions.DEFAULT)) {
      for (int i = 100; i < 200; i++) {
        writer.put(Entries.key(i), Bed.bytes("ingested"));
      }
      writer.finish();
    }
    lsm.stage("a", family, List.of("outside"), Staging.LINK);
  }

  private void flushAndCompact(CompactionStyle style) throws IOException {
    lsm.flush();
    for (int more = 0; style == CompactionStyle.SIZE_TIERED && more < 3; more++) {
      lsm.append(new WriteBatch().delete(family, Entries.key(100)));
      lsm.flush();
    }
    jobs.runAll();
  }

  /// Ingests while a batch is written, flushed and compacted; what the keys must have then.
  private String ingestBeside(CompactionStyle style, boolean replace, WriteBatch batch)
      throws IOException {
    stage();
    long[] written = {0};
    mark = lsm.writtenSequence() + 1;
    armed =
        () -> {
          lsm.write(batch, Durability.SYNC);
          written[0] = lsm.writtenSequence();
          wall = 10;
          flushAndCompact(style);
        };
    List<KeyRange> ranges = List.of(new KeyRange(family, Entries.key(100), Entries.key(200)));
    long at = replace ? lsm.replace("a", ranges) : lsm.ingest("a", ranges);
    assertTrue(written[0] > 0, "nothing was written meanwhile");
    return at > written[0] ? "ingested" : null;
  }

  private void assertHave(String wanted, CompactionStyle style) throws IOException {
    for (int round = 0; round < 2; round++) {
      for (int i = 100; i < 200; i++) {
        String found = Bed.text(lsm.get(family, Entries.key(i)));
        assertEquals(wanted, found, "key " + i + " in round " + round);
      }
      jobs.runAll();
      lsm.flush();
      jobs.runAll();
      lsm.close();
      open(style, LsmBug.NONE);
    }
    lsm.close();
  }

  private void deleteBeside(CompactionStyle style, boolean replace, boolean range, LsmBug planted)
      throws IOException {
    open(style, planted);
    WriteBatch batch = new WriteBatch();
    for (int i = 100; i < 200 && !range; i++) {
      batch.delete(family, Entries.key(i));
    }
    if (range) {
      batch.deleteRange(family, Entries.key(100), Entries.key(200));
    }
    assertHave(ingestBeside(style, replace, batch), style);
  }

  @Test
  void keysThatAreDeletedBesideAnIngestStayDeleted() throws IOException {
    deleteBeside(CompactionStyle.LEVELED, /* replace= */ false, /* range= */ false, LsmBug.NONE);
  }

  @Test
  void aRangeThatIsDeletedBesideAnIngestStaysDeleted() throws IOException {
    deleteBeside(CompactionStyle.LEVELED, /* replace= */ false, /* range= */ true, LsmBug.NONE);
  }

  @Test
  void keysThatAreDeletedBesideAReplaceStayDeleted() throws IOException {
    deleteBeside(CompactionStyle.LEVELED, /* replace= */ true, /* range= */ false, LsmBug.NONE);
  }

  @Test
  void aRangeOfATieredFamilyStaysDeleted() throws IOException {
    deleteBeside(CompactionStyle.SIZE_TIERED, /* replace= */ false, /* range= */ true, LsmBug.NONE);
  }

  @Test
  void aValueThatExpiresBesideAnIngestHidesWhatIsIngested() throws IOException {
    open(CompactionStyle.LEVELED, LsmBug.NONE);
    WriteBatch batch = new WriteBatch();
    for (int i = 100; i < 200; i++) {
      batch.put(family, Entries.key(i), Bed.bytes("short"), 5);
    }
    String wanted = ingestBeside(CompactionStyle.LEVELED, /* replace= */ false, batch);
    assertHave(wanted, CompactionStyle.LEVELED);
  }

  /// Measures the test.
  @Test
  void withoutAGuardTheDeletionIsLost() {
    assertThrows(
        AssertionError.class,
        () ->
            deleteBeside(
                CompactionStyle.LEVELED,
                /* replace= */ false,
                /* range= */ true,
                LsmBug.INGEST_WITHOUT_GUARD));
  }

  /// What the owner adds at the end of a group lies in the range of the ingest.
  @Test
  void anIngestIsTakenWhereEachEndOfAGroupWrites() throws IOException {
    for (CompactionStyle style : List.of(CompactionStyle.LEVELED, CompactionStyle.SIZE_TIERED)) {
      files.list("store").forEach(name -> assertDeleted("store/" + name));
      try (Lsm store = open(style, LsmBug.NONE)) {
        int[] ends = {0};
        store.beforeGroupEnds(
            () -> {
              ends[0]++;
              store.append(new WriteBatch().delete(family, Entries.key(150)));
            });
        stage();
        assertDeleted("outside");
        store.append(new WriteBatch().delete(family, Entries.key(160)));
        store.ingest("a", List.of(new KeyRange(family, Entries.key(100), Entries.key(200))));
        assertTrue(ends[0] > 0, "no group ended");
        assertEquals("ingested", Bed.text(store.get(family, Entries.key(150))));
        store.flushLog();
        assertEquals(null, Bed.text(store.get(family, Entries.key(150))));
        assertEquals("ingested", Bed.text(store.get(family, Entries.key(151))));
        store.beforeGroupEnds(() -> {});
      }
      jobs.runAll();
    }
  }

  private void assertDeleted(String path) {
    try {
      files.delete(path);
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }
}
