package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.WriteLog;
import dev.tern.world.World;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// An archive gets every log before its file goes: what it has says everything that was written.
class LogArchiveTest {
  private static final String COPY = "data/archived";

  /// By number, as they were given; a log that is given twice is the same.
  private final TreeMap<Long, byte[]> archived = new TreeMap<>();

  private final List<Long> order = new ArrayList<>();
  private Bed bed;
  private Lsm lsm;
  private ColumnFamily family;
  private boolean refuses;
  private boolean isBroken;

  private void take(String path, long number) throws IOException {
    if (refuses) {
      throw new IOException("the archive is full");
    }
    if (isBroken) {
      throw new NoClassDefFoundError("of the archive");
    }
    byte[] file = bed.copy(Bed.STORE).get(path.substring(path.lastIndexOf('/') + 1));
    assertNotNull(file, path);
    assertTrue(archived.getOrDefault(number, file).length <= file.length, "another file: " + path);
    archived.put(number, file);
    order.add(number);
  }

  private void open(long seed) throws IOException {
    open(seed, LsmBug.NONE);
  }

  private void open(long seed, LsmBug planted) throws IOException {
    if (bed == null) {
      bed = new Bed(seed);
      bed.options = Bed.options(2048, 8192, 256, 2048, planted).withArchive(this::take);
    }
    lsm = bed.open();
    family = lsm.columnFamily("family", CompactionStyle.LEVELED);
  }

  private long write(int number) throws IOException {
    byte[] key = Bed.bytes("key-" + number);
    long last = lsm.append(new WriteBatch().put(family, key, new byte[200]));
    lsm.flushLog();
    return last;
  }

  /// The sequences that the archived logs hold, in order.
  private List<Long> sequences() throws IOException {
    bed.restore(COPY, Map.of());
    List<Long> found = new ArrayList<>();
    for (Map.Entry<Long, byte[]> log : archived.entrySet()) {
      String name = "%06d.log".formatted(log.getKey());
      bed.restore(COPY, Map.of(name, log.getValue()));
      LogFile.read(
          bed.disk,
          COPY + "/" + name,
          null,
          in -> {
            while (in.remaining() > 0) {
              BatchEntries entries = new BatchEntries();
              entries.begin(in);
              while (entries.next()) {
                found.add(entries.sequence);
              }
            }
          });
    }
    return found;
  }

  private static List<Long> upTo(long last) {
    List<Long> all = new ArrayList<>();
    for (long i = 1; i <= last; i++) {
      all.add(i);
    }
    return all;
  }

  @Test
  void everythingThatWasWrittenIsArchivedInOrder() throws IOException {
    open(1);
    long last = 0;
    for (int i = 0; i < 200; i++) {
      last = write(i);
      bed.world.runUntil(bed.world.nanos() + 1_000_000);
    }
    bed.settle();
    assertTrue(order.size() > 5, order + " were archived while the store was open");
    lsm.close();
    assertEquals(upTo(last), sequences());
    assertEquals(order.stream().sorted().distinct().toList(), order);
    assertEquals(0, bed.disk.overwritten, "a log's file was written again");
  }

  @Test
  void anErrorOfTheArchiveIsNoneOfTheFlush() throws IOException {
    open(1);
    isBroken = true;
    long last = write(0);
    lsm.flush();
    assertTrue(String.valueOf(lsm.statistics().archiveFailure()).contains("of the archive"));
    lsm.close();
    isBroken = false;
    open(1);
    lsm.close();
    assertEquals(upTo(last), sequences());
  }

  /// The power goes at any operation: what is archived and what the store has are the same.
  @Test
  void aCrashLeavesNoHoleInTheArchive() throws IOException {
    int crashes = crashes(LsmBug.NONE);
    assertTrue(crashes > 200, "too few crashes: " + crashes);
  }

  @Test
  void logsThatAnOpeningDeletesUnseenAreFound() {
    assertThrows(AssertionError.class, () -> crashes(LsmBug.REPLAYED_LOGS_NOT_ARCHIVED));
  }

  private int crashes(LsmBug planted) throws IOException {
    int crashes = 0;
    for (long at = 0; at < 400; at++) {
      bed = null;
      archived.clear();
      order.clear();
      Randomness random = Randomness.of(at);
      try {
        open(at, planted);
        bed.options = random.nextInt(2) == 0 ? bed.options.withLogKeptAtClose() : bed.options;
        bed.disk.crashAfter(at);
        for (int i = 0; i < 80; i++) {
          write(i);
          bed.world.runUntil(bed.world.nanos() + random.nextInt(2_000_000));
        }
      } catch (World.Crash e) {
        crashes++;
      }
      bed.powerCut();
      open(at);
      long recovered = lsm.writtenSequence();
      write(1000);
      lsm.flush();
      lsm.close();
      if (!bed.options.flushesAtClose()) {
        open(at);
        lsm.close();
      }
      assertEquals(upTo(recovered + 1), sequences().stream().distinct().toList(), "crash at " + at);
    }
    return crashes;
  }

  private List<String> logs() {
    return bed.disk.list(Bed.STORE).stream().filter(name -> name.endsWith(".log")).toList();
  }

