package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileHeader;
import dev.tern.env.Randomness;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.world.Rounds;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Tables with a flipped bit: what needs them fails and says which, everything else goes on as if
/// they were not there.
class FailingTablesTest {
  private static final int KEYS = 120;
  private static final int FAMILIES = 4;

  private final List<TreeMap<byte[], byte[]>> models = new ArrayList<>();
  private Bed bed;
  private Randomness random;
  private Lsm lsm;
  private ColumnFamily[] families;

  private void begin(long seed, Bed fresh) {
    bed = fresh;
    random = Randomness.of(seed).child("failing");
    models.clear();
    for (int i = 0; i < FAMILIES; i++) {
      models.add(new TreeMap<>(Arrays::compareUnsigned));
    }
  }

  private void open() throws IOException {
    lsm = bed.open();
    families = new ColumnFamily[FAMILIES];
    for (int i = 0; i < FAMILIES; i++) {
      families[i] =
          lsm.columnFamily(
              "family-" + i, i < 2 ? CompactionStyle.LEVELED : CompactionStyle.SIZE_TIERED);
    }
  }

  private void write(int rounds) throws IOException {
    for (int round = 0; round < rounds; round++) {
      WriteBatch batch = new WriteBatch();
      for (int i = 0; i < FAMILIES; i++) {
        byte[] key = Bed.bytes("key-%03d".formatted(random.nextInt(KEYS)));
        byte[] value = Bed.bytes(round + "v".repeat(random.nextInt(60)));
        batch.put(families[i], key, value);
        models.get(i).put(key, value);
      }
      lsm.append(batch);
      lsm.flushLog();
      if (round % 10 == 0) {
        bed.world.runUntil(bed.world.nanos() + 20_000_000);
        lsm.retry();
      }
    }
    bed.settle();
  }

  /// Breaks a byte in the first block of some tables; their footers still say what they are.
  private void damage(int tables) throws IOException {
    lsm.close();
    bed.settle();
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    List<String> names = files.keySet().stream().filter(name -> name.endsWith(".table")).toList();
    for (int i = 0; i < tables; i++) {
      files.get(names.get(random.nextInt(names.size())))[FileHeader.BYTES + 5] ^= 1;
    }
    bed.restore(Bed.STORE, files);
    open();
  }

  /// What a key is: right, or an error that names a file.
  private int unreadable() throws IOException {
    int errors = 0;
    for (int i = 0; i < FAMILIES; i++) {
      for (Map.Entry<byte[], byte[]> entry : models.get(i).entrySet()) {
        try {
          assertArrayEquals(entry.getValue(), lsm.get(families[i], entry.getKey()));
        } catch (CorruptionException e) {
          assertTrue(e.getMessage().contains(".table"), e::getMessage);
          errors++;
        }
      }
    }
    return errors;
  }

  private LsmStatistics run(long seed, int damaged, LsmBug planted) throws IOException {
    begin(seed, new Bed(seed));
    bed.options = Bed.options(1024, 8192, 256, 1024, planted).withThreads(1);
    open();
    write(400);
    damage(damaged);
    write(1500);
    unreadable();
    LsmStatistics statistics = lsm.statistics();
    lsm.close();
    return statistics;
  }

  private static int level0(LsmStatistics statistics) {
    return statistics.levels().getFirst().tables();
  }

  @Test
  void brokenTablesHoldNothingElseUp() throws IOException {
    int aside = 0;
    for (long seed = 0; seed < Rounds.of(20); seed++) {
      LsmStatistics statistics = run(seed, 1 + (int) seed % 3, LsmBug.NONE);
      assertTrue(level0(statistics) < 60, "tables pile up: " + statistics);
      assertTrue(statistics.backgroundFailures() < 80, "it is tried all the time: " + statistics);
      if (statistics.tablesSetAside() > 0) {
        aside++;
        assertNotNull(statistics.lastFailure());
        assertTrue(statistics.lastFailure().contains(".table"), statistics::lastFailure);
      }
    }
    assertTrue(aside > 5, "hardly a table is set aside: the test tests nothing");
  }

  @Test
  void aPlantedMistakeIsFound() throws IOException {
    boolean found = false;
    for (long seed = 0; seed < 20 && !found; seed++) {
      LsmStatistics statistics = run(seed, 1, LsmBug.NO_TABLE_SET_ASIDE);
      found = level0(statistics) >= 60 || statistics.backgroundFailures() >= 80;
    }
    assertTrue(found);
  }

  /// Errors of the disk that pass: the table is tried again, and the store is as before.
  @Test
  void aTableIsTriedAgain() throws IOException {
    begin(3, new Bed(3));
    bed.options = Bed.options(1024, 0, 256, 1024, LsmBug.NONE).withThreads(1);
    open();
    write(400);
    bed.disk.readErrors = 0.2;
    for (int i = 0; i < 300 && lsm.statistics().tablesSetAside() == 0; i++) {
      write(10);
    }
    assertTrue(lsm.statistics().tablesSetAside() > 0, "no table failed: the test tests nothing");
    bed.disk.readErrors = 0;
    for (int i = 0; i < 1200 && lsm.statistics().tablesSetAside() > 0; i++) {
      bed.settle();
      lsm.retry();
    }
    assertEquals(0, lsm.statistics().tablesSetAside());
    assertEquals(0, unreadable());
    lsm.verify();
    lsm.close();
  }

  @Test
  void anIteratorFailsAtTheBrokenBlockOnly() throws IOException {
    begin(4, new Bed(4));
    bed.options = Bed.options(1024, 0, 256, 1024, LsmBug.NONE).withThreads(1);
    open();
    write(400);
    damage(6);
    int failed = 0;
    for (ColumnFamily family : families) {
      try (LsmIterator iterator = lsm.iterator(family, IteratorOptions.all())) {
        for (iterator.seekToFirst(); iterator.valid(); iterator.next()) {
          iterator.value();
        }
      } catch (CorruptionException e) {
        failed++;
      }
    }
    assertTrue(failed > 0, "no iterator met a broken block: the test tests nothing");
    assertThrows(CorruptionException.class, lsm::verify);
    lsm.close();
  }
}
