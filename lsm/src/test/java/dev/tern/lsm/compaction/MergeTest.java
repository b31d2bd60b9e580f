package dev.tern.lsm.compaction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileLife;
import dev.tern.lsm.Entries;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.table.OpenTables;
import dev.tern.lsm.table.RunCursor;
import dev.tern.lsm.table.Table;
import dev.tern.lsm.table.TableWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/// What a merge keeps answers, at every snapshot and now, as what it was made from.
class MergeTest {
  private static final long WALL = 1_000_000;

  private final MemoryFiles files = new MemoryFiles();
  private final Epochs<?> epochs = new Epochs<>(Object::new);
  private final BlockCache cache = new BlockCache(0, epochs);
  private final OpenTables open = Entries.open(files, cache, epochs);

  private final class Outputs implements Merge.Outputs {
    final List<Table> tables = new ArrayList<>();
    private int number;
    private final int run;

    Outputs(int run) {
      this.run = run;
    }

    private String path() {
      return "store/%d-%d".formatted(run, number);
    }

    @Override
    public TableWriter begin() throws IOException {
      number++;
      return new TableWriter(files.create(path()), new FileLife(1, 1), 128, 10, 0);
    }

    @Override
    public void end(TableWriter writer) throws IOException {
      writer.finish(0, true);
      tables.add(Table.open(open, path(), number));
    }

    @Override
    public void pace(long bytes) {
      assertTrue(bytes >= 0);
    }
  }

  /// The value a reader of a sequence sees; null for none.
  private static byte[] seen(
      List<Entries.Entry> entries, List<RangeTombstones.Range> ranges, byte[] key, long most) {
    Entries.Entry newest = null;
    for (Entries.Entry entry : entries) {
      if (Arrays.equals(entry.key(), key)
          && entry.sequence() <= most
          && (newest == null || entry.sequence() > newest.sequence())) {
        newest = entry;
      }
    }
    if (newest == null || newest.kind() == Kind.DELETE) {
      return null;
    }
    for (RangeTombstones.Range range : ranges) {
      if (range.sequence() <= most
          && range.sequence() > newest.sequence()
          && Keys.compare(range.from(), key) <= 0
          && Keys.compare(key, range.to()) < 0) {
        return null;
      }
    }
    boolean expired =
        newest.kind() == Kind.EXPIRING_PUT && (long) Keys.LONG.get(newest.value(), 0) <= WALL;
    return expired ? null : newest.value();
  }

  private byte[] found(List<Table> tables, byte[] key, long most) throws IOException {
    List<Entries.Entry> entries = new ArrayList<>();
    List<RangeTombstones.Range> ranges = new ArrayList<>();
    for (Table table : tables) {
      RunCursor cursor = new RunCursor(epochs, new Table[] {table}, false);
      for (cursor.seek(null); cursor.valid; cursor.next()) {
        entries.add(
            new Entries.Entry(cursor.keyCopy(), cursor.sequence, cursor.kind, cursor.valueCopy()));
      }
      cursor.close();
      ranges.addAll(table.tombstones.ranges());
    }
    return seen(entries, ranges, key, most);
  }

  private static Entries.Entry entry(Random random, byte[] key, long sequence) {
    int kind = new int[] {Kind.PUT, Kind.DELETE, Kind.EXPIRING_PUT, Kind.PUT}[random.nextInt(4)];
    byte[] value = new byte[kind == Kind.DELETE ? 0 : 8 + random.nextInt(20)];
    random.nextBytes(value);
    if (kind == Kind.EXPIRING_PUT) {
      Keys.LONG.set(value, 0, WALL + random.nextInt(3) - 1);
    }
    return new Entries.Entry(key, sequence, kind, value);
  }

  @Test
  void everySnapshotSeesWhatItSaw() throws IOException {
    Random random = new Random(7);
    for (int run = 0; run < 300; run++) {
      List<Entries.Entry> entries = new ArrayList<>();
      List<RangeTombstones.Range> ranges = new ArrayList<>();
      int last = 1 + random.nextInt(120);
      for (long sequence = 1; sequence <= last; sequence++) {
        byte[] key = Entries.key(random.nextInt(12));
        byte[] to = Entries.key(random.nextInt(12));
        if (random.nextInt(8) > 0) {
          entries.add(entry(random, key, sequence));
        } else if (Keys.compare(key, to) < 0) {
          ranges.add(new RangeTombstones.Range(key, to, sequence));
        }
      }
      TreeSet<Long> snapshots = new TreeSet<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        snapshots.add((long) random.nextInt(last + 1));
      }
      boolean isLast = random.nextBoolean();
      Outputs outputs = new Outputs(run);
      long[] stripes = snapshots.stream().mapToLong(Long::longValue).toArray();
      RangeTombstones tombstones = RangeTombstones.of(ranges);
      new Merge(new Entries(entries), tombstones, stripes, isLast, WALL, 256, outputs).run();
      snapshots.add(Long.MAX_VALUE);
      for (long most : snapshots) {
        for (int i = 0; i < 12; i++) {
          byte[] key = Entries.key(i);
          assertArrayEquals(
              seen(entries, ranges, key, most), found(outputs.tables, key, most), "run " + run);
        }
      }
      assertLittleIsKept(outputs.tables, snapshots.size(), isLast && stripes.length == 0);
      for (Table table : outputs.tables) {
        table.verify();
        table.close();
      }
    }
    epochs.reclaim();
    assertEquals(0, cache.blocks().memory().held(MemoryPart.INDEXES));
  }

  private void assertLittleIsKept(List<Table> tables, int stripes, boolean all) {
    long entries = tables.stream().mapToLong(table -> table.properties.entries()).sum();
    assertTrue(entries <= 12L * stripes, "more than a version a snapshot and key: " + entries);
    if (all) {
      assertEquals(0, tables.stream().mapToLong(table -> table.properties.deletes()).sum());
      assertEquals(0, tables.stream().mapToLong(table -> table.properties.rangeDeletes()).sum());
      assertTrue(
          tables.stream().allMatch(table -> table.properties.largestSequence() == 0),
          "a sequence that nobody needs is kept");
    }
    for (int i = 1; i < tables.size(); i++) {
      assertTrue(
          Keys.compare(tables.get(i - 1).properties.upper(), tables.get(i).properties.smallest())
              <= 0,
          "tables overlap");
    }
  }
}
