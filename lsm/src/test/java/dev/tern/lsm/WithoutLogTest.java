package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// A store that keeps no log: what it makes durable, what it says of that, and what it refuses.
class WithoutLogTest {
  private static final byte[] KEY = Bed.bytes("key");
  private static final byte[] VALUE = Bed.bytes("value");

  private final Bed bed = new Bed(1);
  private final List<Long> told = new ArrayList<>();
  private Lsm lsm;
  private ColumnFamily first;
  private ColumnFamily second;

  @BeforeEach
  void open() throws IOException {
    bed.options = Bed.options(64 << 10, 8192, 256, 2048).withoutLog();
    lsm = bed.open();
    lsm.afterFlush(told::add);
    first = lsm.columnFamily("first", CompactionStyle.LEVELED);
    second = lsm.columnFamily("second", CompactionStyle.LEVELED);
  }

  private long put(ColumnFamily family) {
    return lsm.append(new WriteBatch().put(family, KEY, VALUE));
  }

  private boolean hasLog() {
    return bed.disk.list(Bed.STORE).stream().anyMatch(name -> name.endsWith(".log"));
  }

  @Test
  void aRequestedFlushTakesAllFamiliesAndIsToldOf() throws IOException {
    long one = put(first);
    long two = put(second);
    assertEquals(0, lsm.flushedSequence());
    assertTrue(one < two);
    assertEquals(two, lsm.requestFlush());
    bed.settle();
    assertEquals(List.of(two), told);
    assertEquals(two, lsm.flushedSequence());
    assertEquals(two, lsm.syncedSequence());
    assertEquals(two, lsm.loggedSequence());
    put(first);
    bed.powerCut();
    open();
    assertArrayEquals(VALUE, lsm.get(second, KEY));
    assertEquals(two, lsm.flushedSequence());
    assertEquals(
        two, lsm.writtenSequence(), "what was not flushed is gone, and so is its sequence");
    assertFalse(hasLog());
  }

  @Test
  void whatIsWrittenWhileAFlushIsUnderWayIsFlushedIfItWasAskedFor() {
    put(first);
    lsm.requestFlush();
    long last = put(first);
    assertEquals(last, lsm.requestFlush());
    bed.settle();
    assertEquals(last, lsm.flushedSequence());
    assertEquals(last, told.getLast());
  }

  @Test
  void aRequestForWhatIsFlushedDoesNothing() throws IOException {
    put(first);
    lsm.flush();
    long flushes = lsm.statistics().flushes();
    assertEquals(lsm.flushedSequence(), lsm.requestFlush());
    bed.settle();
    assertEquals(flushes, lsm.statistics().flushes());
  }

  @Test
  void nothingIsSaidToBeMoreDurableThanItIs() throws IOException {
    WriteBatch batch = new WriteBatch().put(first, KEY, VALUE);
    assertThrows(IllegalArgumentException.class, () -> lsm.write(batch, Durability.SYNC));
    assertThrows(IllegalArgumentException.class, () -> lsm.write(batch, Durability.OS));
    assertThrows(IllegalStateException.class, lsm::syncLog);
    assertThrows(IllegalArgumentException.class, () -> bed.options.withDurability(Durability.SYNC));
    assertNull(lsm.get(first, KEY));
    lsm.write(batch);
    lsm.flushLog();
    assertArrayEquals(VALUE, lsm.get(first, KEY));
    assertEquals(0, lsm.syncedSequence());
  }

  @Test
  void aCheckpointHoldsWhatWasWritten() throws IOException {
    put(first);
    lsm.checkpoint("data/copy");
    try (Lsm copy = bed.open("data/copy")) {
      ColumnFamily there = copy.columnFamily("first", CompactionStyle.LEVELED);
      assertArrayEquals(VALUE, copy.get(there, KEY));
    }
  }

  @Test
  void aCloseThatCannotFlushSaysSo() throws IOException {
    put(first);
    bed.disk.full = true;
    assertThrows(IOException.class, lsm::close);
    bed.disk.full = false;
    open();
    assertNull(lsm.get(first, KEY));
    put(first);
    lsm.close();
    open();
    assertArrayEquals(VALUE, lsm.get(first, KEY));
  }

  @Test
  void aStoreThatKeepsNoLogIsFlushedAtItsClose() {
    LsmOptions kept = Bed.options(64 << 10, 8192, 256, 2048).withLogKeptAtClose();
    assertThrows(IllegalArgumentException.class, kept::withoutLog);
    assertThrows(IllegalArgumentException.class, bed.options::withLogKeptAtClose);
  }

  @Test
  void theCloseOfAFailedStoreSaysWhatIsLost() {
    put(first);
    assertThrows(
        NullPointerException.class, () -> lsm.publication.install(null, 0, /* flushed= */ false));
    IOException lost = assertThrows(IOException.class, lsm::close);
    assertTrue(lost.getMessage().contains("up to sequence 0 of 1"), lost.getMessage());
  }

