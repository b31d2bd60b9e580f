package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.world.SimulatedDisk;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/// Tables from outside come in whole, at once, above what was deleted, or not at all.
class IngestTest {
  private static final byte[] NEW = Bed.bytes("new");
  private static final byte[] OLD = Bed.bytes("old");
  private static final int FROM = 100;
  private static final int TO = 200;

  private final Bed bed = new Bed(6);
  private ColumnFamily first;
  private ColumnFamily second;

  private Lsm open() throws IOException {
    Lsm lsm = bed.open();
    first = lsm.columnFamily("first", FamilyOptions.DEFAULT);
    second = lsm.columnFamily("second", CompactionStyle.SIZE_TIERED);
    return lsm;
  }

  private static byte[] key(int number) {
    return Bed.bytes("key-%04d".formatted(number));
  }

  private void flush(Lsm lsm) throws IOException {
    bed.settle();
    lsm.flush();
    bed.settle();
  }

  private static KeyRange range(ColumnFamily family) {
    return new KeyRange(family, key(FROM), key(TO));
  }

  private List<KeyRange> both() {
    return List.of(range(first), range(second));
  }

  private void write(String path, int from, int to) throws IOException {
    bed.disk.createDirectories("outside");
    bed.disk.forceDirectory("outside");
    Randomness random = Randomness.of(path.hashCode());
    try (TableFileWriter writer =
        TableFileWriter.create(bed.disk, bed.clock, random, path, FamilyOptions.DEFAULT)) {
      for (int i = from; i < to; i++) {
        writer.put(key(i), NEW);
      }
      writer.finish();
    }
  }

  /// Two tables of the first family and one of the second.
  private void stage(Lsm lsm, String label) throws IOException {
    write("outside/" + label + "-1", FROM, 150);
    write("outside/" + label + "-2", 150, TO);
    write("outside/" + label + "-3", FROM + 1, TO);
    lsm.stage(
        label, first, List.of("outside/" + label + "-1", "outside/" + label + "-2"), Staging.LINK);
    lsm.stage(label, second, List.of("outside/" + label + "-3"), Staging.COPY);
  }

  private void fill(Lsm lsm) throws IOException {
    for (int i = 0; i < 300; i++) {
      lsm.append(new WriteBatch().put(first, key(i), OLD).put(second, key(i), OLD));
      bed.world.runUntil(bed.world.nanos() + 100_000);
    }
    lsm.flushLog();
    lsm.syncLog();
  }

  private void assertHas(Lsm lsm, byte[] wanted, String when) throws IOException {
    for (int i = 0; i < 300; i++) {
      byte[] here = i >= FROM && i < TO ? wanted : OLD;
      assertArrayEquals(here, lsm.get(first, key(i)), when + i);
      assertArrayEquals(i == FROM ? null : here, lsm.get(second, key(i)), when + i);
    }
    int found = 0;
    try (LsmIterator rows = lsm.iterator(first, IteratorOptions.all())) {
      for (rows.seekToFirst(); rows.valid(); rows.next()) {
        found++;
      }
    }
    assertEquals(wanted == null ? 200 : 300, found, when);
  }

  private Lsm withHole() throws IOException {
    Lsm lsm = open();
    fill(lsm);
    lsm.append(
        new WriteBatch()
            .deleteRange(first, key(FROM), key(TO))
            .deleteRange(second, key(FROM), key(TO)));
    bed.settle();
    return lsm;
  }

