package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Files of tables from outside are damaged, cut, swapped or removed before they are staged, while
/// they are staged, and behind an ingest and a replace: each answer is right or an error that names
/// the file and says what to do, nothing else is lost, and the rows can be brought in anew.
class IngestedFilesTest {
  private static final boolean PROOF = Integer.getInteger("proof", 1) > 1;
  private static final byte[] OLD = Bed.bytes("old");
  private static final byte[] NEW = Bed.bytes("new");
  private static final byte[] AGAIN = Bed.bytes("again");
  private static final int KEYS = 60;
  private static final int FROM = 20;
  private static final int MIDDLE = 30;
  private static final int TO = 40;
  private static final String LABEL = "move 7";

  /// What is done to a file.
  ///
  /// @param content null where it is removed
  private record Damage(String what, byte[] content) {}

  private Bed bed = new Bed(3);
  private ColumnFamily first;
  private ColumnFamily second;
  private int errors;
  private int right;

  private Lsm open() throws IOException {
    Lsm lsm = bed.open();
    first = lsm.columnFamily("first", CompactionStyle.LEVELED);
    second = lsm.columnFamily("second", CompactionStyle.SIZE_TIERED);
    return lsm;
  }

  private static byte[] key(int number) {
    return Bed.bytes("key-%02d".formatted(number));
  }

  private static void write(Bed bed, String path, int from, int to, byte[] value)
      throws IOException {
    bed.disk.createDirectories("outside");
    Randomness random = Randomness.of(Arrays.hashCode(value) + path.hashCode());
    try (TableFileWriter writer =
        TableFileWriter.create(bed.disk, bed.clock, random, path, FamilyOptions.DEFAULT)) {
      for (int i = from; i < to; i++) {
        writer.put(key(i), value);
      }
      writer.finish();
    }
  }

  private List<KeyRange> ranges() {
    return List.of(
        new KeyRange(first, key(FROM), key(TO)), new KeyRange(second, key(FROM), key(TO)));
  }

  /// Two tables of the first family and one of the second.
  private void stage(Lsm lsm, String label, byte[] value) throws IOException {
    write(bed, "outside/a", FROM, MIDDLE, value);
    write(bed, "outside/b", MIDDLE, TO, value);
    write(bed, "outside/c", FROM, TO, value);
    lsm.stage(label, first, List.of("outside/a", "outside/b"), Staging.LINK);
    lsm.stage(label, second, List.of("outside/c"), Staging.COPY);
    for (String name : List.of("a", "b", "c")) {
      bed.disk.delete("outside/" + name);
    }
  }

  /// A store of old rows, with a hole where the new ones shall go unless they replace some.
  private Lsm filled(boolean hole) throws IOException {
    bed = new Bed(3);
    Lsm lsm = open();
    for (int i = 0; i < KEYS; i++) {
      if (!hole || i < FROM || i >= TO) {
        lsm.append(new WriteBatch().put(first, key(i), OLD).put(second, key(i), OLD));
      }
    }
    bed.settle();
    lsm.flush();
    bed.settle();
    return lsm;
  }

  /// Files of another store with the same rows, by name; those of a writer begin with `outside`.
  private static Map<String, byte[]> foreign() throws IOException {
    IngestedFilesTest other = new IngestedFilesTest();
    Lsm lsm = other.filled(true);
    other.stage(lsm, "other", AGAIN);
    lsm.close();
    other.bed.settle();
    return other.bed.copy(Bed.STORE);
  }

  /// What can happen to the file of a table.
  private static List<Damage> damages(
      byte[] content, Map<String, byte[]> beside, Map<String, byte[]> foreign) {
    List<Damage> damages = new ArrayList<>();
    damages.add(new Damage("removed", null));
    for (int at = 0; at < content.length; at += PROOF ? 1 : 5) {
      byte[] flipped = content.clone();
      flipped[at] ^= (byte) (1 << (at % 8));
      damages.add(new Damage("flipped at " + at, flipped));
    }
    for (int length = 0; length < content.length; length += PROOF ? 1 : 17) {
      damages.add(new Damage("cut at " + length, Arrays.copyOf(content, length)));
    }
    damages.add(new Damage("longer", Arrays.copyOf(content, content.length + 1)));
    beside.forEach((name, other) -> addSwap(damages, content, name, other));
    foreign.forEach((name, other) -> addSwap(damages, content, "foreign " + name, other));
    return damages;
  }

  private static void addSwap(List<Damage> damages, byte[] content, String name, byte[] other) {
    if (name.endsWith(".table") && !Arrays.equals(content, other)) {
      damages.add(new Damage("is " + name, other));
    }
  }

