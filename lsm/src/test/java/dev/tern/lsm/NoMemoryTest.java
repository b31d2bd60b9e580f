package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.lsm.budget.ExhaustedBudget;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Memory runs out at each step of a store's life: at a call of the disk, or where somebody takes
/// memory that the budget counts. Or the disk has no room from a step on. The store goes on, or has
/// failed and says so; opened again it has all that was acknowledged, and a closed store holds no
/// memory and no file.
class NoMemoryTest {
  private static final int KEYS = 30;
  private static final int STEPS = 90;
  private static final String ABSENT = "";
  private static final boolean PROOF = Integer.getInteger("proof", 1) > 1;

  /// What runs out of memory.
  private enum Where {
    DISK,
    BUDGET,
    /// Of the thread's stack, at a call of the disk.
    STACK,
    /// The disk, which has no room from a call on.
    SPACE
  }

  /// A step of a life.
  private interface Step {
    void run() throws IOException;
  }

  private static final class Life {
    final Bed bed;
    final Randomness random;
    final ExhaustedBudget budget = new ExhaustedBudget(64 << 10, 2048, 8192);
    final LsmGroup group;

    /// By key: the values that it may have.
    final Map<String, Set<String>> values = new TreeMap<>();

    Lsm lsm;
    ColumnFamily family;
    ColumnFamily other;

    Life(long seed) {
      bed = new Bed(seed);
      bed.disk.createDirectories("outside");
      random = Randomness.of(seed).child("workload");
      group = new LsmGroup(Bed.options(2048, 8192, 256, 2048).withThreads(2), budget);
      bed.options = group.options();
      for (int i = 0; i < KEYS; i++) {
        values.put(key(i), new HashSet<>(Set.of(ABSENT)));
      }
    }

    private static String key(int number) {
      return "key-%02d".formatted(number);
    }

    void exhaust(Where where, long at) {
      switch (where) {
        case DISK -> bed.disk.exhaustAfter(at);
        case BUDGET -> budget.exhaustAfter(at);
        case SPACE -> bed.disk.fillAfter(at);
        case STACK -> bed.disk.exhaustAfter(at, new StackOverflowError("no memory for the stack"));
      }
    }

    boolean wasExhausted(Where where) {
      return where == Where.SPACE
          ? bed.disk.full
          : bed.disk.wasExhausted() && budget.wasExhausted();
    }

    void heal() {
      bed.disk.heal();
      budget.exhaustAfter(-1);
    }

    void open() throws IOException {
      lsm = null;
      lsm = bed.open();
      family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      other = lsm.columnFamily("other", CompactionStyle.SIZE_TIERED);
    }

    private void write(WriteBatch batch, int from, int to, String value) throws IOException {
      Durability how = random.nextInt(3) == 0 ? Durability.SYNC : Durability.OS;
      change(() -> lsm.write(batch, how), from, to, value);
    }

    /// Takes a step that gives some keys a value.
    private void change(Step step, int from, int to, String value) throws IOException {
      boolean done = false;
      try {
        step.run();
        done = true;
      } finally {
        for (int i = from; i < to; i++) {
          Set<String> possible = values.get(key(i));
          if (done) {
            possible.clear();
          }
          possible.add(value);
        }
      }
    }

    void put(int number) throws IOException {
      int at = random.nextInt(KEYS);
      String value = number + "v".repeat(random.nextInt(150));
      byte[] key = Bed.bytes(key(at));
      write(
          new WriteBatch().put(family, key, Bed.bytes(value)).put(other, key, Bed.bytes(value)),
          at,
          at + 1,
          value);
    }

    private void deleteRange() throws IOException {
      int from = random.nextInt(KEYS - 3);
      byte[] first = Bed.bytes(key(from));
      byte[] end = Bed.bytes(key(from + 3));
      write(
          new WriteBatch().deleteRange(family, first, end).deleteRange(other, first, end),
          from,
          from + 3,
          ABSENT);
    }

    /// Brings some keys in with tables from outside.
    private void replace(int number) throws IOException {
      int from = random.nextInt(KEYS - 3);
      String value = "table " + number;
      List<KeyRange> ranges = new ArrayList<>();
      for (ColumnFamily each : List.of(family, other)) {
        String path = "outside/%s-%d".formatted(each.name(), number);
        try (TableFileWriter writer =
            TableFileWriter.create(bed.disk, bed.clock, bed.world.random, path, each.options())) {
          for (int i = from; i < from + 3; i++) {
            writer.put(Bed.bytes(key(i)), Bed.bytes(value));
          }
          writer.finish();
        }
        lsm.stage(value, each, List.of(path), Staging.COPY);
        ranges.add(new KeyRange(each, Bed.bytes(key(from)), Bed.bytes(key(from + 3))));
      }
      // It flushes, and a flush waits for jobs that are under way: there is one thread.
      bed.settle();
      change(() -> lsm.replace(value, ranges), from, from + 3, value);
    }

    void step(int number) throws IOException {
      switch (number % 10) {
        case 2 -> replace(number);
        case 3 -> deleteRange();
        case 6 -> {
          bed.settle();
          lsm.flush();
        }
        case 8 -> assertRight("a get");
        case 9 -> walk();
        default -> put(number);
      }
      if (number % 4 == 0) {
        bed.world.runUntil(bed.world.nanos() + 400_000_000L);
        lsm.retry();
      }
    }

    private void assertPossible(String key, String found, String when) {
      Set<String> possible = values.get(key);
      assertTrue(
          possible.contains(found),
          () -> "%s: %s is %s, not one of %s".formatted(when, key, found, possible));
    }

