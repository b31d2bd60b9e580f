package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// A replacement in steps: what is written behind its mark stays, what was there before goes, at
/// once.
class ReplacementTest {
  private static final byte[] OLD = Bed.bytes("old");
  private static final byte[] NEW = Bed.bytes("new");
  private static final byte[] KEPT = Bed.bytes("kept");
  private static final byte[] LATER = Bed.bytes("later");
  private static final int FROM = 100;
  private static final int TO = 200;

  private final Bed bed = new Bed(8);
  private Lsm lsm;
  private ColumnFamily family;

  private void open() throws IOException {
    lsm = bed.open();
    family = lsm.columnFamily("first", FamilyOptions.DEFAULT);
  }

  private static byte[] key(int number) {
    return Bed.bytes("key-%04d".formatted(number));
  }

  private void put(int key, byte[] value) {
    lsm.append(new WriteBatch().put(family, key(key), value));
  }

  /// Old rows around and in the range, and staged ones for the even keys of the range.
  private Replacement staged() throws IOException {
    open();
    for (int i = 0; i < 300; i++) {
      put(i, OLD);
    }
    sync();
    bed.disk.createDirectories("outside");
    bed.disk.forceDirectory("outside");
    Randomness random = Randomness.of(7);
    try (TableFileWriter writer =
        TableFileWriter.create(bed.disk, bed.clock, random, "outside/1", FamilyOptions.DEFAULT)) {
      for (int i = FROM; i < TO; i += 2) {
        writer.put(key(i), NEW);
      }
      writer.finish();
    }
    lsm.stage("move", family, List.of("outside/1"), Staging.LINK);
    return lsm.replacement("move", List.of(new KeyRange(family, key(FROM), key(TO))));
  }

  private void sync() throws IOException {
    lsm.flushLog();
    lsm.syncLog();
  }

  private void assertOld() throws IOException {
    for (int i = 0; i < 300; i++) {
      assertArrayEquals(OLD, lsm.get(family, key(i)), "key " + i);
    }
  }

  /// Of keys 101 and 102, which the owner wrote again, and 103, which came later.
  private void assertReplaced() throws IOException {
    for (int i = 0; i < 300; i++) {
      byte[] inside = i == 101 || i == 102 ? KEPT : i == 103 ? LATER : i % 2 == 0 ? NEW : null;
      byte[] wanted = i < FROM || i >= TO ? OLD : inside;
      assertArrayEquals(wanted, lsm.get(family, key(i)), "key " + i);
    }
  }

  private void marked(Replacement replacement) {
    replacement.mark();
    assertFalse(replacement.isMarked(), "a mark is set by a rotation, which is a job");
    bed.settle();
    assertTrue(replacement.isMarked());
  }

  @Test
  void whatIsWrittenBehindTheMarkStaysAndWhatWasThereGoes() throws IOException {
    Replacement replacement = staged();
    marked(replacement);
    put(101, KEPT);
    put(102, KEPT);
    put(103, LATER);
    assertArrayEquals(OLD, lsm.get(family, key(104)), "before the commit all is as it was");
    sync();
    assertTrue(replacement.commit());
    replacement.close();
    assertReplaced();
    assertEquals(List.of(), lsm.staged());
    bed.settle();
    lsm.flush();
    assertReplaced();
    lsm.close();
    open();
    assertReplaced();
    lsm.close();
  }

  @Test
  void aPowerCutBeforeTheCommitLeavesWhatWasThere() throws IOException {
    Replacement replacement = staged();
    marked(replacement);
    bed.disk.powerCut();
    open();
    assertOld();
    assertEquals(1, lsm.staged().size());
    lsm.close();
  }

  @Test
  void aPowerCutBehindTheCommitLeavesAllThatIsNew() throws IOException {
    Replacement replacement = staged();
    marked(replacement);
    put(101, KEPT);
    put(102, KEPT);
    put(103, LATER);
    sync();
    assertTrue(replacement.commit());
    bed.disk.powerCut();
    open();
    assertReplaced();
    lsm.close();
  }

  @Test
  void aFlushThatMixesWhatIsBeforeAndBehindTheMarkIsRefusedAndTheNextMarkTakesIt()
      throws IOException {
    Replacement replacement = staged();
    marked(replacement);
    put(101, KEPT);
    lsm.flush();
    for (int i = 0; i < 8; i++) {
      put(50 + i, OLD);
      put(250, OLD);
      put(101, KEPT);
      lsm.flush();
      bed.settle();
    }
    boolean done = replacement.commit();
    if (!done) {
      marked(replacement);
      put(101, KEPT);
      sync();
      assertTrue(replacement.commit());
    }
    assertFalse(done, "compactions have merged rows of before and behind the mark");
    replacement.close();
    assertArrayEquals(KEPT, lsm.get(family, key(101)));
    assertArrayEquals(NEW, lsm.get(family, key(102)));
    assertNull(lsm.get(family, key(103)));
    lsm.close();
  }

  @Test
  void stagedValuesAreFoundByTheirKeys() throws IOException {
    staged();
    List<byte[]> found =
        lsm.stagedValues("move", family, List.of(key(99), key(100), key(101), key(198), key(200)));
    assertNull(found.get(0));
    assertArrayEquals(NEW, found.get(1));
    assertNull(found.get(2));
    assertArrayEquals(NEW, found.get(3));
    assertNull(found.get(4));
    assertNull(lsm.stagedValues("another", family, List.of(key(100))).get(0));
    lsm.close();
  }

  @Test
  void withoutAMarkOrTablesNothingIsDone() throws IOException {
    Replacement replacement = staged();
    assertThrows(IllegalStateException.class, replacement::commit);
    Replacement none = lsm.replacement("none", List.of(new KeyRange(family, key(FROM), key(TO))));
    marked(none);
    assertThrows(IngestRefusedException.class, none::commit);
    assertOld();
    none.close();
    replacement.close();
    lsm.close();
  }
}
