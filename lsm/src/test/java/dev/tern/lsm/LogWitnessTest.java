package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.CoverageMarks;
import dev.tern.env.Randomness;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.world.Rounds;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What the manifest knows of the logs: one that is gone, cut, zeroed or another store's is an
/// error, and what an opening drops behind a log's end is said.
class LogWitnessTest {
  @BeforeAll
  static void forgetMarks() {
    CoverageMarks.clear();
  }

  @AfterAll
  static void marksAreReached() {
    LsmMarksTest.assertReached(LsmMarksTest.BY_DAMAGED_LOGS);
  }

  private static final int WRITES = 40;

  /// A closed store whose last log holds all writes.
  private static Map<String, byte[]> closed(long seed) throws IOException {
    Bed bed = new Bed(seed);
    bed.options = Bed.options(1 << 20, 0, 256, 1 << 20).withLogKeptAtClose();
    write(bed, 0);
    return bed.copy(Bed.STORE);
  }

  private static void write(Bed bed, int from) throws IOException {
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      for (int i = from; i < from + WRITES; i++) {
        lsm.write(put(family, i), i % 4 == 0 ? Durability.SYNC : Durability.OS);
      }
    }
    bed.settle();
  }

  private static WriteBatch put(ColumnFamily family, int number) {
    byte[] value = Bed.bytes("v".repeat(number * 30));
    return new WriteBatch().put(family, Bed.bytes("key-" + number), value);
  }

  private static Bed with(Map<String, byte[]> files) throws IOException {
    Bed bed = new Bed(99);
    bed.options = Bed.options(1 << 20, 0, 256, 1 << 20).withLogKeptAtClose();
    bed.restore(Bed.STORE, files);
    return bed;
  }

  private static String log(Map<String, byte[]> files) {
    return files.keySet().stream().filter(n -> n.endsWith(".log")).findFirst().orElseThrow();
  }

  /// Whether it opens, with everything in it.
  private static boolean opens(Map<String, byte[]> files) throws IOException {
    try (Lsm lsm = with(files).open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      for (int i = 0; i < WRITES; i++) {
        byte[] found = lsm.get(family, Bed.bytes("key-" + i));
        assertEquals(i * 30, found == null ? -1 : found.length, "key-" + i);
      }
      return true;
    } catch (CorruptionException e) {
      return false;
    }
  }

  @Test
  void aClosedLogThatIsCutOrZeroedIsAnErrorOrWhole() throws IOException {
    Map<String, byte[]> files = closed(1);
    String name = log(files);
    byte[] content = files.get(name);
    int whole = 0;
    for (int length = 0; length < content.length; length += 17) {
      files.put(name, Arrays.copyOf(content, length));
      whole += opens(files) ? 1 : 0;
      byte[] zeroed = Arrays.copyOf(content, content.length);
      Arrays.fill(zeroed, length, Math.min(content.length, length + 512), (byte) 0);
      files.put(name, zeroed);
      whole += opens(files) ? 1 : 0;
    }
    assertTrue(whole < 20, "only the mark of the end may be missing: " + whole);
    files.put(name, content);
    assertTrue(opens(files));
  }

  @Test
  void aLogThatIsGoneIsAnError() throws IOException {
    Map<String, byte[]> files = closed(1);
    files.remove(log(files));
    assertTrue(!opens(files));
  }

  /// The log of before a crash is named too, with nothing forced of it yet.
  @Test
  void aLogThatIsGoneIsAnErrorFromItsFirstWriteOn() throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(1024, 0, 256, 1024);
    Lsm lsm = bed.open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    int tried = 0;
    String last = "";
    for (int i = 0; i < WRITES * 20; i++) {
      if (i % 2 == 0) {
        lsm.append(put(family, i % 5));
        lsm.flushLog();
        lsm.syncLog();
      }
      bed.world.runUntil(bed.world.nanos() + 20_000);
      Map<String, byte[]> files = bed.copy(Bed.STORE);
      String newest = files.keySet().stream().filter(n -> n.endsWith(".log")).toList().getLast();
      byte[] content = files.get(newest);
      if (!newest.equals(last) && content.length > 0) {
        last = newest;
        files.remove(newest);
        Bed copy = with(files);
        assertThrows(CorruptionException.class, copy::open, newest);
        tried++;
      }
    }
    assertTrue(tried > 5, "hardly a log was begun: " + tried);
  }

  /// A log of this opening is told from a later one of it, of which nothing was forced yet.
  @Test
  void aLogOfTheSameOpeningInPlaceOfALaterOneIsAnError() throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(1024, 0, 256, 1024);
    Lsm lsm = bed.open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    int tried = 0;
    String last = "";
    byte[] former = {};
    for (int i = 0; i < WRITES * 20 && tried < 20; i++) {
      lsm.append(put(family, i % 5));
      lsm.flushLog();
      bed.world.runUntil(bed.world.nanos() + 20_000);
      Map<String, byte[]> files = bed.copy(Bed.STORE);
      String newest = files.keySet().stream().filter(n -> n.endsWith(".log")).toList().getLast();
      byte[] content = files.get(newest);
      if (!newest.equals(last) && former.length > 0) {
        files.put(newest, former);
        CorruptionException e = assertThrows(CorruptionException.class, with(files)::open, newest);
        assertTrue(e.getMessage().contains("another file under this name"), e.getMessage());
        tried++;
      }
      last = newest;
      former = content;
    }
    assertTrue(tried > 5, "hardly a log was begun: " + tried);
  }

  @Test
  void aLogOfAnotherStoreOrOfAnEarlierOpeningIsAnError() throws IOException {
    Map<String, byte[]> files = closed(1);
    Map<String, byte[]> other = closed(2);
    assertEquals(log(files), log(other));
    byte[] own = files.get(log(files));
    files.put(log(files), other.get(log(other)));
    assertTrue(!opens(files));

    Bed again = with(closed(1));
    write(again, WRITES);
    Map<String, byte[]> later = again.copy(Bed.STORE);
    later.put(log(later), own);
    assertTrue(!opens(later));
  }

  @Test
  void whatIsDroppedBehindALogsEndIsSaid() throws IOException {
    Bed bed = new Bed(3);
    bed.options = Bed.options(1 << 20, 0, 256, 1 << 20);
    Lsm lsm = bed.open();
    assertEquals(List.of(), lsm.recovery());
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    int[] ends = new int[WRITES];
    for (int i = 0; i < WRITES; i++) {
      lsm.write(put(family, i), Durability.OS);
      Map<String, byte[]> now = bed.copy(Bed.STORE);
      ends[i] = now.get(log(now)).length;
    }
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    try (Lsm whole = with(files).open()) {
      assertEquals(List.of(), whole.recovery());
    }
    byte[] content = files.get(log(files));
    content[ends[9] + 40] ^= 1;
    try (Lsm cut = with(files).open()) {
      LogLoss loss = cut.recovery().getFirst();
      assertEquals(1, cut.recovery().size());
      assertEquals(Bed.STORE + "/" + log(files), loss.file());
      assertEquals(ends[9], loss.offset());
      assertEquals(content.length - ends[9], loss.bytes());
      assertTrue(loss.wholeChunks() >= WRITES - 11, loss.toString());
      assertEquals(loss.bytes(), cut.statistics().logBytesDropped());
      ColumnFamily found = cut.columnFamily("data", CompactionStyle.LEVELED);
      assertEquals(9 * 30, cut.get(found, Bed.bytes("key-9")).length);
      assertNull(cut.get(found, Bed.bytes("key-10")));
    }
  }

  /// An fsync fails, the store is opened again on a full disk, and written to as far as that goes;
  /// then the power goes.
  @Test
  void aFailedForceAFullDiskAndAPowerCutLeaveAStoreThatOpens() throws IOException {
    for (int seed = 0; seed < Rounds.of(150); seed++) {
      threefold(seed, LsmBug.NONE);
    }
  }

  /// Measures the test above.
  @Test
  void aStoreThatIsWrittenToBeforeItsReplayIsSafeIsFound() throws IOException {
    boolean found = false;
    for (int seed = 0; seed < 150 && !found; seed++) {
      try {
        threefold(seed, LsmBug.WRITES_BEFORE_REPLAY_IS_SAFE);
      } catch (AssertionError e) {
        found = true;
      }
    }
    assertTrue(found);
  }

  private static void threefold(int seed, LsmBug planted) throws IOException {
    Randomness random = Randomness.of(seed).child("threefold");
    Bed bed = new Bed(seed);
    bed.options = Bed.options(2048, 8192, 256, 2048, planted);
    TreeMap<String, Integer> sure = new TreeMap<>();
    Lsm lsm = bed.open();
    for (int i = random.nextInt(30); i >= 0; i--) {
      write(bed, lsm, random, sure);
    }
    bed.disk.forceErrors = 1;
    write(bed, lsm, random, sure);
    bed.disk.forceErrors = 0;
    try {
      lsm.close();
    } catch (IOException e) {
      assertTrue(lsm.failure() != null, e::toString);
    }
    bed.settle();
    bed.disk.full = random.nextInt(4) > 0;
    lsm = bed.open();
    for (int i = 0; i < 10; i++) {
      // Some space comes and goes.
      bed.disk.full = random.nextInt(3) > 0;
      write(bed, lsm, random, sure);
      bed.world.runUntil(bed.world.nanos() + random.nextInt(200_000_000));
    }
    bed.powerCut();
    try (Lsm again = bed.open()) {
      ColumnFamily family = again.columnFamily("data", CompactionStyle.LEVELED);
      for (Map.Entry<String, Integer> entry : sure.entrySet()) {
        byte[] found = again.get(family, Bed.bytes(entry.getKey()));
        int length = found == null ? -1 : found.length;
        assertTrue(length >= entry.getValue(), "seed " + seed + ": " + entry + " is " + length);
      }
    } catch (CorruptionException e) {
      throw new AssertionError("seed " + seed, e);
    }
  }

  /// Values of a key only grow: one that is too short was lost.
  private static void write(Bed bed, Lsm lsm, Randomness random, Map<String, Integer> sure) {
    String key = "key-" + random.nextInt(10);
    int length = (int) Math.min(20_000, bed.world.nanos() % 7 + 3 + sure.getOrDefault(key, 0));
    try {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      lsm.write(new WriteBatch().put(family, Bed.bytes(key), new byte[length]), Durability.SYNC);
      sure.put(key, length);
    } catch (IOException | IllegalStateException e) {
      assertTrue(e.getMessage() != null, e::toString);
    }
  }
}