  private static void put(Map<String, byte[]> files, String name, Damage damage) {
    if (damage.content == null) {
      files.remove(name);
    } else {
      files.put(name, damage.content);
    }
  }

  /// An error of a damaged file names it and says what to do.
  private void assertClear(IOException e, String file, String when) {
    String message = String.valueOf(e.getMessage());
    assertTrue(message.contains(file), () -> when + " does not name " + file + ": " + message);
    boolean advises =
        List.of("write it again", "abandon", "restore a copy").stream().anyMatch(message::contains);
    assertTrue(advises, () -> when + " does not say what to do: " + message);
    errors++;
  }

  /// Every row is as wanted, but that those of the damaged file may be an error.
  ///
  /// @param file null if nothing is damaged
  private void assertHas(Lsm lsm, byte[] wanted, String file, String when) throws IOException {
    boolean whole = true;
    for (ColumnFamily family : List.of(first, second)) {
      for (int i = 0; i < KEYS; i++) {
        boolean inside = i >= FROM && i < TO;
        try {
          byte[] found = lsm.get(family, key(i));
          assertArrayEquals(inside ? wanted : OLD, found, when + ", key " + i);
        } catch (CorruptionException e) {
          whole = false;
          assertTrue(file != null && inside, () -> when + ": " + e);
          assertClear(e, file, when);
        }
      }
      walk(lsm, family, wanted, file, when);
      assertEquals(FROM, count(lsm, family, null, key(FROM)), when);
      assertEquals(KEYS - TO, count(lsm, family, key(TO), null), when);
    }
    right += whole ? 1 : 0;
  }

