package dev.tern.lsm.manifest;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileLife;
import dev.tern.env.FileLives;
import dev.tern.env.Randomness;
import dev.tern.lsm.Entries;
import dev.tern.lsm.MemoryFiles;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import java.util.stream.LongStream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class ManifestTest {
  private static final int MARK_BYTES = 8 + 1 + 8;

  private final MemoryFiles files = new MemoryFiles();

  private static Manifest.Edit edit(long number, List<Manifest.Family> families, long tables) {
    List<Manifest.Named> numbers =
        LongStream.range(number, number + tables)
            .mapToObj(
                each ->
                    new Manifest.Named(
                        each,
                        new FileLife(each, ~each),
                        each * 1000,
                        (int) each * 0x9e3779b9,
                        0,
                        Entries.properties(Entries.key((int) each))))
            .toList();
    return new Manifest.Edit(
        number + tables,
        number,
        number * 10,
        List.of(),
        families,
        List.of(new Manifest.LevelChange(0, 0, numbers)),
        null);
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
            List.of(new Manifest.LevelChange(0, 0, before.level(0, 0))),
            null),
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

  /// A manifest that is longer than the bound cannot be opened again.
  @Test
  void anEditThatMakesTheManifestTooLongIsRefusedBeforeItIsWritten() throws IOException {
    int most = 4000;
    Manifest.Family family = new Manifest.Family(0, "data", 1, 1, 0, 0);
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(1)), most);
    String path = "store/MANIFEST-000001";
    manifest.roll(edit(1, List.of(family), 1), 1);
    long number = 2;
    while (manifest.append(edit(number, List.of(), 1), /* optional= */ true)) {
      assertTrue(files.bytes(path).length <= most, "an edit is written beyond the bound");
      number++;
    }
    int optional = files.bytes(path).length;
    assertTrue(manifest.append(edit(number, List.of(), 1), /* optional= */ false));
    while (manifest.append(edit(++number, List.of(), 1))) {
      assertTrue(files.bytes(path).length <= most);
    }
    byte[] before = files.bytes(path);
    assertTrue(optional < before.length && before.length <= most, optional + " " + before.length);
    IOException refused =
        assertThrows(IOException.class, () -> manifest.roll(edit(2, List.of(family), 100), 2));
    assertTrue(refused.getMessage().contains("would be longer than 4000"), refused::toString);
    assertEquals("MANIFEST-000001", current().name());
    assertFalse(manifest.isDoubtful());
    assertEquals(number * 10 - 10, flushed(files.bytes(path)));
    manifest.roll(edit(number, List.of(family), 1), 2);
    assertTrue(manifest.append(edit(number + 1, List.of(), 1)));
    manifest.close();
  }

  private static long flushed(byte[] manifest) throws IOException {
    return Manifest.decode("m", manifest, (at, edit) -> {}).flushedSequence;
  }

  private static void assertRefused(byte[] manifest) {
    IOException e = assertThrows(CorruptionException.class, () -> flushed(manifest));
    assertTrue(e.getMessage().startsWith("m is corrupt at offset "), e::toString);
  }

  /// Edits of flushed sequences 10, 20 and 30.
  ///
  /// @param ends where the file ended behind each
  private byte[] threeEdits(List<Integer> ends) throws IOException {
    Manifest.Family family = new Manifest.Family(0, "data", 1, 1, 0, 0);
    Manifest manifest = new Manifest(files, "store", FileLives.of(Randomness.of(1)));
    manifest.roll(edit(1, List.of(family), 1), 1);
    ends.add(files.bytes("store/MANIFEST-000001").length);
    for (int number = 2; number <= 3; number++) {
      manifest.append(edit(number, List.of(), 5L - number));
      ends.add(files.bytes("store/MANIFEST-000001").length);
    }
    return files.bytes("store/MANIFEST-000001");
  }

  @Test
  void checksumsOfPartsAreThoseOfTheirBytes() {
    Random random = new Random(7);
    byte[] bytes = new byte[3000];
    random.nextBytes(bytes);
    for (int from : new int[] {0, 1, 63, 64, 700}) {
      PartChecksums checksums = new PartChecksums(bytes, from);
      for (int i = 0; i < 3000; i++) {
        int at = from + random.nextInt(bytes.length - from - 8);
        int end = at + 8 + random.nextInt(bytes.length - at - 7);
        CRC32C crc = new CRC32C();
        crc.update(bytes, at, 4);
        crc.update(bytes, at + 8, end - at - 8);
        assertEquals((int) crc.getValue(), checksums.of(at, 4, at + 8, end));
      }
    }
  }

  /// Each byte behind the end may be the first of a record of 16 MiB.
  @Test
  @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
  void whatFollowsATornEndIsLookedThroughOnce() throws IOException {
    List<Integer> ends = new ArrayList<>();
    byte[] all = threeEdits(ends);
    int torn = all.length - MARK_BYTES - 1;
    byte[] tail = Arrays.copyOf(all, 20 << 20);
    Arrays.fill(tail, torn, tail.length, (byte) 1);
    assertEquals(20, flushed(tail));
    // A whole record far behind it.
    int record = ends.get(1) - ends.get(0);
    System.arraycopy(all, ends.get(0), tail, tail.length - record, record);
    assertRefused(tail);
  }

  @Test
  void anEditThatIsNotWholeDoesNotCount() throws IOException {
    List<Integer> ends = new ArrayList<>();
    byte[] all = threeEdits(ends);
    int mark = all.length - MARK_BYTES;
    for (int length = ends.get(1); length <= all.length; length++) {
      assertEquals(
          length < mark ? 20 : 30, flushed(Arrays.copyOf(all, length)), "cut at " + length);
    }
    // What a power cut leaves of an edit whose end is on the disk and whose middle is not.
    for (int from = ends.get(1); from < mark; from++) {
      byte[] torn = Arrays.copyOf(all, mark);
      Arrays.fill(torn, from, mark - 1, (byte) 0);
      torn[from] = (byte) ~all[from];
      assertEquals(20, flushed(torn), "torn at " + from);
    }
  }

  @Test
  void oneFlippedByteLosesNoEditThatWasToldOf() throws IOException {
    List<Integer> ends = new ArrayList<>();
    byte[] all = threeEdits(ends);
    int mark = all.length - MARK_BYTES;
    for (int at = 0; at < all.length; at++) {
      for (int bit = 1; bit < 256; bit <<= 1) {
        byte[] flipped = all.clone();
        flipped[at] ^= (byte) bit;
        // The mark in the middle has a whole edit behind it.
        boolean inMark = at >= mark || at >= ends.get(1) - MARK_BYTES && at < ends.get(1);
        if (!inMark) {
          assertRefused(flipped);
        } else {
          assertEquals(30, flushed(flipped), "flipped at " + at);
        }
      }
    }
  }

  /// A power cut in the fsync of an edit takes the sector with the mark before it.
  @Test
  void aBrokenMarkBeforeAWholeEditIsNoCorruption() throws IOException {
    List<Integer> ends = new ArrayList<>();
    byte[] all = threeEdits(ends);
    int mark = ends.get(1) - MARK_BYTES;
    for (int from = 0; from < MARK_BYTES; from++) {
      for (int to = from + 1; to <= MARK_BYTES; to++) {
        byte[] torn = all.clone();
        Arrays.fill(torn, mark + from, mark + to, (byte) 0);
        assertEquals(30, flushed(torn), "torn from %d to %d".formatted(from, to));
        // Together with the last byte of the edit before, which was forced, it is corruption.
        torn[mark - 1] ^= 1;
        assertRefused(torn);
      }
    }
  }

  @Test
  void aMarkIsOfTheRecordBeforeIt() throws IOException {
    List<Integer> ends = new ArrayList<>();
    byte[] all = threeEdits(ends);
    byte[] misplaced = Arrays.copyOf(all, all.length - MARK_BYTES);
    misplaced = Arrays.copyOf(misplaced, all.length);
    System.arraycopy(all, ends.get(1) - MARK_BYTES, misplaced, all.length - MARK_BYTES, MARK_BYTES);
    assertRefused(misplaced);
  }
}