  /// It waits like one with a log until what was replayed is in tables, and then has none.
  @Test
  void aFullDiskAtTheOpeningGivesItNoLog() throws IOException {
    lsm.close();
    LsmOptions without = bed.options;
    bed.options = Bed.options(64 << 10, 8192, 256, 2048).withLogKeptAtClose();
    lsm = bed.open();
    first = lsm.columnFamily("first", CompactionStyle.LEVELED);
    put(first);
    lsm.close();
    bed.options = without;
    bed.disk.full = true;
    open();
    bed.disk.full = false;
    for (int i = 0; i < 5; i++) {
      bed.settle();
      put(first);
      lsm.flushLog();
    }
    bed.settle();
    assertFalse(hasLog());
    long flushed = lsm.flushedSequence();
    assertTrue(flushed < lsm.writtenSequence());
    bed.powerCut();
    open();
    assertEquals(flushed, lsm.writtenSequence());
  }

  @Test
  void aFlushThatFailedIsTriedAgainByWrites() {
    put(first);
    bed.disk.full = true;
    lsm.requestFlush();
    bed.settle();
    assertEquals(0, lsm.flushedSequence());
    bed.disk.full = false;
    bed.settle();
    put(first);
    bed.settle();
    assertTrue(lsm.flushedSequence() > 0, "the flush was not tried again");
  }

  @Test
  void aListenerMayNotWaitForFlushes() throws IOException {
    List<Class<?>> refusals = new ArrayList<>();
    List<Executable> calls =
        List.of(
            () -> lsm.flush(),
            () -> lsm.checkpoint("data/copy"),
            () -> lsm.stage("x", first, List.of("none"), Staging.LINK),
            () -> lsm.abandonStaged("x"),
            () -> lsm.ingest("x", List.of()),
            () -> lsm.replace("x", List.of()),
            () -> lsm.close());
    lsm.afterFlush(
        flushed -> {
          for (Executable call : calls) {
            refusals.add(assertThrows(IllegalStateException.class, call).getClass());
          }
        });
    put(first);
    lsm.flush();
    assertEquals(calls.size(), refusals.size());
    lsm.close();
  }

  @Test
  void aListenerThatThrowsHoldsNothingUp() throws IOException {
    lsm.afterFlush(
        flushed -> {
          throw new IllegalStateException("of the listener");
        });
    put(first);
    lsm.requestFlush();
    bed.settle();
    assertTrue(lsm.flushedSequence() > 0);
    assertEquals(1, lsm.statistics().backgroundFailures());
    put(first);
    lsm.flush();
    assertEquals(lsm.writtenSequence(), lsm.flushedSequence());
  }

  /// The memtables that follow the one that was told of are flushed all the same.
  @Test
  void anErrorOfAListenerAtTheCloseLosesNothing() throws IOException {
    lsm.afterFlush(
        flushed -> {
          throw new NoClassDefFoundError("of the listener");
        });
    put(first);
    lsm.requestFlush();
    put(second);
    lsm.close();
    open();
    assertArrayEquals(VALUE, lsm.get(first, KEY));
    assertArrayEquals(VALUE, lsm.get(second, KEY));
  }

  @Test
  void aStoreMayLoseOrGetItsLogWhenItIsOpened() throws IOException {
    put(first);
    lsm.close();
    LsmOptions without = bed.options;
    bed.options = Bed.options(64 << 10, 8192, 256, 2048).withLogKeptAtClose();
    lsm = bed.open();
    first = lsm.columnFamily("first", CompactionStyle.LEVELED);
    assertArrayEquals(VALUE, lsm.get(first, KEY));
    lsm.write(new WriteBatch().put(first, Bed.bytes("logged"), VALUE), Durability.SYNC);
    bed.powerCut();
    bed.options = without;
    open();
    assertArrayEquals(VALUE, lsm.get(first, Bed.bytes("logged")));
    assertFalse(hasLog());
    bed.powerCut();
    open();
    assertArrayEquals(VALUE, lsm.get(first, Bed.bytes("logged")));
  }

  /// The last edit of its manifest names the flush, and nothing but the manifest knows of it.
  @Test
  void oneFlippedByteOfTheManifestLosesNoFlushThatWasToldOf() throws IOException {
    put(first);
    lsm.flush();
    long flushed = put(second);
    lsm.flush();
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    String manifest =
        files.keySet().stream().filter(name -> name.startsWith("MANIFEST")).findFirst().get();
    int refused = 0;
    for (int at = 0; at < files.get(manifest).length; at++) {
      Map<String, byte[]> changed = new TreeMap<>(files);
      byte[] flipped = files.get(manifest).clone();
      flipped[at] ^= 0x10;
      changed.put(manifest, flipped);
      Bed other = new Bed(1);
      other.options = bed.options;
      other.restore(Bed.STORE, changed);
      try (Lsm opened = other.open()) {
        assertEquals(flushed, opened.flushedSequence(), "flipped at " + at);
      } catch (CorruptionException e) {
        assertTrue(e.getMessage().contains(manifest + " is corrupt at offset"), e.getMessage());
        refused++;
      }
    }
    assertTrue(refused > files.get(manifest).length / 2, "refused " + refused);
  }
}
