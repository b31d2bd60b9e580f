package dev.tern.lsm.compaction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.Entries;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class CompactionPickerTest {
  private final MemoryFiles files = new MemoryFiles();
  private final Epochs<?> epochs = new Epochs<>(Object::new);
  private final BlockCache cache = new BlockCache(0, epochs);
  private final CompactionPicker picker = new CompactionPicker(1024);
  private final Random random = new Random(11);
  private long numbers;
  private long sequence;

  private Table table(int from, int to, int deletes) throws IOException {
    List<Entries.Entry> entries = new ArrayList<>();
    for (int key = from; key < to; key++) {
      int kind = key - from < deletes ? Kind.DELETE : Kind.PUT;
      byte[] value = new byte[kind == Kind.DELETE ? 0 : 40];
      random.nextBytes(value);
      entries.add(new Entries.Entry(Entries.key(key), ++sequence, kind, value));
    }
    return Entries.table(files, ++numbers, entries, List.of(), 256, cache);
  }

  /// What a merge of the inputs could make: tables of their range.
  private List<Table> made(CompactionPicker.Plan plan) throws IOException {
    if (plan.isMove()) {
      return plan.inputs();
    }
    int from = Integer.MAX_VALUE;
    int to = 0;
    for (Table table : plan.inputs()) {
      from = Math.min(from, number(table.properties.smallest()));
      to = Math.max(to, number(table.properties.upper()) + 1);
    }
    List<Table> made = new ArrayList<>();
    int step = plan.output() == 0 ? to - from : 40;
    for (int at = from; at < to; at += step) {
      made.add(table(at, Math.min(to, at + step), 0));
    }
    return made;
  }

  private static int number(byte[] key) {
    return Integer.parseInt(new String(key, 4, 4, java.nio.charset.StandardCharsets.US_ASCII));
  }

  private static Levels apply(Levels levels, CompactionPicker.Plan plan, List<Table> made) {
    Levels after = levels.without(plan.inputs());
    if (plan.output() > 0) {
      return after.plus(plan.output(), made);
    }
    List<Table> list = new ArrayList<>(Arrays.asList(levels.level(0)));
    int at = list.indexOf(plan.inputs().getFirst());
    list.removeAll(plan.inputs());
    list.addAll(at, made);
    return after.with(0, list);
  }

  private static Levels prepend(Levels levels, Table table) {
    List<Table> young = new ArrayList<>(Arrays.asList(levels.level(0)));
    young.addFirst(table);
    return levels.with(0, young);
  }

  @Test
  void parallelLeveledCompactionsKeepLevelsDisjointAndOrdered() throws IOException {
    Levels levels = Levels.EMPTY;
    List<CompactionPicker.Plan> running = new ArrayList<>();
    int most = 0;
    for (int step = 0; step < 1500; step++) {
      if (random.nextInt(3) == 0) {
        int from = random.nextInt(900);
        levels = prepend(levels, table(from, from + 1 + random.nextInt(60), 0));
      }
      CompactionPicker.Plan plan = picker.leveled(0, levels, 0, Long.MAX_VALUE);
      if (plan != null && running.size() < 3) {
        for (Table table : plan.inputs()) {
          assertFalse(table.isCompacting(), "a table in two compactions");
          table.beginCompaction();
        }
        assertPlan(levels, plan);
        running.add(plan);
        most = Math.max(most, running.size());
      } else if (!running.isEmpty()) {
        CompactionPicker.Plan done = running.remove(random.nextInt(running.size()));
        levels = apply(levels, done, made(done));
        done.inputs().forEach(Table::endCompaction);
      }
    }
    assertEquals(3, most, "never in parallel");
    assertTrue(levels.level(0).length < 40, "level 0 grows: " + levels.level(0).length);
    assertSettles(levels, running);
  }

  private static void assertPlan(Levels levels, CompactionPicker.Plan plan) {
    for (Table input : plan.inputs()) {
      boolean there =
          Arrays.asList(levels.level(plan.output())).contains(input)
              || Arrays.asList(levels.level(plan.output() - 1)).contains(input)
              || Arrays.asList(levels.level(0)).contains(input);
      assertTrue(there, "an input from nowhere");
    }
    for (int below = plan.output() + 1; plan.last() && below < Levels.COUNT; below++) {
      for (Table input : plan.inputs()) {
        List<Table> older =
            levels.overlapping(below, input.properties.smallest(), input.properties.upper());
        assertEquals(List.of(), older, "not the last level of this range");
      }
    }
  }

  private void assertSettles(Levels busy, List<CompactionPicker.Plan> running) throws IOException {
    Levels levels = busy;
    for (CompactionPicker.Plan plan : running) {
      levels = apply(levels, plan, made(plan));
      plan.inputs().forEach(Table::endCompaction);
    }
    int steps = 0;
    CompactionPicker.Plan plan;
    while ((plan = picker.leveled(0, levels, 0, Long.MAX_VALUE)) != null) {
      levels = apply(levels, plan, made(plan));
      assertTrue(++steps < 500, "compactions never end");
    }
    assertTrue(levels.level(0).length < CompactionPicker.YOUNG_TABLES);
    long[] targets = picker.targets(levels);
    for (int level = 1; level < Levels.LAST; level++) {
      assertTrue(levels.bytes(level) <= Math.max(1, targets[level]), "level " + level + " is over");
    }
  }

  @Test
  void targetsGrowTenfoldDownToTheLastLevel() throws IOException {
    assertEquals(4096, picker.targets(Levels.EMPTY)[Levels.LAST]);
    List<Table> tables = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      tables.add(table(i * 50, i * 50 + 50, 0));
    }
    Levels levels = Levels.EMPTY.with(Levels.LAST, tables);
    long[] targets = picker.targets(levels);
    assertEquals(levels.bytes(Levels.LAST), targets[Levels.LAST]);
    for (int level = Levels.LAST; level > 1 && targets[level - 1] > 0; level--) {
      assertTrue(targets[level - 1] <= targets[level] / 10 + 4096, Arrays.toString(targets));
    }
    assertEquals(0, targets[1], "a level nobody needs has a size: " + Arrays.toString(targets));
  }

  @Test
  void denseTablesGoDownAndAreNotRewrittenForEver() throws IOException {
    Table dense = table(0, 200, 150);
    List<Table> last = new ArrayList<>();
    for (int i = 10; i < 100; i++) {
      last.add(table(i * 50, i * 50 + 50, 0));
    }
    Levels levels = Levels.EMPTY.with(Levels.LAST - 1, List.of(dense)).with(Levels.LAST, last);
    CompactionPicker.Plan plan = picker.leveled(0, levels, 0, 1);
    assertNotNull(plan);
    assertEquals(List.of(dense), plan.inputs());
    assertFalse(plan.isMove());
    Levels bottom = Levels.EMPTY.with(Levels.LAST, List.of(dense));
    assertNull(picker.leveled(0, bottom, 0, 1), "a snapshot needs it: rewritten for nothing");
    assertNotNull(picker.leveled(0, bottom, 0, Long.MAX_VALUE));
  }

  @Test
  void tieredCompactionsTakeNeighboursInAgeAndSettle() throws IOException {
    Levels levels = Levels.EMPTY;
    for (int step = 0; step < 300; step++) {
      int from = random.nextInt(500);
      levels = prepend(levels, table(from, from + 1 + random.nextInt(60), 0));
      CompactionPicker.Plan plan;
      while ((plan = CompactionPicker.tiered(0, levels, 0, 0)) != null) {
        List<Table> all = Arrays.asList(levels.level(0));
        int at = all.indexOf(plan.inputs().getFirst());
        assertEquals(all.subList(at, at + plan.inputs().size()), plan.inputs());
        assertEquals(at + plan.inputs().size() == all.size(), plan.last());
        levels = apply(levels, plan, made(plan));
      }
    }
    assertTrue(levels.level(0).length < 30, "tables pile up: " + levels.level(0).length);
  }

  @Test
  void fifoDropsTheOldestBeyondItsBoundOrAge() throws IOException {
    Levels levels = Levels.EMPTY;
    for (int step = 0; step < 40; step++) {
      levels = prepend(levels, table(step, step + 20, 0));
      CompactionPicker.Plan plan = CompactionPicker.fifo(0, levels, 500, 1000, 9000);
      if (plan != null) {
        assertTrue(plan.drop());
        List<Table> all = Arrays.asList(levels.level(0));
        assertEquals(all.subList(all.size() - plan.inputs().size(), all.size()), plan.inputs());
        levels = levels.without(plan.inputs());
      }
      assertTrue(levels.bytes(0) <= 9000);
    }
    CompactionPicker.Plan plan = CompactionPicker.fifo(0, levels, 1000, 1000, 9000);
    assertEquals(levels.level(0).length, plan.inputs().size());
  }

  @Test
  void aTimeToLiveBeyondAllTimeKeepsATable() throws IOException {
    Levels levels = Levels.EMPTY.with(0, List.of(table(0, 10, 0)));
    for (long ttl : new long[] {Long.MAX_VALUE, Long.MAX_VALUE - 1_000, 1_000}) {
      long created = levels.level(0)[0].properties.createdMillis();
      assertNull(CompactionPicker.fifo(0, levels, created + 999, ttl, 0), "after " + ttl);
      boolean old = CompactionPicker.fifo(0, levels, created + 1_000, ttl, 0) != null;
      assertEquals(ttl == 1_000, old);
    }
  }
}