  /// A store of two logs that are needed; the first lacks its end, so the second is behind a hole.
  private Map<String, byte[]> withHole() throws IOException {
    open(1);
    while (lsm.statistics().immutableMemtables() == 0) {
      write((int) lsm.writtenSequence());
      for (int step = 0; lsm.statistics().immutableMemtables() == 0 && step < 50; step++) {
        bed.world.runUntil(bed.world.nanos() + 10_000);
      }
    }
    // The next log is gone on in, and the flush before it is not done.
    write(1001);
    write(1002);
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    assertEquals(2, logs().size());
    assertEquals(0, lsm.flushedSequence());
    byte[] first = files.get(logs().getFirst());
    int end = first.length;
    while (first[end - 1] == 0) {
      end--;
    }
    Arrays.fill(first, end - 100, first.length, (byte) 0);
    return files;
  }

  @Test
  void aLogBehindAHoleIsNotArchived() throws IOException {
    openOverAHole(false);
  }

  /// The logs stay then until there is room.
  @Test
  void aLogBehindAHoleIsNotArchivedWhereTheDiskWasFull() throws IOException {
    openOverAHole(true);
  }

  /// The power goes at any operation of the opening that finds the hole.
  @Test
  void aLogBehindAHoleIsNotArchivedAfterASecondCut() throws IOException {
    Map<String, byte[]> files = new TreeMap<>();
    withHole().forEach((name, bytes) -> files.put(Bed.STORE + "/" + name, bytes));
    long behind = Long.parseLong(logs().getLast().replace(".log", ""));
    int cuts = 0;
    for (int at = 0; at < 60; at++) {
      for (int seed = 0; seed < 4; seed++) {
        bed = new Bed(4 * at + seed);
        bed.options = Bed.options(2048, 8192, 256, 2048).withArchive(this::take);
        bed.disk.restore(files);
        archived.clear();
        bed.disk.crashAfter(at);
        try {
          open(seed);
          write(5000);
          lsm.syncLog();
        } catch (World.Crash e) {
          cuts++;
        }
        bed.powerCut();
        open(seed);
        lsm.close();
        assertFalse(archived.containsKey(behind), "cut at %d, seed %d".formatted(at, seed));
      }
    }
    assertTrue(cuts > 50, "cuts: " + cuts);
  }

  private void openOverAHole(boolean full) throws IOException {
    Map<String, byte[]> files = withHole();
    List<String> logs = logs();
    long written = lsm.writtenSequence();
    assertEquals(List.of(), order);
    bed = new Bed(2);
    bed.options = Bed.options(2048, 8192, 256, 2048).withArchive(this::take);
    bed.restore(Bed.STORE, files);
    bed.disk.full = full;
    open(2);
    assertEquals(full, logs().containsAll(logs), "logs: " + logs());
    long recovered = lsm.writtenSequence();
    assertTrue(recovered > 0 && recovered < written - 1, recovered + " of " + written);
    bed.disk.full = false;
    for (int i = 0; i < 5; i++) {
      bed.settle();
      write(1002);
    }
    long last = write(1003);
    // Nobody runs the jobs that a flush would wait for.
    bed.settle();
    lsm.flush();
    lsm.close();
    String behind = logs.getLast();
    assertFalse(archived.containsKey(Long.parseLong(behind.replace(".log", ""))), behind);
    assertEquals(upTo(last), sequences());
    assertFalse(logs().contains(behind));
  }

  /// Nothing is given, and nothing goes.
  @Test
  void aLookAtTheStoreArchivesNothing() throws IOException {
    open(1);
    refuses = true;
    while (lsm.statistics().flushes() < 3) {
      write((int) lsm.writtenSequence());
      bed.world.runUntil(bed.world.nanos() + 1_000_000);
    }
    lsm.close();
    refuses = false;
    Map<String, byte[]> before = bed.copy(Bed.STORE);
    try (Lsm other = bed.openReadOnly(Bed.STORE)) {
      assertTrue(other.writtenSequence() > 0);
    }
    assertEquals(List.of(), order);
    assertEquals(before.keySet(), bed.copy(Bed.STORE).keySet());
  }

  @Test
  void whatTheArchiveRefusesIsGivenAgain() throws IOException {
    open(1);
    refuses = true;
    long last = 0;
    while (lsm.statistics().flushes() < 5) {
      last = write((int) last);
      bed.world.runUntil(bed.world.nanos() + 1_000_000);
    }
    assertEquals(List.of(), order);
    String failure = lsm.statistics().archiveFailure();
    assertTrue(failure != null && failure.contains("the archive is full"), failure);
    lsm.close();
    open(1);
    assertTrue(lsm.statistics().archiveFailure() != null);
    refuses = false;
    last = write((int) last);
    lsm.flush();
    assertNull(lsm.statistics().archiveFailure());
    assertEquals(0, lsm.statistics().logsNotArchived());
    lsm.close();
    assertEquals(upTo(last), sequences());
  }

  @Test
  void anArchiveThatTakesNothingFillsNoDisk() throws IOException {
    open(1);
    refuses = true;
    for (int i = 0; lsm.statistics().flushes() < 60; i++) {
      write(i);
      bed.world.runUntil(bed.world.nanos() + 1_000_000);
    }
    bed.settle();
    long logs = bed.disk.list(Bed.STORE).stream().filter(name -> name.endsWith(".log")).count();
    assertTrue(logs <= WriteLog.MOST_UNARCHIVED + 3, logs + " logs");
    assertTrue(lsm.statistics().logsNotArchived() > 30);
  }
}
