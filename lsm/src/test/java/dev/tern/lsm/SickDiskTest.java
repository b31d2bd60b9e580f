package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.CoverageMarks;
import dev.tern.env.Randomness;
import dev.tern.world.Rounds;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Operations of the disk fail, one at each step of a workload, or the disk is full for a while:
/// the errors are clear, reads go on, nothing acknowledged is lost, and writing resumes by itself.
class SickDiskTest {
  private static final int KEYS = 40;

  /// One store's life on a sick disk.
  private static final class Life {
    final Bed bed;
    final Randomness random;

    /// What was acknowledged.
    final TreeMap<byte[], byte[]> sure = new TreeMap<>(Arrays::compareUnsigned);

    /// By key: what may be there instead, as its write failed in an unknown way.
    final TreeMap<byte[], byte[]> unsure = new TreeMap<>(Arrays::compareUnsigned);

    int refused;
    int unknown;
    Lsm lsm;
    ColumnFamily family;
    ColumnFamily other;

    Life(long seed) {
      bed = new Bed(seed);
      random = Randomness.of(seed).child("workload");
    }

    void open() throws IOException {
      lsm = bed.open();
      family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      other = lsm.columnFamily("other", CompactionStyle.SIZE_TIERED);
    }

    /// One put; false if the store has failed for good.
    boolean put(int number) {
      byte[] key = Bed.bytes("key-" + random.nextInt(KEYS));
      byte[] value = Bed.bytes(number + "v".repeat(random.nextInt(80)));
      WriteBatch batch = new WriteBatch();
      batch.put(family, key, value).put(other, key, value);
      try {
        lsm.write(batch, random.nextInt(3) == 0 ? Durability.SYNC : Durability.OS);
        sure.put(key, value);
        unsure.remove(key);
      } catch (WriteRefusedException e) {
        refused++;
      } catch (IOException e) {
        unknown++;
        unsure.put(key, value);
        assertNotNull(e.getMessage());
      } catch (IllegalStateException e) {
        assertNotNull(lsm.failure(), e::toString);
        return false;
      }
      if (number % 5 == 0) {
        bed.world.runUntil(bed.world.nanos() + 400_000_000L);
      }
      return true;
    }

    void assertRight(byte[] key, String when) throws IOException {
      byte[] found = lsm.get(family, key);
      byte[] perhaps = unsure.get(key);
      boolean right = Arrays.equals(found, sure.get(key)) || Arrays.equals(found, perhaps);
      assertTrue(
          right,
          () ->
              when
                  + ": "
                  + Bed.text(key)
                  + " is "
                  + Bed.text(found)
                  + ", was "
                  + Bed.text(sure.get(key))
                  + " or "
                  + Bed.text(perhaps));
      assertEquals(Bed.text(found), Bed.text(lsm.get(other, key)), when);
    }

    void assertAllRight(String when) throws IOException {
      for (int i = 0; i < KEYS; i++) {
        assertRight(Bed.bytes("key-" + i), when);
      }
    }
  }

  private static void closeQuietly(Lsm lsm) {
    try {
      lsm.close();
    } catch (IOException e) {
      assertNotNull(e.getMessage());
    }
  }

  /// Opens on the sick disk; false if that failed, which must leave nothing behind.
  private static boolean opens(Life life, String when) {
    try {
      life.open();
      return true;
    } catch (IOException e) {
      if (life.lsm != null) {
        closeQuietly(life.lsm);
      }
      life.bed.settle();
      assertEquals(
          List.of(), life.bed.disk.open, when + ": handles stay open after a failed opening");
      return false;
    }
  }