  @Test
  void stagedTablesAreReadOnceTheyAreIngestedAndSurviveUntilThen() throws IOException {
    Lsm lsm = withHole();
    stage(lsm, "move 7");
    assertHas(lsm, null, "staged ");
    assertEquals(3, lsm.staged().size());
    assertEquals("move 7", lsm.staged().get(0).label());
    lsm.close();
    bed.settle();
    lsm = open();
    assertEquals(3, lsm.staged().size());
    assertEquals(second, lsm.staged().get(2).family());
    assertHas(lsm, null, "opened again ");
    bed.settle();
    long before = lsm.ingested();
    long staged = lsm.staged().stream().mapToLong(StagedTable::bytes).sum();
    lsm.ingest("move 7", both());
    assertEquals(before + 1, lsm.ingested());
    assertEquals(before + 1, lsm.statistics().ingests());
    assertEquals(staged, lsm.statistics().ingestBytes());
    assertEquals(List.of(), lsm.staged());
    assertHas(lsm, NEW, "ingested ");
    lsm.verify();
    bed.settle();
    lsm.append(new WriteBatch().put(first, key(120), Bed.bytes("newer")).delete(first, key(121)));
    flush(lsm);
    assertArrayEquals(Bed.bytes("newer"), lsm.get(first, key(120)));
    assertNull(lsm.get(first, key(121)));
    lsm.deleteRange(first, key(FROM), key(TO));
    assertNull(lsm.get(first, key(150)));
    lsm.close();
    bed.settle();
    lsm = open();
    assertNull(lsm.get(first, key(150)));
    assertArrayEquals(NEW, lsm.get(second, key(150)));
    bed.assertNoOrphans(lsm, "at the end");
    lsm.close();
  }

  @Test
  void whoBeganBeforeDoesNotSeeThem() throws IOException {
    Lsm lsm = withHole();
    stage(lsm, "x");
    Snapshot before = lsm.snapshot();
    LsmIterator rows = lsm.iterator(first, IteratorOptions.all());
    lsm.ingest("x", both());
    for (int round = 0; round < 4; round++) {
      assertNull(lsm.get(first, key(150), before));
      assertNull(lsm.get(second, key(150), before));
      assertNotNull(lsm.get(first, key(150)));
      int found = 0;
      IteratorOptions then = IteratorOptions.all().at(before);
      try (LsmIterator old = lsm.iterator(second, then)) {
        for (old.seekToFirst(); old.valid(); old.next()) {
          found++;
        }
      }
      assertEquals(200, found);
      found = 0;
      for (rows.seekToLast(); rows.valid(); rows.prev()) {
        found++;
      }
      assertEquals(200, found);
      // Compactions go on around the tables.
      for (int i = 0; i < 300; i += 3) {
        if (i < FROM || i >= TO) {
          lsm.append(new WriteBatch().put(first, key(i), OLD).put(second, key(i), OLD));
        }
      }
      flush(lsm);
    }
    rows.refresh();
    rows.seek(key(150));
    assertArrayEquals(NEW, rows.value());
    rows.close();
    before.close();
    flush(lsm);
    assertHas(lsm, NEW, "at the end ");
    lsm.close();
  }

  @Test
  void aRangeThatIsNotEmptyIsRefusedByName() throws IOException {
    Lsm lsm = withHole();
    stage(lsm, "x");
    lsm.append(new WriteBatch().put(second, key(130), OLD));
    bed.settle();
    IngestRefusedException refused =
        assertThrows(IngestRefusedException.class, () -> lsm.ingest("x", both()));
    assertTrue(refused.getMessage().contains("second"), refused.getMessage());
    bed.settle();
    assertEquals(3, lsm.staged().size());
    assertThrows(IngestRefusedException.class, () -> lsm.ingest("y", both()));
    assertThrows(IngestRefusedException.class, () -> lsm.ingest("x", List.of(range(first))));
    assertNull(lsm.get(first, key(150)));
    lsm.append(new WriteBatch().delete(second, key(130)));
    bed.settle();
    lsm.ingest("x", both());
    assertHas(lsm, NEW, "ingested ");
    assertArrayEquals(NEW, lsm.get(second, key(130)));
    lsm.close();
  }

