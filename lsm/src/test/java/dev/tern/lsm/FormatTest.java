package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.Logs;
import dev.tern.lsm.log.NamedLog;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.table.RunCursor;
import dev.tern.lsm.table.Table;
import dev.tern.lsm.table.TableWriter;
import dev.tern.testing.Golden;
import dev.tern.world.Hostile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The bytes of each file format, as this version writes them and as the files committed beside the
/// tests have them. A format that changes gets a new version and a new file; the old file stays, as
/// long as this version shall read it.
///
/// `-Dgolden.write=DIRECTORY` writes the files instead: HACKING.md has the command.
@SuppressWarnings("JUnitMethodInvoked")
class FormatTest {
  private static final FileLife LIFE = new FileLife(0x1234_5678_9abc_def0L, 0x0fed_cba9_8765_4321L);

  private final MemoryFiles files = new MemoryFiles();

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  private static ColumnFamily family(int id, String name, FamilyOptions options) {
    return new ColumnFamily(FormatTest.class, id, name, options);
  }

  private static Manifest.Named named(int number) {
    return new Manifest.Named(
        number,
        life(number),
        100L * number,
        number * 0x9e3779b9,
        number == 501 ? 70_001 : 0,
        Entries.properties(Entries.key(number)));
  }

  private static NamedLog log(long number, long forcedBytes) {
    return new NamedLog(number, life(number), forcedBytes);
  }

  private static FileLife life(long number) {
    return new FileLife(number, ~number);
  }

  private static List<WriteBatch> batches() {
    ColumnFamily data = family(0, "data", FamilyOptions.DEFAULT);
    ColumnFamily other = family(1, "other", FamilyOptions.DEFAULT);
    List<WriteBatch> batches = new ArrayList<>();
    batches.add(new WriteBatch().put(data, bytes("key"), bytes("value")));
    batches.add(
        new WriteBatch()
            .delete(data, bytes("key"))
            .put(other, bytes("expiring"), bytes("soon"), 1_800_000_000_000L)
            .deleteRange(other, bytes("a"), bytes("b")));
    batches.add(new WriteBatch().put(data, bytes("long"), new byte[LogFile.BLOCK_BYTES]));
    return batches;
  }

  private static String shown(ByteReader in) {
    StringBuilder text = new StringBuilder();
    BatchEntries entries = new BatchEntries();
    while (in.remaining() > 0) {
      entries.begin(in);
      while (entries.next()) {
        text.append(
            "%d %s %d %s %d;"
                .formatted(
                    entries.sequence,
                    Kind.name(entries.kind),
                    entries.family,
                    new String(entries.key(), US_ASCII),
                    entries.valueLength));
      }
    }
    return text.toString();
  }

  @Test
  void logsOfVersion3() throws IOException {
    Logs writer = new Logs(LIFE, files.create("store/000007.log"));
    long sequence = 0;
    for (WriteBatch batch : batches()) {
      byte[] encoded = batch.encoded(sequence + 1).toByteArray();
      sequence += batch.entries();
      writer.add(encoded, sequence);
      if (sequence != 1) {
        writer.force();
      }
    }
    writer.end();
    byte[] wanted = Golden.of("log-3", files.bytes("store/000007.log"));
    assertArrayEquals(wanted, files.bytes("store/000007.log"));

    files.put("golden/000007.log", wanted);
    List<String> groups = new ArrayList<>();
    LogFile.Ending ending =
        LogFile.read(files, "golden/000007.log", LIFE, entry -> groups.add(shown(entry)));
    assertEquals(
        List.of(
            "1 put 0 key 5;2 delete 0 key 0;3 expiring put 1 expiring 12;4 range delete 1 a 1;",
            "5 put 0 long 32768;"),
        groups);
    assertTrue(ending.clean() && ending.synced());
  }