  /// Whether the store failed for good.
  private static boolean live(Life life, long at, long failing, String when) throws IOException {
    life.bed.disk.failAfter(at, failing);
    boolean healthy = opens(life, when);
    for (int i = 0; healthy && i < 150; i++) {
      healthy = life.put(i);
      if (i % 10 == 0) {
        try {
          life.assertAllRight(when);
        } catch (IOException e) {
          assertTrue(String.valueOf(e.getMessage()).contains("input/output"), e::toString);
        }
      }
    }
    life.bed.disk.heal();
    boolean isFinal = life.lsm != null && life.lsm.failure() != null;
    if (healthy) {
      life.assertAllRight(when + ", healed");
      int before = life.refused + life.unknown;
      for (int i = 1000; i < 1060; i++) {
        assertTrue(life.put(i), when + ": it has failed for good");
      }
      // A log or a flush that failed may refuse one more time, until it was tried again.
      assertTrue(life.refused + life.unknown <= before + 2, when + ": writing does not resume");
      life.assertAllRight(when + ", at the end");
    }
    if (life.lsm != null) {
      closeQuietly(life.lsm);
    }
    life.bed.settle();
    assertEquals(List.of(), life.bed.disk.open, when + ": handles stay open");
    life.open();
    life.bed.assertNoOrphans(life.lsm, when);
    life.assertAllRight(when + ", opened again");
    life.lsm.verify();
    life.lsm.close();
    return isFinal;
  }

  @Test
  void anErrorAtAnyOperationLosesNothing() {
    CoverageMarks.clear();
    int finals = 0;
    int failures = 0;
    for (int failing : new int[] {1, 3}) {
      for (long at = 0; at < 900; at += Integer.getInteger("proof", 1) > 1 ? 1 : 3) {
        String when = failing + " operations fail from " + at;
        Life life = new Life(at);
        try {
          finals += live(life, at, failing, when) ? 1 : 0;
        } catch (IOException | RuntimeException | AssertionError e) {
          throw new AssertionError(when, e);
        }
        failures += life.refused + life.unknown;
      }
    }
    assertTrue(failures > 20, "writers hardly felt it: " + failures);
    assertTrue(finals > 10, "forces of the log hardly fail: " + finals);
    LsmMarksTest.assertReached(LsmMarksTest.BY_SICK_DISKS);
  }

  @Test
  void aFullDiskRefusesWritesAndAnswersReadsUntilThereIsSpace() throws IOException {
    for (int from = 0; from < Rounds.of(60); from++) {
      String when = "full from put " + from;
      Life life = new Life(from);
      life.open();
      for (int i = 0; i < from; i++) {
        life.put(i);
      }
      life.bed.disk.full = true;
      for (int i = 0; i < 100; i++) {
        assertTrue(life.put(100 + i), when + ": a full disk is not final");
        life.assertAllRight(when);
      }
      assertTrue(life.refused > 20, when + ": refused " + life.refused);
      assertEquals(0, life.unknown, when + ": a write that met the full disk was kept");
      int files = life.bed.disk.list(Bed.STORE).size();
      life.bed.settle();
      assertTrue(files < 40, when + ": attempts leave files behind: " + files);
      life.bed.disk.full = false;
      int before = life.refused + life.unknown;
      for (int i = 0; i < 100; i++) {
        life.put(1000 + i);
      }
      assertTrue(life.refused + life.unknown <= before + 2, when + ": writing does not resume");
      life.assertAllRight(when + ", at the end");
      assertNull(life.lsm.failure(), when);
      life.lsm.close();
      life.open();
      life.assertAllRight(when + ", opened again");
      life.bed.assertNoOrphans(life.lsm, when);
      life.lsm.close();
    }
  }

  @Test
  void aFullDiskAtTheEndStillLetsTheDirectoryGo() throws IOException {
    Life life = new Life(1);
    life.open();
    life.put(1);
    life.lsm.append(new WriteBatch().put(life.family, Bed.bytes("k"), Bed.bytes("v")));
    life.bed.disk.full = true;
    assertThrows(IOException.class, life.lsm::close);
    life.bed.settle();
    assertEquals(List.of(), life.bed.disk.open);
    life.bed.disk.full = false;
    life.open();
    life.assertAllRight("opened again");
    life.lsm.close();
  }

