package dev.tern.lsm.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class ManifestTest {
  private final MemoryFiles files = new MemoryFiles();

  private static Manifest.Edit edit(long number, List<Manifest.Family> families, long tables) {
    List<Manifest.Named> numbers =
        LongStream.range(number, number + tables)
            .mapToObj(
                each ->
                    new Manifest.Named(
                        each, new FileLife(each, ~each), each * 1000, (int) each * 0x9e3779b9))
            .toList();
    return new Manifest.Edit(
        number + tables,
        number,
        number * 10,
        List.of(),
        families,
        List.of(new Manifest.LevelChange(0, 0, numbers)));
  }

  private Manifest.Current current() throws IOException {
    return Objects.requireNonNull(Manifest.current(files, "store"));
  }

  @Test
  void aLongManifestIsBegunAnewAndSaysTheSame() throws IOException {
    Manifest.Family family = new Manifest.Family(0, "data", 1, 1, 0, 0);
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(1)));
    assertNull(Manifest.current(files, "store"));
    assertTrue(manifest.wantsRoll());
    manifest.roll(edit(1, List.of(family), 1), 1);
    long number = 2;
    for (; !manifest.wantsRoll(); number++) {
      assertTrue(number < 1000, "it grows without end");
      manifest.append(edit(number, List.of(), 1000));
    }
    Manifest.State before = Manifest.load(files, "store", current(), (at, edit) -> {});
    manifest.roll(
        new Manifest.Edit(
            before.nextFile,
            before.firstLog,
            before.flushedSequence,
            before.logs,
            before.families,
            List.of(new Manifest.LevelChange(0, 0, before.level(0, 0)))),
        number);
    assertFalse(manifest.wantsRoll());
    assertEquals("MANIFEST-%06d".formatted(number), current().name());
    Manifest.State after = Manifest.load(files, "store", current(), (at, edit) -> {});
    assertEquals(before.tables, after.tables);
    assertEquals(before.families, after.families);
    assertEquals(before.firstLog, after.firstLog);
    assertEquals(before.flushedSequence, after.flushedSequence);
    manifest.close();
  }

  @Test
  void aTornLastEditDoesNotCountAndABrokenEarlierOneIsCorruption() throws IOException {
    Manifest.Family family = new Manifest.Family(0, "data", 1, 1, 0, 0);
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(1)));
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