  @Test
  void replaceDeletesWhatIsThereByTheSameEdit() throws IOException {
    Lsm lsm = open();
    fill(lsm);
    bed.settle();
    Snapshot before = lsm.snapshot();
    write("outside/some", 120, 130);
    lsm.stage("some", first, List.of("outside/some"), Staging.LINK);
    lsm.replace("some", List.of(range(first)));
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 300; i++) {
        byte[] here = i >= 120 && i < 130 ? NEW : i >= FROM && i < TO ? null : OLD;
        assertArrayEquals(here, lsm.get(first, key(i)), "key " + i);
        assertArrayEquals(OLD, lsm.get(second, key(i)));
        if (round < 2) {
          assertArrayEquals(OLD, lsm.get(first, key(i), before), "before, key " + i);
        }
      }
      lsm.append(new WriteBatch().put(first, key(5), OLD));
      flush(lsm);
      if (round == 1) {
        before.close();
      }
    }
    lsm.close();
    bed.settle();
    try (Lsm again = open()) {
      assertArrayEquals(NEW, again.get(first, key(125)));
      assertNull(again.get(first, key(140)));
      bed.assertNoOrphans(again, "at the end");
    }
  }

  @Test
  void whatIsGivenUpLeavesNothing() throws IOException {
    Lsm lsm = withHole();
    stage(lsm, "x");
    lsm.abandonStaged("nobody");
    assertEquals(3, lsm.staged().size());
    lsm.abandonStaged("x");
    assertEquals(List.of(), lsm.staged());
    bed.assertNoOrphans(lsm, "given up");
    lsm.checkpoint("data/copy");
    lsm.close();
    bed.settle();
    try (Lsm again = open()) {
      assertEquals(List.of(), again.staged());
      assertHas(again, null, "opened again ");
    }
  }

  @Test
  void onlyTablesOfTheWriterAreTakenAndOnlyAsTheyWereWritten() throws IOException {
    Lsm lsm = withHole();
    flush(lsm);
    String own =
        bed.disk.list(Bed.STORE).stream()
            .filter(name -> name.endsWith(".table"))
            .max(String::compareTo)
            .get();
    assertThrows(
        IngestRefusedException.class,
        () -> lsm.stage("own", first, List.of(Bed.STORE + "/" + own), Staging.LINK));
    write("outside/a", FROM, TO);
    Map<String, byte[]> files = bed.copy("outside");
    byte[] whole = files.get("a");
    for (int at = 0; at < whole.length; at += 7) {
      byte[] flipped = whole.clone();
      flipped[at] ^= 4;
      bed.restore("outside", Map.of("a", flipped));
      for (Staging how : Staging.values()) {
        assertThrows(
            CorruptionException.class,
            () -> lsm.stage("a", first, List.of("outside/a"), how),
            "byte " + at);
      }
    }
    assertEquals(List.of(), lsm.staged());
    bed.restore("outside", files);
    lsm.stage("a", first, List.of("outside/a"), Staging.COPY);
    assertHas(lsm, null, "staged ");
    swapStaged(lsm);
  }

  /// Another table under the name of a staged one.
  private void swapStaged(Lsm lsm) throws IOException {
    lsm.close();
    bed.settle();
    List<String> tables =
        bed.disk.list(Bed.STORE).stream().filter(name -> name.endsWith(".table")).sorted().toList();
    write("outside/b", FROM, TO);
    Map<String, byte[]> store = bed.copy(Bed.STORE);
    store.put(tables.getLast(), bed.copy("outside").get("b"));
    bed.restore(Bed.STORE, store);
    try (Lsm again = open()) {
      bed.settle();
      CorruptionException refused =
          assertThrows(CorruptionException.class, () -> again.ingest("a", List.of(range(first))));
      assertTrue(refused.getMessage().contains(tables.getLast()), refused.getMessage());
      assertNull(again.get(first, key(150)));
      bed.settle();
      again.abandonStaged("a");
      assertEquals(List.of(), again.staged());
    }
  }

  /// How far a life has come.
  private int reached;

  private void live() throws IOException {
    Lsm lsm = withHole();
    lsm.flushLog();
    lsm.syncLog();
    reached = 1;
    stage(lsm, "x");
    reached = 2;
    lsm.ingest("x", both());
    reached = 3;
    lsm.append(new WriteBatch().put(first, key(1), OLD));
    bed.settle();
    lsm.close();
  }

  /// All of an ingest is there or nothing of it, whatever was interrupted; what is staged stays.
  private void assertWhole(String when) throws IOException {
    Lsm lsm = open();
    if (reached > 0) {
      boolean in = lsm.get(first, key(150)) != null;
      assertTrue(in || reached < 3, when + ": an ingest is lost");
      assertTrue(in || reached < 2 || lsm.staged().size() == 3, when + ": staged tables are lost");
      assertTrue(!in || reached >= 2, when + ": readable before the ingest");
      assertHas(lsm, in ? NEW : null, when + " ");
      if (!in && lsm.staged().size() == 3) {
        bed.settle();
        lsm.ingest("x", both());
        assertHas(lsm, NEW, when + ", ingested later ");
      }
      bed.settle();
      lsm.abandonStaged("x");
      bed.settle();
    }
    lsm.verify();
    lsm.close();
    bed.settle();
    assertEquals(List.of(), bed.disk.open, when);
    lsm = open();
    bed.assertNoOrphans(lsm, when);
    lsm.close();
  }

  @Test
  void aPowerCutAtAnyOperationLeavesAllOrNothing() throws IOException {
    boolean crashed = true;
    for (long at = 60; crashed; at += 1 + at % 2) {
      IngestTest life = new IngestTest();
      life.bed.disk.crashAfter(at);
      try {
        life.live();
      } catch (dev.tern.world.World.Crash crash) {
        assertTrue(life.bed.disk.hasCrashed());
      }
      crashed = life.bed.disk.hasCrashed();
      life.bed.powerCut();
      life.assertWhole("crash at " + at);
    }
  }

  /// A fault at one operation of a disk.
  private interface Fault {
    void at(SimulatedDisk disk, long operation);
  }

  /// A fault from any operation on: the call fails or succeeds, and can be repeated.
  ///
  /// @param happened whether the fault came
  private static void atAnyOperation(String what, Fault fault, Predicate<SimulatedDisk> happened)
      throws IOException {
    boolean failed = true;
    int interrupted = 0;
    for (long at = 0; failed; at++) {
      IngestTest life = new IngestTest();
      Lsm lsm = life.withHole();
      life.flush(lsm);
      life.reached = 1;
      fault.at(life.bed.disk, at);
      try {
        life.stage(lsm, "x");
        life.reached = 2;
        lsm.ingest("x", life.both());
        life.reached = 3;
        failed = happened.test(life.bed.disk);
      } catch (IOException | IllegalStateException | OutOfMemoryError e) {
        interrupted++;
      }
      life.bed.disk.heal();
      life.bed.settle();
      try {
        lsm.close();
      } catch (IOException e) {
        assertNotNull(e);
      }
      life.bed.settle();
      life.assertWhole(what + " at " + at);
    }
    assertTrue(interrupted > 30, interrupted + " calls were interrupted");
  }

  @Test
  void anErrorAtAnyOperationLeavesAllOrNothing() throws IOException {
    atAnyOperation("error", (disk, at) -> disk.failAfter(at, 1 + at % 3), SimulatedDisk::hasFailed);
  }

  @Test
  void noSpaceFromAnyOperationOnLeavesAllOrNothing() throws IOException {
    atAnyOperation("full", SimulatedDisk::fillAfter, disk -> disk.full);
  }

  @Test
  void noMemoryAtAnyOperationLeavesAllOrNothing() throws IOException {
    atAnyOperation("no memory", SimulatedDisk::exhaustAfter, SimulatedDisk::wasExhausted);
  }

  /// Memory runs out behind an ingest that readers were shown.
  @Test
  void anIngestThatFailsOnceItIsShownKeepsItsTablesOpen() throws IOException {
    Lsm lsm = withHole();
    stage(lsm, "x");
    lsm.ingest("x", both());
    List<Ingests.Coming> shown =
        lsm.tables.ingested.stream().map(table -> new Ingests.Coming(first.id(), table)).toList();
    assertEquals(3, shown.size());
    lsm.ingests.giveUp(shown, List.of());
    assertHas(lsm, NEW, "given up ");
    lsm.verify();
    lsm.close();
  }

  @Test
  void aFullDiskLeavesTheTablesStaged() throws IOException {
    Lsm lsm = withHole();
    flush(lsm);
    stage(lsm, "x");
    bed.disk.full = true;
    assertThrows(IOException.class, () -> stage(lsm, "y"));
    assertThrows(IOException.class, () -> lsm.ingest("x", both()));
    assertEquals(3, lsm.staged().size());
    assertHas(lsm, null, "full ");
    bed.disk.full = false;
    bed.settle();
    lsm.retry();
    bed.settle();
    lsm.ingest("x", both());
    assertHas(lsm, NEW, "space again ");
    lsm.close();
    bed.settle();
    try (Lsm again = open()) {
      assertHas(again, NEW, "opened again ");
      bed.assertNoOrphans(again, "opened again");
    }
  }
}