  private static List<Entries.Entry> entries() {
    List<Entries.Entry> entries = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      boolean deleted = i % 10 == 3;
      byte[] value = deleted ? new byte[0] : bytes("value " + "=".repeat(i % 50));
      entries.add(
          new Entries.Entry(Entries.key(i / 2), 1000 - i, deleted ? Kind.DELETE : Kind.PUT, value));
    }
    byte[] expiring = new byte[12];
    Keys.LONG.set(expiring, 0, 1_800_000_000_000L);
    entries.add(new Entries.Entry(bytes("z"), 7, Kind.EXPIRING_PUT, expiring));
    return entries;
  }

  @Test
  void tablesOfVersion4() throws IOException {
    // Compressed bytes belong to the libraries: they are read back, and written by this version in
    // the plain form only.
    for (Compression compression : Compression.values()) {
      String name = "table-4-" + compression.toString().toLowerCase(java.util.Locale.ROOT);
      TableWriter writer =
          new TableWriter(
              files.create("store/" + name),
              LIFE,
              512,
              64,
              10,
              compression.ordinal(),
              MemoryAccount.unbounded());
      Entries cursor = new Entries(entries());
      for (cursor.seek(null); cursor.valid; cursor.next()) {
        writer.add(cursor, cursor.sequence, cursor.kind);
      }
      writer.add(new RangeTombstones.Range(bytes("key-0100"), bytes("key-0110"), 2000));
      writer.finish(1_790_000_000_000L, true);
      byte[] wanted = Golden.of(name, files.bytes("store/" + name));
      if (compression == Compression.NONE) {
        assertArrayEquals(wanted, files.bytes("store/" + name));
      }
      files.put("golden/" + name, wanted);
      for (String path : List.of("store/" + name, "golden/" + name)) {
        assertReads(path, cursor.list());
      }
    }
  }

  private void assertReads(String path, List<Entries.Entry> wanted) throws IOException {
    Epochs<?> epochs = new Epochs<>(Object::new);
    Table table = Table.open(Entries.open(files, new BlockCache(1 << 20, epochs), epochs), path, 1);
    table.verify();
    RunCursor cursor = new RunCursor(epochs, new Table[] {table}, true);
    cursor.seek(null);
    for (Entries.Entry entry : wanted) {
      assertArrayEquals(entry.key(), cursor.keyCopy());
      assertEquals(entry.sequence(), cursor.sequence);
      assertEquals(entry.kind(), cursor.kind);
      assertArrayEquals(entry.value(), cursor.valueCopy());
      cursor.next();
    }
    assertTrue(!cursor.valid);
    cursor.close();
    byte[] key = bytes("key-0105");
    assertEquals(2000, table.tombstones.covering(key, 0, key.length, Long.MAX_VALUE));
    assertEquals(1_800_000_000_000L, table.properties.lastExpiry());
    assertEquals(30, table.properties.deletes());
    table.close();
  }

  @Test
  void manifestsOfVersion8() throws IOException {
    ColumnFamily data = family(0, "data", FamilyOptions.DEFAULT);
    ColumnFamily recent =
        family(1, "recent", new FamilyOptions(CompactionStyle.FIFO, Compression.ZSTD, 60_000, 9));
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(1)));
    manifest.roll(new Manifest.Edit(2, 1, 0, List.of(), List.of(data.named()), List.of(), null), 1);
    List<Manifest.Staged> staged =
        List.of(
            new Manifest.Staged("move 7", 1, named(600)),
            new Manifest.Staged("move 8", 0, named(601)));
    manifest.append(
        new Manifest.Edit(3, 1, 0, List.of(log(1, 0)), List.of(recent.named()), List.of(), null));
    manifest.append(
        new Manifest.Edit(
            900,
            300,
            70_000,
            List.of(log(300, 77_000), log(302, 0)),
            List.of(),
            List.of(
                new Manifest.LevelChange(0, 6, List.of(named(12), named(500))),
                new Manifest.LevelChange(1, 0, List.of(named(501)))),
            staged));
    manifest.append(
        new Manifest.Edit(901, 300, 70_001, List.of(log(302, 0)), List.of(), List.of(), null));
    byte[] wanted = Golden.of("manifest-8", files.bytes("store/MANIFEST-000001"));
    assertArrayEquals(wanted, files.bytes("store/MANIFEST-000001"));
    Manifest.Current current = Manifest.current(files, "store");
    assertEquals(
        "MANIFEST-000001 " + current.life() + "\n",
        new String(files.bytes("store/CURRENT"), US_ASCII));
    assertEquals(
        current.life(), FileHeader.decode(FileKind.MANIFEST, wanted, wanted.length).life());

    List<Manifest.Edit> edits = new ArrayList<>();
    Manifest.State state = Manifest.decode("golden", wanted, (offset, edit) -> edits.add(edit));
    Manifest again = new Manifest(files, "again", FileLives.of(Randomness.of(1)));
    again.roll(edits.removeFirst(), 1);
    for (Manifest.Edit edit : edits) {
      again.append(edit);
    }
    assertArrayEquals(wanted, files.bytes("again/MANIFEST-000001"));
    assertEquals(List.of(data.named(), recent.named()), state.families);
    assertEquals(List.of(named(12), named(500)), state.level(0, 6));
    assertEquals(List.of(named(501)), state.level(1, 0));
    assertEquals(staged, state.staged);
    assertEquals(901, state.nextFile);
    assertEquals(300, state.firstLog);
    assertEquals(70_001, state.flushedSequence);
    assertEquals(List.of(log(302, 0)), state.logs);
  }

  @Test
  void theFileThatNamesTheManifest() throws IOException {
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(1)));
    manifest.roll(new Manifest.Edit(3, 1, 0, List.of(), List.of(), List.of(), null), 12);
    byte[] made = files.bytes("store/CURRENT");
    byte[] wanted = Golden.of("current", made);
    assertArrayEquals(wanted, made);
    Manifest.Current current = Manifest.decodeCurrent("CURRENT", wanted);
    assertEquals("MANIFEST-000012", current.name());
    byte[] bytes = files.bytes("store/MANIFEST-000012");
    assertEquals(FileHeader.decode(FileKind.MANIFEST, bytes, bytes.length).life(), current.life());
    Hostile hostile =
        new Hostile(
            each -> Manifest.decodeCurrent("CURRENT", each), 1 << 20, CorruptionException.class);
    hostile.all(wanted);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  @Test
  void filesOfEarlierVersionsAreRefusedByTheirVersion() throws IOException {
    for (int version = 3; version <= 7; version++) {
      byte[] earlier = Golden.read("manifest-" + version);
      String message =
          assertThrows(
                  CorruptionException.class,
                  () -> Manifest.decode("m", earlier, (offset, edit) -> {}))
              .getMessage();
      assertTrue(message.contains("a manifest of format " + version), message);
      assertTrue(message.contains("reads 8") && message.contains("use the version"), message);
    }
    String message = "";
    for (int version = 2; version <= 3; version++) {
      files.put("store/000001.table", Golden.read("table-" + version + "-none"));
      message = assertThrows(CorruptionException.class, this::openTable).getMessage();
      String wanted = "a table of format %d; this version of Tern reads 4".formatted(version);
      assertTrue(message.contains(wanted), message);
    }
    files.put("store/000001.log", Golden.read("log-2"));
    message =
        assertThrows(
                CorruptionException.class,
                () -> LogFile.read(files, "store/000001.log", null, entry -> {}))
            .getMessage();
    assertTrue(message.contains("of an earlier format"), message);
  }

  private void openTable() throws IOException {
    BlockCache cache = new BlockCache(0, new Epochs<>(Object::new));
    Table.open(Entries.open(files, cache), "store/000001.table", 1).close();
  }

  /// What a header says decides before anything else is read.
  @Test
  void filesOfAnotherKindOrALaterVersionAreRefusedByName() throws IOException {
    for (FileKind kind : FileKind.values()) {
      for (int later = 0; later < 2; later++) {
        FileHeader header = new FileHeader(kind, kind.format() + later, LIFE);
        files.put("store/000001.log", header.toBytes());
        if (kind == FileKind.LOG && later == 0) {
          LogFile.read(files, "store/000001.log", LIFE, entry -> {});
          continue;
        }
        String message =
            assertThrows(
                    CorruptionException.class,
                    () -> LogFile.read(files, "store/000001.log", null, entry -> {}))
                .getMessage();
        assertTrue(message.contains("a " + kind.noun()), message);
      }
    }
  }

  @Test
  void filesOfVersionsNotKnownHereAreRefused() throws IOException {
    tablesOfVersion4();
    byte[] table = files.bytes("golden/table-4-none");
    for (int at = table.length - 16; at < table.length; at++) {
      byte[] changed = Arrays.copyOf(table, table.length);
      changed[at]++;
      files.put("store/changed", changed);
      assertThrows(
          CorruptionException.class,
          () ->
              Table.open(
                  Entries.open(files, new BlockCache(0, new Epochs<>(Object::new))),
                  "store/changed",
                  1));
    }
  }
}