  @Test
  void aForceOfTheLogThatFailsIsFinalAndOneOfATableIsNot() throws IOException {
    Life life = new Life(2);
    life.open();
    WriteBatch batch = new WriteBatch().put(life.family, Bed.bytes("k"), Bed.bytes("v"));
    life.bed.disk.forceErrors = 1;
    assertThrows(IOException.class, () -> life.lsm.write(batch, Durability.SYNC));
    life.bed.disk.forceErrors = 0;
    assertNotNull(life.lsm.failure());
    assertThrows(IllegalStateException.class, () -> life.lsm.write(batch, Durability.OS));
    assertThrows(IllegalStateException.class, () -> life.lsm.append(batch));
    assertEquals("v", Bed.text(life.lsm.get(life.family, Bed.bytes("k"))));
    closeQuietly(life.lsm);

    life.open();
    for (int i = 0; life.lsm.statistics().flushes() == 0; i++) {
      life.put(i);
    }
    life.bed.settle();
    long failures = life.lsm.statistics().backgroundFailures();
    for (int i = 0; life.lsm.statistics().backgroundFailures() == failures; i++) {
      life.lsm.append(new WriteBatch().put(life.family, Bed.bytes("x" + i), new byte[400]));
      life.lsm.flushLog();
      life.lsm.syncLog();
      life.bed.disk.forceErrors = 1;
      life.bed.settle();
      life.bed.disk.forceErrors = 0;
    }
    assertNull(life.lsm.failure());
    life.bed.settle();
    for (int i = 0; i < 50; i++) {
      assertTrue(life.put(i));
    }
    assertEquals(0, life.refused);
    life.assertAllRight("after it");
    life.lsm.close();
  }

  /// A crash, and the disk is full when the store is opened: it answers, refuses writes, and goes
  /// on by itself when there is room, with everything that was acknowledged.
  @Test
  void aFullDiskAtTheOpeningLeavesAStoreThatCanBeRead() throws IOException {
    for (int seed = 0; seed < Rounds.of(60); seed++) {
      String when = "seed " + seed;
      Life life = new Life(seed);
      life.open();
      for (int i = 0; i < 5 + 3 * seed; i++) {
        life.put(i);
      }
      life.lsm.syncLog();
      life.bed.powerCut();
      life.bed.disk.full = true;
      for (int opening = 0; opening < 3; opening++) {
        life.open();
        life.assertAllRight(when);
        int refused = life.refused;
        for (int i = 0; i < 20; i++) {
          life.put(1000 + i);
        }
        assertEquals(refused + 20, life.refused, when);
        assertEquals(0, life.unknown, when);
        assertNull(life.lsm.failure(), when);
        life.assertAllRight(when);
        life.lsm.verify();
        closeQuietly(life.lsm);
        life.bed.settle();
        assertEquals(List.of(), life.bed.disk.open, when);
      }
      life.open();
      assertTrue(life.bed.disk.list(Bed.STORE).size() < 40, when);
      life.bed.disk.full = false;
      life.lsm.retry();
      life.bed.settle();
      int before = life.refused;
      for (int i = 0; i < 60; i++) {
        life.put(2000 + i);
      }
      assertTrue(life.refused <= before + 1, when + ": writing does not resume");
      life.assertAllRight(when + ", with room");
      if (seed % 2 == 0) {
        life.lsm.close();
      } else {
        life.lsm.syncLog();
        life.bed.powerCut();
      }
      life.open();
      life.assertAllRight(when + ", opened again");
      life.bed.assertNoOrphans(life.lsm, when);
      life.lsm.flush();
      life.assertAllRight(when + ", flushed");
      life.lsm.close();
    }
  }

  /// A store that is opened again and again for a few writes does not become one of many tables.
  @Test
  void manyOpeningsMakeFewTablesAndFewLogs() throws IOException {
    Life life = new Life(3);
    life.bed.options = Bed.options(32 << 10, 8192, 256, 2048);
    for (int opening = 0; opening < 100; opening++) {
      life.open();
      for (int i = 0; i < 4; i++) {
        life.put(opening * 10 + i);
      }
      if (opening % 3 == 0) {
        life.lsm.syncLog();
        life.bed.powerCut();
      } else {
        life.lsm.close();
      }
    }
    life.open();
    life.bed.settle();
    life.assertAllRight("in the end");
    life.bed.assertNoOrphans(life.lsm, "in the end");
    assertTrue(life.lsm.statistics().tables() <= 12, life.lsm.statistics().levels().toString());
    life.lsm.close();
  }
}