    void assertRight(String when) throws IOException {
      for (String key : values.keySet()) {
        byte[] found = lsm.get(family, Bed.bytes(key));
        assertPossible(key, found == null ? ABSENT : Bed.text(found), when);
        assertEquals(Bed.text(found), Bed.text(lsm.get(other, Bed.bytes(key))), when);
      }
    }

    private void walk() throws IOException {
      Set<String> left = new HashSet<>(values.keySet());
      try (Snapshot now = lsm.snapshot();
          LsmIterator rows = lsm.iterator(family, IteratorOptions.all().at(now))) {
        for (rows.seekToFirst(); rows.valid(); rows.next()) {
          String key = Bed.text(rows.key());
          assertPossible(key, Bed.text(rows.value()), "an iterator");
          left.remove(key);
        }
      }
      left.forEach(key -> assertPossible(key, ABSENT, "an iterator"));
    }

    void close() {
      try {
        if (lsm != null) {
          lsm.close();
        }
      } catch (IOException | VirtualMachineError e) {
        assertNotNull(e.getMessage());
      }
      bed.settle();
    }
  }

  /// Whether a step was told of the want of memory, or of what it left behind.
  private static boolean isTold(Life life, Step step) throws IOException {
    try {
      step.run();
      return false;
    } catch (VirtualMachineError e) {
      return true;
    } catch (IllegalStateException e) {
      assertNotNull(life.lsm, e::toString);
      assertNotNull(life.lsm.failure(), e::toString);
      return true;
    } catch (IOException e) {
      // A flush or a rotation has failed for want of memory or room.
      String message = String.valueOf(e.getMessage());
      assertTrue(message.contains("memory") || message.contains("no space left"), e::toString);
      return true;
    }
  }

  /// Whether memory or the disk's room ran out.
  private static boolean live(Where where, long at, int[] told) throws IOException {
    Life life = new Life(at % 7);
    life.exhaust(where, at);
    boolean full = false;
    while (isTold(life, life::open)) {
      told[0]++;
      full |= life.bed.disk.full;
      if (full) {
        life.heal();
      }
      life.close();
      assertEquals(List.of(), life.bed.disk.open, "handles stay open after a failed opening");
    }
    for (int i = 0; i < STEPS && life.lsm.failure() == null; i++) {
      int number = i;
      told[0] += isTold(life, () -> life.step(number)) ? 1 : 0;
    }
    boolean exhausted = full || life.wasExhausted(where);
    life.heal();
    if (life.lsm.failure() == null) {
      life.assertRight("behind it");
      life.bed.settle();
      life.lsm.retry();
      life.bed.settle();
      for (int i = 0; i < 40; i++) {
        int number = 1000 + i;
        // A log or a flush that failed may refuse one more write, until it was tried again.
        boolean refused = i == 0 && where == Where.SPACE && isTold(life, () -> life.put(number));
        if (i > 0 || where != Where.SPACE) {
          life.put(number);
        }
        told[0] += refused ? 1 : 0;
        life.bed.settle();
      }
      life.assertRight("at the end");
      LsmStatistics statistics = life.lsm.statistics();
      assertTrue(statistics.levels().getFirst().tables() < 30, "tables are not compacted");
      told[1]++;
    } else {
      told[2]++;
    }
    life.close();
    assertEquals(List.of(), life.bed.disk.open, "handles stay open");
    life.open();
    life.bed.assertNoOrphans(life.lsm, "opened again");
    life.assertRight("opened again");
    life.lsm.verify();
    for (StagedTable left : life.lsm.staged()) {
      life.lsm.abandonStaged(left.label());
    }
    life.lsm.close();
    life.bed.settle();
    assertEquals(List.of(), life.bed.disk.open, "handles stay open");
    life.group.close();
    assertEquals(0, life.group.memory().held(), () -> life.group.memory().toString());
    return exhausted;
  }

  /// How often a step was told, how many stores went on, and how many failed for good.
  ///
  /// @param stride from one step to the next
  private static int[] atEachStep(Where where, int stride) {
    int[] told = new int[3];
    boolean exhausted = true;
    for (long at = 0; exhausted; at += stride) {
      try {
        exhausted = live(where, at, told);
      } catch (IOException | RuntimeException | Error e) {
        throw new AssertionError("step %d of the %s finds none".formatted(at, where), e);
      }
    }
    return told;
  }

  @Test
  void noMemoryAtACallOfTheDiskLosesNothing() {
    int[] told = atEachStep(Where.DISK, PROOF ? 1 : 41);
    assertTrue(told[0] > 10 && told[1] > 10 && told[2] > 0, () -> Arrays.toString(told));
  }

  @Test
  void noMemoryForWhatTheBudgetCountsLosesNothing() {
    int[] told = atEachStep(Where.BUDGET, PROOF ? 1 : 13);
    assertTrue(told[0] > 10 && told[1] > 10 && told[2] > 0, () -> Arrays.toString(told));
  }

  @Test
  void noStackAtACallOfTheDiskLosesNothing() {
    int[] told = atEachStep(Where.STACK, PROOF ? 1 : 41);
    assertTrue(told[0] > 10 && told[1] > 10 && told[2] > 0, () -> Arrays.toString(told));
  }

  @Test
  void noRoomFromACallOfTheDiskOnLosesNothing() {
    int[] told = atEachStep(Where.SPACE, PROOF ? 1 : 41);
    assertTrue(told[0] > 10 && told[1] > 10, () -> Arrays.toString(told));
    assertEquals(0, told[2], "a full disk is not final");
  }
}
