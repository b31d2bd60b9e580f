package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.FileHeader;
import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Files of the store that nobody wrote: cut, changed with and without the right checksums, and
/// random. Each is read or refused as corrupt.
@Timeout(120)
class HostileFilesTest {
  private static final FileLife LIFE = new FileLife(0x0123_4567_89ab_cdefL, 77);

  private final MemoryFiles files = new MemoryFiles();

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  private static int crc(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return (int) crc.getValue();
  }

  private static void mendHeader(byte[] bytes) {
    int at = FileHeader.BYTES - 4;
    ByteBuffer.wrap(bytes).putInt(at, crc(bytes, 0, at));
  }

  // ---- logs

  private byte[] log(int valueBytes) throws IOException {
    ColumnFamily data = new ColumnFamily(null, 0, "data", FamilyOptions.DEFAULT);
    String path = "store/%d.log".formatted(valueBytes);
    LogFile.Writer writer = LogFile.Writer.begin(7, LIFE, files.create(path));
    long sequence = 0;
    for (int i = 0; i < 6; i++) {
      WriteBatch batch =
          new WriteBatch()
              .put(data, bytes("key " + i), new byte[i * valueBytes])
              .delete(data, bytes("gone"))
              .put(data, bytes("expiring"), bytes("soon"), 1_800_000_000_000L)
              .deleteRange(data, bytes("a"), bytes("b"));
      byte[] encoded = batch.encoded(sequence + 1).toByteArray();
      sequence += batch.entries();
      writer.add(encoded, encoded.length, sequence);
      if (i % 2 == 0) {
        writer.handOver();
        writer.syncedOffset = writer.handedOver;
      }
    }
    writer.handOver();
    writer.end();
    return files.bytes(path);
  }

  private void readLog(byte[] bytes) throws IOException {
    files.put("store/hostile.log", bytes);
    WriteBatch.Entries entries = new WriteBatch.Entries();
    LogFile.read(
        files,
        "store/hostile.log",
        LIFE,
        entry -> {
          while (entry.remaining() > 0) {
            entries.begin(entry);
            while (entries.next()) {
              assertTrue(entries.key().length + entries.value().length <= bytes.length);
            }
          }
        });
  }

  /// The chunks of a log as they were written: where each begins and ends.
  private static List<int[]> chunks(byte[] good) {
    List<int[]> chunks = new ArrayList<>();
    int at = FileHeader.BYTES;
    while (at + LogFile.HEADER_BYTES <= good.length) {
      int left = LogFile.BLOCK_BYTES - at % LogFile.BLOCK_BYTES;
      if (left < LogFile.HEADER_BYTES) {
        at += left;
        continue;
      }
      int length = new ByteReader(good, at + 4, 2).readUnsignedShort();
      chunks.add(new int[] {at, at + LogFile.HEADER_BYTES + length});
      at += LogFile.HEADER_BYTES + length;
    }
    return chunks;
  }

  private static void mendLog(List<int[]> chunks, byte[] bytes, int changed) {
    mendHeader(bytes);
    for (int[] chunk : chunks) {
      if (chunk[1] > changed && chunk[0] < changed + 9) {
        ByteBuffer.wrap(bytes).putInt(chunk[0], crc(bytes, chunk[0] + 4, chunk[1]));
      }
    }
  }

