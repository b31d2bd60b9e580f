package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ManifestTest {
  private final MemoryFiles files = new MemoryFiles();

  private static Manifest.Edit edit(long number, List<ColumnFamily> families, long tables) {
    List<Manifest.Named> numbers =
        LongStream.range(number, number + tables)
            .mapToObj(each -> new Manifest.Named(each, each * 1000, (int) each * 0x9e3779b9))
            .toList();
    return new Manifest.Edit(
        number + tables,
        number,
        number * 10,
        7,
        List.of(),
        families,
        List.of(new Manifest.LevelChange(0, 0, numbers)));
  }

  @Test
  void aLongManifestIsBegunAnewAndSaysTheSame() throws IOException {
    ColumnFamily family = new ColumnFamily(null, 0, "data", FamilyOptions.DEFAULT);
    Manifest manifest = new Manifest(files, "store");
    assertNull(Manifest.current(files, "store"));
    assertTrue(manifest.wantsRoll());
    manifest.roll(edit(1, List.of(family), 1), 1);
    long number = 2;
    for (; !manifest.wantsRoll(); number++) {
      assertTrue(number < 1000, "it grows without end");
      manifest.append(edit(number, List.of(), 1000));
    }
    Manifest.State before = Manifest.load(files, "store/MANIFEST-000001", (at, edit) -> {});
    manifest.roll(
        new Manifest.Edit(
            before.nextFile,
            before.firstLog,
            before.flushedSequence,
            before.life,
            before.logs,
            before.families,
            List.of(new Manifest.LevelChange(0, 0, before.level(0, 0)))),
        number);
    assertFalse(manifest.wantsRoll());
    String current = "store/" + Manifest.current(files, "store");
    assertEquals("store/MANIFEST-%06d".formatted(number), current);
    Manifest.State after = Manifest.load(files, current, (at, edit) -> {});
    assertEquals(before.tables, after.tables);
    assertEquals(before.families, after.families);
    assertEquals(before.firstLog, after.firstLog);
    assertEquals(before.flushedSequence, after.flushedSequence);
    manifest.close();
  }

  @Test
  void aTornLastEditDoesNotCountAndABrokenEarlierOneIsCorruption() throws IOException {
    ColumnFamily family = new ColumnFamily(null, 0, "data", FamilyOptions.DEFAULT);
    Manifest manifest = new Manifest(files, "store");
    manifest.roll(edit(1, List.of(family), 1), 1);
    manifest.append(edit(2, List.of(), 3));
    int second = files.bytes("store/MANIFEST-000001").length;
    manifest.append(edit(3, List.of(), 2));
    byte[] all = files.bytes("store/MANIFEST-000001");
    for (int length = second; length < all.length; length++) {
      byte[] cut = java.util.Arrays.copyOf(all, length);
      assertEquals(20, Manifest.decode("m", cut, (at, edit) -> {}).flushedSequence);
    }
    for (int at = 0; at < second; at++) {
      byte[] flipped = all.clone();
      flipped[at] ^= 1;
      IOException e =
          assertThrows(
              CorruptionException.class, () -> Manifest.decode("m", flipped, (o, edit) -> {}));
      assertTrue(e.getMessage().startsWith("m is corrupt at offset "), e::toString);
    }
  }
}
