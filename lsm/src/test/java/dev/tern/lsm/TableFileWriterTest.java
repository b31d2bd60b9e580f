package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.env.Randomness;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.table.BlockLookup;
import dev.tern.lsm.table.OpenTables;
import dev.tern.lsm.table.RunCursor;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Tables that are written outside a store.
class TableFileWriterTest {
  private static final byte[] VALUE = Bed.bytes("value");

  private final Bed bed = new Bed(7);

  private static byte[] key(int number) {
    return Bed.bytes("key-%04d".formatted(number));
  }

  private TableFileWriter writer() throws IOException {
    bed.disk.createDirectories("outside");
    return TableFileWriter.create(
        bed.disk, bed.clock, Randomness.of(1), "outside/t", FamilyOptions.DEFAULT);
  }

  @Test
  void aTableHoldsWhatWasPut() throws IOException {
    try (TableFileWriter writer = writer()) {
      for (int i = 0; i < 1000; i++) {
        if (i % 3 == 0) {
          writer.put(key(i), VALUE, 1000 + i);
        } else {
          writer.put(key(i), VALUE);
        }
      }
      writer.finish();
      assertEquals(1000, writer.entries());
      assertThrows(IllegalStateException.class, writer::finish);
    }
    Epochs<BlockLookup> epochs = new Epochs<>(BlockLookup::new);
    BlockCache cache = new BlockCache(1 << 16, epochs);
    Table table =
        Table.open(
            new OpenTables(bed.disk, cache, new NativeMemory(), epochs, 1, 0), "outside/t", 1);
    table.verify();
    assertEquals(0, table.properties.largestSequence());
    assertEquals(1000, table.properties.firstExpiry());
    assertEquals(1999, table.properties.lastExpiry());
    RunCursor rows = new RunCursor(epochs, new Table[] {table}, false);
    int found = 0;
    for (rows.seek(null); rows.valid; rows.next()) {
      assertArrayEquals(key(found), rows.keyCopy());
      assertEquals(found % 3 == 0 ? Kind.EXPIRING_PUT : Kind.PUT, rows.kind);
      found++;
    }
    assertEquals(1000, found);
    rows.close();
    table.close();
    cache.close();
  }

  @Test
  void theWriterRefusesKeysOutOfOrderAndLeavesNoFileUnfinished() throws IOException {
    TableFileWriter writer = writer();
    assertThrows(IllegalStateException.class, writer::finish);
    writer.put(key(2), VALUE);
    assertThrows(IllegalArgumentException.class, () -> writer.put(key(2), VALUE));
    assertThrows(IllegalArgumentException.class, () -> writer.put(key(1), VALUE));
    writer.put(key(3), VALUE, 1);
    assertEquals(2, writer.entries());
    writer.close();
    writer.close();
    assertEquals(List.of(), bed.disk.list("outside"));
    assertThrows(IllegalStateException.class, () -> writer.put(key(4), VALUE));
  }
}