  @Test
  void logs() throws IOException {
    byte[] good = log(3);
    readLog(good);
    Hostile hostile = new Hostile(this::readLog, 1 << 20, CorruptionException.class);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 4, "refused " + hostile.refused());
    List<int[]> chunks = chunks(good);
    Hostile mended = new Hostile(this::readLog, 1 << 20, CorruptionException.class);
    mended.each(good, (bytes, changed) -> mendLog(chunks, bytes, changed));
    assertTrue(mended.refused() > mended.tried() / 4, "refused " + mended.refused());
  }

  /// A log of several blocks, at some of its bytes.
  @Test
  void logsOfEntriesInPieces() throws IOException {
    byte[] good = log(15_000);
    readLog(good);
    List<int[]> chunks = chunks(good);
    Hostile hostile = new Hostile(this::readLog, 4 << 20, CorruptionException.class);
    for (int[] chunk : chunks) {
      for (int at = chunk[0]; at < Math.min(chunk[0] + 40, chunk[1]); at++) {
        for (int change : new int[] {1, 2, 7, 0x80, 0xff}) {
          byte[] bytes = good.clone();
          bytes[at] ^= (byte) change;
          hostile.give(bytes, "byte " + at);
          byte[] mended = bytes.clone();
          mendLog(chunks, mended, at);
          hostile.give(mended, "byte " + at + " with its checksum");
        }
      }
      hostile.give(Arrays.copyOf(good, chunk[1]), "cut behind a chunk");
    }
    assertTrue(hostile.refused() > hostile.tried() / 4, "refused " + hostile.refused());
  }

  // ---- manifests

  private byte[] manifest() throws IOException {
    ColumnFamily data = new ColumnFamily(null, 0, "data", FamilyOptions.DEFAULT);
    FamilyOptions fifo = new FamilyOptions(CompactionStyle.FIFO, Compression.ZSTD, 60_000, 9);
    ColumnFamily recent = new ColumnFamily(null, 1, "recent", fifo);
    List<Manifest.Named> tables =
        List.of(
            new Manifest.Named(12, LIFE, 1200, 1),
            new Manifest.Named(13, new FileLife(3, 4), 9, 2));
    List<Manifest.NamedLog> logs =
        List.of(new Manifest.NamedLog(300, LIFE, 77_000), new Manifest.NamedLog(302, LIFE, 32));
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(3)));
    manifest.roll(new Manifest.Edit(2, 1, 0, List.of(), List.of(data), List.of()), 1);
    manifest.append(new Manifest.Edit(3, 1, 5, logs, List.of(recent), List.of()));
    manifest.append(
        new Manifest.Edit(
            900, 300, 70_000, logs, List.of(), List.of(new Manifest.LevelChange(1, 6, tables))));
    return files.bytes("store/MANIFEST-000001");
  }

  private static void readManifest(byte[] bytes) throws IOException {
    Manifest.State state = Manifest.decode("m", bytes, (at, edit) -> {});
    for (int family = 0; family < state.families.size(); family++) {
      for (int level = 0; level < Levels.COUNT; level++) {
        assertTrue(state.level(family, level).size() < bytes.length);
      }
    }
  }

  private static void mendManifest(byte[] good, byte[] bytes, int changed) {
    mendHeader(bytes);
    for (int at = FileHeader.BYTES; at < good.length; ) {
      int end = at + 8 + new ByteReader(good, at, 4).readInt();
      if (end > changed && at < changed + 9) {
        CRC32C crc = new CRC32C();
        crc.update(bytes, at, 4);
        crc.update(bytes, at + 8, end - at - 8);
        ByteBuffer.wrap(bytes).putInt(at + 4, (int) crc.getValue());
      }
      at = end;
    }
  }

  @Test
  void manifests() throws IOException {
    byte[] good = manifest();
    readManifest(good);
    Hostile hostile =
        new Hostile(HostileFilesTest::readManifest, 1 << 20, CorruptionException.class);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 2, "refused " + hostile.refused());
    Hostile mended =
        new Hostile(HostileFilesTest::readManifest, 1 << 20, CorruptionException.class);
    mended.each(good, (bytes, changed) -> mendManifest(good, bytes, changed));
    assertTrue(mended.refused() > mended.tried() / 8, "refused " + mended.refused());
    Hostile current =
        new Hostile(
            bytes -> Manifest.decodeCurrent("store/CURRENT", bytes),
            1 << 20,
            CorruptionException.class);
    current.all(files.bytes("store/CURRENT"));
    assertTrue(current.refused() > current.tried() / 2, "refused " + current.refused());
  }

  // ---- tables

  private byte[] table(Compression compression) throws IOException {
    String path = "store/" + compression;
    TableWriter writer = new TableWriter(files.create(path), LIFE, 300, 10, compression);
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
    writer.add(new RangeTombstones.Range(bytes("key-0100"), bytes("key-0110"), 2000));
    writer.finish(1_790_000_000_000L, true);
    return files.bytes(path);
  }

  /// Opens a table and walks all of it, both ways, looks up each key, and verifies it: an error
  /// ends one of these and not the others.
  private void readTable(byte[] bytes) throws IOException {
    files.put("store/hostile.table", bytes);
    Epochs epochs = new Epochs();
    NativeMemory buffers = new NativeMemory();
    BlockCache cache = new BlockCache(0, epochs);
    Table table = Table.open(files, "store/hostile.table", 1, cache, buffers);
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

  private static void find(Epochs epochs, Table table, byte[] key) throws IOException {
    Lookup lookup = new Lookup();
    lookup.begin(key, Bloom.hash(key), Long.MAX_VALUE, true);
    Epochs.Reader reader = epochs.enter();
    try {
      if (table.find(lookup) == Lookup.FOUND) {
        lookup.value(WaitingJobs.STOPPED);
      }
    } finally {
      lookup.end();
      reader.exit();
    }
  }

  private static void walk(Epochs epochs, Table table, boolean forward) throws IOException {
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
    Epochs epochs = new Epochs();
    BlockCache cache = new BlockCache(0, epochs);
    Table table = Table.open(files, "store/good.table", 1, cache, new NativeMemory());
    List<int[]> blocks = new ArrayList<>();
    BlockCursor.Handle handle = new BlockCursor.Handle();
    BlockCursor top = new BlockCursor();
    top.open(table.top());
    for (top.first(); top.valid; top.next()) {
      top.handle(handle);
      blocks.add(new int[] {(int) handle.offset, (int) handle.offset + handle.length});
      BlockCursor index = new BlockCursor();
      index.open(table.block(handle.offset, handle.length, true, true, false));
      for (index.first(); index.valid; index.next()) {
        index.handle(handle);
        blocks.add(new int[] {(int) handle.offset, (int) handle.offset + handle.length});
      }
    }
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
    mendHeader(bytes);
    ByteBuffer all = ByteBuffer.wrap(bytes);
    for (int[] block : blocks) {
      if (block[1] > changed && block[0] < changed + 9) {
        all.putInt(block[1] - 4, crc(bytes, block[0], block[1] - 4));
      }
    }
    int footer = bytes.length - Table.FOOTER_BYTES;
    if (changed < footer) {
      all.putInt(footer + 64, crc(bytes, 0, footer));
    }
    all.putInt(footer + 72, crc(bytes, footer, footer + 72));
  }

  @Test
  void tables() throws IOException {
    for (Compression compression : Compression.values()) {
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
