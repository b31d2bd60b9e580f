package dev.tern.lsm.table;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileLife;
import dev.tern.lsm.Entries;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.epoch.Epochs;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A table's filter lies in parts, which come to memory and go one by one.
class TableFiltersTest {
  private static final int KEYS = 4000;
  private static final int PART_BYTES = 256;

  private final MemoryFiles files = new MemoryFiles();
  private final Epochs<?> epochs = new Epochs<>(Object::new);
  private final BlockCache cache = new BlockCache(1 << 20, epochs);

  /// Of every other key.
  private Table table(long mostBytes) throws IOException {
    return table(new OpenTables(files, cache, new NativeMemory(), epochs, 1, mostBytes), 1);
  }

  private Table table(OpenTables open, long number) throws IOException {
    List<Entries.Entry> entries = new ArrayList<>();
    for (int i = 0; i < KEYS; i++) {
      entries.add(new Entries.Entry(Entries.key(2 * i), 10, Kind.PUT, new byte[5]));
    }
    TableWriter writer =
        new TableWriter(
            files.create("store/" + number),
            new FileLife(1, number),
            256,
            PART_BYTES,
            10,
            0,
            MemoryAccount.unbounded());
    Entries cursor = new Entries(entries);
    for (cursor.seek(null); cursor.valid; cursor.next()) {
      writer.add(cursor, cursor.sequence, cursor.kind);
    }
    writer.finish(0, true);
    return Table.open(open, "store/" + number, number);
  }

  /// How many of the keys the filter denies: of those that are there, none; of the others, most.
  private int denied(Table table, int first) throws IOException {
    int denied = 0;
    BlockLookup lookup = new BlockLookup();
    for (int i = first; i < 2 * KEYS; i += 2) {
      lookup.begin(Entries.key(i), Keys.hash(Entries.key(i)), Long.MAX_VALUE, true);
      Epochs.Reader<?> inside = epochs.enter();
      lookup.enter(inside, () -> {});
      denied += table.reader(inside).mayContain(lookup) ? 0 : 1;
      assertEquals(first == 0 ? Lookup.FOUND : Lookup.ABSENT, table.find(lookup), "key " + i);
      lookup.end();
      inside.exit();
    }
    return denied;
  }

  @Test
  void eachPartKnowsItsKeys() throws IOException {
    Table table = table(1 << 20);
    assertEquals(0, denied(table, 0));
    assertTrue(denied(table, 1) > KEYS * 95 / 100, "denied: " + denied(table, 1));
    Epochs.Reader<?> inside = epochs.enter();
    int parts = table.reader(inside).filters.length;
    inside.exit();
    assertEquals((KEYS + 203) / 204, parts);
    table.verify();
    table.close();
    epochs.reclaim();
    assertEquals(0, cache.blocks().memory().held(MemoryPart.INDEXES));
  }

  /// With room for some parts only, answers are right, some are had without a block, and the room
  /// is kept to.
  @Test
  void partsWithoutRoomSayNothing() throws IOException {
    Table whole = table(1 << 20);
    Epochs.Reader<?> inside = epochs.enter();
    long without = whole.reader(inside).bytes;
    inside.exit();
    int all = denied(whole, 1);
    whole.close();
    epochs.reclaim();
    files.delete("store/1");
    long most = without + 4 * (PART_BYTES + 1);
    Table table = table(most);
    assertEquals(0, denied(table, 0));
    int some = denied(table, 1);
    assertTrue(some > KEYS / 2 && some < all, "denied: " + some + " of " + all);
    epochs.reclaim();
    assertTrue(
        cache.blocks().memory().held(MemoryPart.INDEXES) <= most,
        cache.blocks().memory().held(MemoryPart.INDEXES) + " of " + most);
    assertTrue(
        cache.blocks().memory().held(MemoryPart.INDEXES) > without, "no part came to memory");
    table.close();
    epochs.reclaim();
    assertEquals(0, cache.blocks().memory().held(MemoryPart.INDEXES));
  }

  /// Nobody would ever forget it.
  @Test
  void aFilterForAReaderThatIsForgottenStaysNoLongerThanThat() throws IOException {
    OpenTables open = new OpenTables(files, cache, new NativeMemory(), epochs, 1, 1 << 20);
    Table first = table(open, 1);
    Table second = table(open, 2);
    BlockLookup lookup = new BlockLookup();
    lookup.begin(Entries.key(0), Keys.hash(Entries.key(0)), Long.MAX_VALUE, true);
    Epochs.Reader<?> inside = epochs.enter();
    TableReader reader = first.reader(inside);
    Epochs.Reader<?> other = epochs.enter();
    second.reader(other);
    other.exit();
    lookup.enter(inside, () -> {});
    assertEquals(1, open.openFiles(), "the first is not forgotten");
    assertTrue(reader.mayContain(lookup));
    inside.exit();
    epochs.reclaim();
    Epochs.Reader<?> again = epochs.enter();
    long held = cache.blocks().memory().held(MemoryPart.INDEXES);
    assertEquals(second.reader(again).bytes, held, "the filter is held");
    again.exit();
    first.close();
    second.close();
    epochs.reclaim();
    assertEquals(0, cache.blocks().memory().held(MemoryPart.INDEXES));
  }

  /// What the writing of a table holds of its filter does not grow with the table.
  @Test
  void theHashesOfAPartUseTheSameMemory() {
    Bloom.Hashes hashes = new Bloom.Hashes();
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 40_000; i++) {
        hashes.add(i * 0x9e3779b97f4a7c15L);
      }
      assertEquals(40_000, hashes.count());
      assertEquals(3, hashes.pieces());
      assertEquals(40_000 / 64 * 64 * 10 / 8, Bloom.build(hashes, 10).length, 128);
      hashes.clear();
    }
  }
}
