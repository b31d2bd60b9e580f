package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What a store that was closed answers, and what it leaves in its directory.
class ClosedStoreTest {
  private final Bed bed = new Bed(1);

  /// A store with entries in tables and memtables.
  private Lsm filled() throws IOException {
    Lsm lsm = bed.open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    for (int i = 0; i < 60; i++) {
      lsm.append(new WriteBatch().put(family, Bed.bytes("key-" + i), new byte[100]));
      lsm.flushLog();
      bed.settle();
    }
    return lsm;
  }

  @Test
  void everyCallIsRefused() throws IOException {
    Lsm lsm = filled();
    ColumnFamily family = lsm.columnFamilies().getFirst();
    byte[] key = Bed.bytes("key-1");
    WriteBatch batch = new WriteBatch().put(family, key, key);
    Snapshot snapshot = lsm.snapshot();
    LsmIterator fresh = lsm.iterator(family, IteratorOptions.all());
    LsmIterator standing = lsm.iterator(family, IteratorOptions.all());
    standing.seekToFirst();
    lsm.close();
    List<Executable> calls = new ArrayList<>();
    calls.add(() -> lsm.columnFamily("data", CompactionStyle.LEVELED));
    calls.add(() -> lsm.columnFamily("new", FamilyOptions.DEFAULT));
    calls.add(lsm::columnFamilies);
    calls.add(() -> lsm.append(batch));
    calls.add(() -> lsm.write(batch));
    calls.add(() -> lsm.write(batch, Durability.NONE));
    calls.add(() -> lsm.deleteRange(family, key, Bed.bytes("z")));
    calls.add(lsm::flushLog);
    calls.add(lsm::syncLog);
    calls.add(lsm::flush);
    calls.add(lsm::retry);
    calls.add(() -> lsm.get(family, key));
    calls.add(() -> lsm.get(family, key, 1));
    calls.add(() -> lsm.get(family, key, snapshot));
    calls.add(() -> lsm.getCached(family, key, 1));
    calls.add(() -> lsm.read(family, key, (memory, offset, length) -> 1));
    calls.add(() -> lsm.multiGet(family, new byte[][] {key}));
    calls.add(lsm::snapshot);
    calls.add(() -> lsm.iterator(family, IteratorOptions.all()));
    calls.add(() -> lsm.checkpoint("data/checkpoint"));
    calls.add(lsm::verify);
    calls.add(() -> lsm.afterFlush(flushed -> {}));
    calls.add(lsm::statistics);
    for (LsmIterator iterator : new LsmIterator[] {fresh, standing}) {
      calls.add(iterator::seekToFirst);
      calls.add(iterator::seekToLast);
      calls.add(() -> iterator.seek(key));
      calls.add(() -> iterator.seekForPrev(key));
      calls.add(iterator::next);
      calls.add(iterator::prev);
      calls.add(iterator::key);
      calls.add(iterator::value);
      calls.add(iterator::refresh);
    }
    for (int i = 0; i < calls.size(); i++) {
      assertThrows(IllegalStateException.class, calls.get(i), "call " + i);
    }
    fresh.close();
    standing.close();
    snapshot.close();
    lsm.close();
    bed.settle();
    assertEquals(List.of(), bed.disk.open);
    assertNull(lsm.failure());
  }

  private long logs() {
    return bed.disk.list(Bed.STORE).stream().filter(name -> name.endsWith(".log")).count();
  }

  private void assertHoldsAll() throws IOException {
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      for (int i = 0; i < 60; i++) {
        assertArrayEquals(new byte[100], lsm.get(family, Bed.bytes("key-" + i)), "key-" + i);
      }
    }
  }

  @Test
  void noLogStaysAndNothingIsReplayed() throws IOException {
    Lsm lsm = filled();
    long written = lsm.writtenSequence();
    assertTrue(lsm.statistics().memtableBytes() > 0, "everything was flushed before");
    lsm.close();
    bed.settle();
    assertEquals(0, logs(), bed.disk.list(Bed.STORE).toString());
    Lsm again = bed.open();
    assertEquals(written, again.readers.state.flushedSequence);
    assertEquals(0, again.statistics().flushBytes());
    again.close();
    assertHoldsAll();
  }

  @Test
  void aStoreThatNobodyWroteToSinceItsFlushIsClosedWithoutAnotherTable() throws IOException {
    Lsm lsm = filled();
    lsm.flush();
    bed.settle();
    int tables = lsm.statistics().tables();
    lsm.close();
    bed.settle();
    Lsm again = bed.open();
    assertEquals(tables, again.statistics().tables());
    again.close();
    assertHoldsAll();
  }

  @Test
  void aLogThatIsKeptEndsWithWhatWasWritten() throws IOException {
    bed.options = bed.options.withLogKeptAtClose();
    Lsm lsm = filled();
    lsm.close();
    bed.settle();
    assertTrue(bed.disk.overwritten > 0, "no log was used again");
    assertEquals(1, logs(), bed.disk.list(Bed.STORE).toString());
    String log =
        bed.disk.list(Bed.STORE).stream().filter(name -> name.endsWith(".log")).findFirst().get();
    assertTrue(bed.disk.size(Bed.STORE + "/" + log) < 2500, "of " + log);
    assertHoldsAll();
  }

  /// What cannot be written to tables stays in the log.
  @Test
  void aStoreThatIsClosedOnAFullDiskLosesNothing() throws IOException {
    Lsm lsm = filled();
    // The log ends within what the file has already.
    bed.disk.full = true;
    lsm.close();
    bed.disk.full = false;
    bed.settle();
    assertTrue(logs() > 0, bed.disk.list(Bed.STORE).toString());
    assertHoldsAll();
  }
}
