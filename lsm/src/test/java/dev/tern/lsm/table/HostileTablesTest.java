package dev.tern.lsm.table;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.FileLife;
import dev.tern.lsm.Checksums;
import dev.tern.lsm.Entries;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.WaitingJobs;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Tables that nobody wrote: cut, changed with and without the right checksums, and random. Each is
/// read or refused as corrupt.
@Timeout(120)
class HostileTablesTest {
  private static final FileLife LIFE = new FileLife(0x0123_4567_89ab_cdefL, 77);

  private final MemoryFiles files = new MemoryFiles();

  private byte[] table(int compression) throws IOException {
    String path = "store/" + compression;
    TableWriter writer =
        new TableWriter(
            files.create(path), LIFE, 300, 16, 10, compression, MemoryAccount.unbounded());
    List<Entries.Entry> entries = new ArrayList<>();
    for (int i = 0; i < 50; i++) {
      int kind = i % 7 == 3 ? Kind.EXPIRING_PUT : i % 5 == 4 ? Kind.DELETE : Kind.PUT;
      byte[] value = kind == Kind.DELETE ? new byte[0] : new byte[8 + i % 11 * (i == 33 ? 20 : 2)];
      entries.add(new Entries.Entry(Entries.key(i / 2), 1000 - i, kind, value));
    }
    Entries cursor = new Entries(entries);
    for (cursor.seek(null); cursor.valid; cursor.next()) {
      writer.add(cursor, cursor.sequence, cursor.kind);
    }
    writer.add(
        new RangeTombstones.Range(Checksums.bytes("key-0100"), Checksums.bytes("key-0110"), 2000));
    writer.finish(1_790_000_000_000L, true);
    return files.bytes(path);
  }

  /// Opens a table and walks all of it, both ways, looks up each key, and verifies it: an error
  /// ends one of these and not the others.
  private void readTable(byte[] bytes) throws IOException {
    files.put("store/hostile.table", bytes);
    Epochs<?> epochs = new Epochs<>(Object::new);
    BlockCache cache = new BlockCache(0, epochs);
    Table table = Table.open(Entries.open(files, cache, epochs), "store/hostile.table", 1);
    List<CorruptionException> errors = new ArrayList<>();
    tried(errors, () -> walk(epochs, table, true));
    tried(errors, () -> walk(epochs, table, false));
    for (int i = 0; i < 26; i++) {
      byte[] key = Entries.key(i);
      tried(
          errors,
          () -> {
            RunCursor cursor = new RunCursor(epochs, new Table[] {table}, false);
            cursor.seek(key);
            cursor.seekBefore(key);
            cursor.close();
          });
      tried(errors, () -> find(epochs, table, key));
    }
    tried(errors, table::verify);
    table.close();
    cache.close();
    if (!errors.isEmpty()) {
      throw errors.getFirst();
    }
  }

  private interface Attempt {
    void run() throws IOException;
  }

  private static void tried(List<CorruptionException> errors, Attempt attempt) throws IOException {
    try {
      attempt.run();
    } catch (CorruptionException e) {
      errors.add(e);
    }
  }

  private static void find(Epochs<?> epochs, Table table, byte[] key) throws IOException {
    BlockLookup lookup = new BlockLookup();
    lookup.begin(key, Keys.hash(key), Long.MAX_VALUE, true);
    Epochs.Reader<?> reader = epochs.enter();
    lookup.enter(reader, () -> {});
    try {
      if (table.find(lookup) == Lookup.FOUND) {
        lookup.value(WaitingJobs.STOPPED);
      }
    } finally {
      lookup.end();
      reader.exit();
    }
  }

  private static void walk(Epochs<?> epochs, Table table, boolean forward) throws IOException {
    RunCursor cursor = new RunCursor(epochs, new Table[] {table}, false);
    int steps = 0;
    if (forward) {
      cursor.seek(null);
    } else {
      cursor.seekBefore(null);
    }
    while (cursor.valid) {
      assertTrue(++steps < 100_000, "a walk without an end");
      cursor.keyCopy();
      cursor.valueCopy();
      if (forward) {
        cursor.next();
      } else {
        cursor.prev();
      }
    }
    cursor.close();
  }

  /// Where the stored blocks of a table begin and end.
  private static List<int[]> blocks(MemoryFiles files, byte[] good) throws IOException {
    files.put("store/good.table", good);
    Epochs<?> epochs = new Epochs<>(Object::new);
    BlockCache cache = new BlockCache(0, epochs);
    Table table = Table.open(Entries.open(files, cache, epochs), "store/good.table", 1);
    List<int[]> blocks = new ArrayList<>();
    BlockCursor.Handle handle = new BlockCursor.Handle();
    BlockCursor top = new BlockCursor();
    Epochs.Reader<?> inside = epochs.enter();
    top.open(table.reader(inside).top);
    for (top.first(); top.valid; top.next()) {
      top.handle(handle);
      blocks.add(new int[] {(int) handle.offset, (int) handle.offset + handle.length});
      BlockCursor index = new BlockCursor();
      index.open(table.block(handle.offset, handle.length, true, inside, false));
      for (index.first(); index.valid; index.next()) {
        index.handle(handle);
        blocks.add(new int[] {(int) handle.offset, (int) handle.offset + handle.length});
      }
    }
    for (int part = 0; part < table.reader(inside).filters.length; part++) {
      blocks.add(table.reader(inside).filterPlace(part));
    }
    inside.exit();
    table.close();
    cache.close();
    ByteReader footer = new ByteReader(good, good.length - Table.FOOTER_BYTES, 48);
    for (int i = 0; i < 4; i++) {
      int at = (int) footer.readLong();
      blocks.add(new int[] {at, at + footer.readInt()});
    }
    return blocks;
  }

  private static void mendTable(List<int[]> blocks, byte[] bytes, int changed) {
    Checksums.mendHeader(bytes);
    ByteBuffer all = ByteBuffer.wrap(bytes);
    for (int[] block : blocks) {
      if (block[1] > changed && block[0] < changed + 9) {
        all.putInt(block[1] - 4, Checksums.crc(bytes, block[0], block[1] - 4));
      }
    }
    int footer = bytes.length - Table.FOOTER_BYTES;
    if (changed < footer) {
      all.putInt(footer + 64, Checksums.crc(bytes, 0, footer));
    }
    all.putInt(footer + 72, Checksums.crc(bytes, footer, footer + 72));
  }

  @Test
  void tables() throws IOException {
    for (int compression = 0; compression < 3; compression++) {
      byte[] good = table(compression);
      readTable(good);
      List<int[]> blocks = blocks(files, good);
      assertTrue(blocks.size() > 7, "few blocks: " + blocks.size());
      Hostile hostile = new Hostile(this::readTable, 64 << 20, CorruptionException.class);
      hostile.all(good);
      assertTrue(hostile.refused() == hostile.tried(), "a table was taken that nobody wrote");
      Hostile mended = new Hostile(this::readTable, 64 << 20, CorruptionException.class);
      mended.each(good, (bytes, changed) -> mendTable(blocks, bytes, changed));
      assertTrue(mended.refused() > mended.tried() / 8, "refused " + mended.refused());
    }
  }
}