  /// Iterators over other partitions need no damaged file.
  private static int count(Lsm lsm, ColumnFamily family, byte[] from, byte[] to)
      throws IOException {
    int forward = 0;
    int backward = 0;
    try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all().range(from, to))) {
      for (rows.seekToFirst(); rows.valid(); rows.next()) {
        assertArrayEquals(OLD, rows.value());
        forward++;
      }
      rows.refresh();
      for (rows.seekToLast(); rows.valid(); rows.prev()) {
        backward++;
      }
    }
    assertEquals(forward, backward);
    return forward;
  }

  private void walk(Lsm lsm, ColumnFamily family, byte[] wanted, String file, String when)
      throws IOException {
    int next = 0;
    try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all())) {
      for (rows.seekToFirst(); rows.valid(); rows.next()) {
        while (wanted == null && next >= FROM && next < TO) {
          next++;
        }
        assertArrayEquals(key(next), rows.key(), when);
        assertArrayEquals(next >= FROM && next < TO ? wanted : OLD, rows.value(), when);
        next++;
      }
      assertEquals(KEYS, next, when);
    } catch (CorruptionException e) {
      assertTrue(file != null && next <= TO, () -> when + ": " + e);
      assertClear(e, file, when);
    }
  }

  /// The rows come in anew, from whole files.
  private void bringInAnew(Lsm lsm, String when) throws IOException {
    bed.settle();
    lsm.abandonStaged(LABEL);
    stage(lsm, "anew", AGAIN);
    lsm.replace("anew", ranges());
    bed.settle();
    lsm.flush();
    bed.settle();
    assertHas(lsm, AGAIN, null, when + ", anew");
    lsm.verify();
    lsm.close();
    bed.settle();
    try (Lsm again = open()) {
      assertHas(again, AGAIN, null, when + ", anew and opened again");
      bed.assertNoOrphans(again, when);
    }
  }

  @Test
  void aDamagedFileIsNotStagedAndNamedByItsOwnPath() throws IOException {
    Lsm lsm = filled(true);
    write(bed, "outside/a", FROM, MIDDLE, NEW);
    write(bed, "outside/b", MIDDLE, TO, NEW);
    Map<String, byte[]> files = bed.copy("outside");
    Map<String, byte[]> foreign = foreign();
    for (Damage damage : damages(files.get("a"), Map.of(), Map.of())) {
      Map<String, byte[]> damaged = new TreeMap<>(files);
      put(damaged, "a", damage);
      bed.restore("outside", damaged);
      for (Staging how : Staging.values()) {
        List<String> both = List.of("outside/b", "outside/a");
        IOException refused =
            assertThrows(IOException.class, () -> lsm.stage(LABEL, first, both, how), damage.what);
        if (damage.content == null) {
          assertTrue(refused.getMessage().contains("outside/a"), refused.getMessage());
        } else {
          assertClear(refused, "outside/a", damage.what);
        }
        assertEquals(List.of(), lsm.staged());
      }
    }
    int refusals = 0;
    for (Map.Entry<String, byte[]> table : foreign.entrySet()) {
      bed.restore("outside", Map.of("a", table.getValue()));
      try {
        lsm.stage(LABEL, first, List.of("outside/a"), Staging.COPY);
        lsm.abandonStaged(LABEL);
      } catch (CorruptionException | IngestRefusedException e) {
        assertClear(e, "outside/a", table.getKey());
        refusals++;
      }
    }
    assertTrue(refusals > 3, "refused " + refusals);
    bed.assertNoOrphans(lsm, "refused");
    assertHas(lsm, null, null, "refused");
    lsm.close();
  }

  /// The tables that a call made, by name.
  private List<String> newTables(List<String> before) {
    return bed.disk.list(Bed.STORE).stream()
        .filter(name -> name.endsWith(".table") && !before.contains(name))
        .toList();
  }

  /// Staged files are damaged while the store is open, or closed.
  @Test
  void aStagedFileThatIsDamagedIsRefusedOrHarmsNothingElse() throws IOException {
    Map<String, byte[]> foreign = foreign();
    Lsm sample = filled(true);
    List<String> before = bed.disk.list(Bed.STORE);
    stage(sample, LABEL, NEW);
    List<String> staged = newTables(before);
    assertEquals(3, staged.size());
    sample.close();
    bed.settle();
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    for (String name : staged) {
      for (Damage damage : damages(files.get(name), files, foreign)) {
        String when = "staged " + name + " " + damage.what;
        Map<String, byte[]> damaged = new TreeMap<>(files);
        put(damaged, name, damage);
        bed = new Bed(4);
        bed.restore(Bed.STORE, damaged);
        Lsm lsm = open();
        bed.settle();
        assertEquals(3, lsm.staged().size(), when);
        assertHas(lsm, null, null, when);
        try {
          lsm.ingest(LABEL, ranges());
          assertTrue(damage.what.startsWith("flipped"), () -> when + " is ingested");
          assertHas(lsm, NEW, name, when);
        } catch (CorruptionException e) {
          assertClear(e, name, when);
          assertEquals(3, lsm.staged().size(), when);
          assertHas(lsm, null, null, when);
        }
        bringInAnew(lsm, when);
      }
    }
    assertTrue(errors > 100 && right > 100, errors + " errors, right " + right);
  }

  /// The files of a store with tables that an ingest or a replace brought in are damaged.
  private void damagedBehind(boolean replace) throws IOException {
    Map<String, byte[]> foreign = foreign();
    Lsm sample = filled(!replace);
    List<String> before = bed.disk.list(Bed.STORE);
    stage(sample, LABEL, NEW);
    if (replace) {
      sample.replace(LABEL, ranges());
    } else {
      sample.ingest(LABEL, ranges());
    }
    List<String> came = newTables(before);
    assertTrue(came.size() >= (replace ? 4 : 3), came::toString);
    assertHas(sample, NEW, null, "untouched");
    Map<String, byte[]> files = bed.copy(Bed.STORE);
    for (String name : came) {
      for (Damage damage : damages(files.get(name), files, foreign)) {
        Map<String, byte[]> damaged = new TreeMap<>(files);
        put(damaged, name, damage);
        bed = new Bed(4);
        bed.restore(Bed.STORE, damaged);
        String when = (replace ? "replaced " : "ingested ") + name + " " + damage.what;
        Lsm lsm;
        try {
          lsm = open();
        } catch (CorruptionException e) {
          assertClear(e, name, when);
          // Nothing was done to the rest.
          damaged.put(name, files.get(name));
          bed = new Bed(4);
          bed.restore(Bed.STORE, damaged);
          lsm = open();
          assertHas(lsm, NEW, null, when + ", put back");
          lsm.close();
          assertTrue(
              damage.content == null || damage.content.length != files.get(name).length,
              () -> when + " keeps the store shut");
          continue;
        }
        bed.settle();
        assertHas(lsm, NEW, name, when);
        bringInAnew(lsm, when);
      }
    }
    assertTrue(errors > 100 && right > 100, errors + " errors, right " + right);
  }

  @Test
  void anIngestedFileThatIsDamagedHarmsNothingElse() throws IOException {
    damagedBehind(false);
  }

  @Test
  void aFileOfAReplaceThatIsDamagedHarmsNothingElse() throws IOException {
    damagedBehind(true);
  }
}
