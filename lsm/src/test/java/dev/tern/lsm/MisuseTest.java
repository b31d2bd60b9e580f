package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteWriter;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// What a program may do wrong: it is refused, nothing of it is done, and the store stays whole.
class MisuseTest {
  private static final String[] FOREIGN = {
    "application.log",
    "gc.log",
    "0001.log",
    "12345.table",
    "000001.log.gz",
    "000001.table.bak",
    "x000001.log",
    "prices.table",
    "MANIFEST",
    "MANIFEST.MF",
    "MANIFEST-000001.old",
    "MANIFEST-backup",
    "999999999999999999.log",
    "999999999999999999.table",
    "MANIFEST-999999999999999999",
    "notes.txt"
  };

  private final Bed bed = new Bed(1);

  private static byte[] bytes(String text) {
    return Bed.bytes(text);
  }

  @Test
  void filesOfOthersInTheDirectoryStay() throws IOException {
    for (String name : FOREIGN) {
      try (FileSystem.WritableFile file = bed.disk.create(Bed.STORE + "/" + name)) {
        file.append(ByteBuffer.wrap(bytes("mine: " + name)));
      }
    }
    for (int opening = 0; opening < 4; opening++) {
      try (Lsm lsm = bed.open()) {
        ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
        for (int i = 0; i < 100; i++) {
          lsm.write(new WriteBatch().put(family, bytes(opening + "-" + i), new byte[100]));
          bed.settle();
        }
        bed.settle();
        lsm.checkpoint("data/checkpoint-" + opening);
      }
      bed.settle();
      for (String name : FOREIGN) {
        byte[] found = bed.copy(Bed.STORE).get(name);
        assertArrayEquals(bytes("mine: " + name), found, "opening " + opening + ": " + name);
      }
    }
  }

  /// Each is refused and adds nothing; the batch around it is written and recovered.
  @Test
  void aCallThatABatchRefusesAddsNothing() throws IOException {
    Lsm lsm = bed.open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    byte[] key = bytes("key");
    byte[] tooLong = new byte[WriteBatch.MAX_KEY_BYTES + 1];
    byte[] tooLarge = new byte[WriteBatch.MAX_VALUE_BYTES + 1];
    WriteBatch batch = new WriteBatch();
    List<Executable> wrong = new ArrayList<>();
    wrong.add(() -> batch.put(family, key, (byte[]) null));
    wrong.add(() -> batch.put(family, key, (ByteWriter) null));
    wrong.add(() -> batch.put(family, key, null, 1));
    wrong.add(() -> batch.put(family, null, key));
    wrong.add(() -> batch.put(null, key, key));
    wrong.add(() -> batch.put(family, key, key, 0));
    wrong.add(() -> batch.put(family, key, key, -1));
    wrong.add(() -> batch.put(family, key, key, Long.MIN_VALUE));
    wrong.add(() -> batch.put(family, tooLong, key));
    wrong.add(() -> batch.put(family, key, tooLarge));
    wrong.add(() -> batch.put(family, key, tooLarge, 1));
    wrong.add(() -> batch.delete(family, null));
    wrong.add(() -> batch.delete(null, key));
    wrong.add(() -> batch.delete(family, tooLong));
    wrong.add(() -> batch.deleteRange(family, null, key));
    wrong.add(() -> batch.deleteRange(family, key, null));
    wrong.add(() -> batch.deleteRange(null, key, key));
    wrong.add(() -> batch.deleteRange(family, key, tooLong));
    int number = 0;
    for (Executable each : wrong) {
      batch.clear();
      batch.put(family, bytes("before-" + number), bytes("1"));
      int length = batch.bytes();
      assertThrows(RuntimeException.class, each, "mistake " + number);
      assertEquals(length, batch.bytes(), "mistake " + number);
      assertEquals(1, batch.entries(), "mistake " + number);
      batch.put(family, bytes("behind-" + number), bytes("2"));
      lsm.write(batch);
      number++;
    }
    // Ranges that hold no key are nothing.
    lsm.write(new WriteBatch().deleteRange(family, bytes("z"), bytes("a")));
    lsm.write(new WriteBatch().deleteRange(family, bytes("b"), bytes("b")));
    // The power goes: everything comes out of the log.
    bed.powerCut();
    try (Lsm again = bed.open()) {
      ColumnFamily data = again.columnFamily("data", CompactionStyle.LEVELED);
      for (int i = 0; i < number; i++) {
        assertEquals("1", Bed.text(again.get(data, bytes("before-" + i))));
        assertEquals("2", Bed.text(again.get(data, bytes("behind-" + i))));
      }
    }
  }

  @Test
  void columnFamiliesAndSnapshotsOfAnotherStoreAreRefused() throws IOException {
    Lsm lsm = bed.open();
    Lsm other = bed.open("data/other");
    lsm.columnFamily("orders", CompactionStyle.LEVELED);
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    ColumnFamily foreign = other.columnFamily("data", CompactionStyle.LEVELED);
    other.columnFamily("more", CompactionStyle.LEVELED);
    byte[] key = bytes("k");
    Snapshot snapshot = other.snapshot();
    List<Executable> wrong = new ArrayList<>();
    wrong.add(() -> lsm.write(new WriteBatch().put(foreign, key, key)));
    wrong.add(() -> lsm.write(new WriteBatch().deleteRange(foreign, key, key)));
    wrong.add(() -> lsm.append(new WriteBatch().delete(foreign, key)));
    wrong.add(() -> new WriteBatch().put(family, key, key).put(foreign, key, key));
    wrong.add(() -> lsm.get(foreign, key));
    wrong.add(() -> lsm.multiGet(foreign, new byte[][] {key}));
    wrong.add(() -> lsm.get(family, key, snapshot));
    wrong.add(() -> lsm.iterator(foreign, IteratorOptions.all()));
    wrong.add(() -> lsm.iterator(family, IteratorOptions.all().at(snapshot)));
    for (Executable each : wrong) {
      assertThrows(IllegalArgumentException.class, each);
    }
    assertNull(lsm.failure());
    try (LsmIterator all =
        lsm.iterator(lsm.columnFamily("orders", CompactionStyle.LEVELED), IteratorOptions.all())) {
      all.seekToFirst();
      assertTrue(!all.valid());
    }
    snapshot.close();
    other.close();
    lsm.close();
    // The same store opened again is another one too.
    try (Lsm again = bed.open()) {
      assertThrows(IllegalArgumentException.class, () -> again.get(family, key));
      assertThrows(
          IllegalArgumentException.class, () -> again.write(new WriteBatch().delete(family, key)));
    }
  }

  @Test
  void aColumnFamilyKeepsItsOptionsAndSaysSo() throws IOException {
    FamilyOptions plain = new FamilyOptions(CompactionStyle.LEVELED, Compression.NONE, 0, 0);
    for (int opening = 0; opening < 2; opening++) {
      try (Lsm lsm = bed.open()) {
        assertThrows(RuntimeException.class, () -> lsm.columnFamily(null, plain));
        assertThrows(RuntimeException.class, () -> lsm.columnFamily("x", (FamilyOptions) null));
        ColumnFamily family = lsm.columnFamily("data", plain);
        assertEquals(family, lsm.columnFamily("data", CompactionStyle.LEVELED));
        assertThrows(
            IllegalArgumentException.class,
            () -> lsm.columnFamily("data", CompactionStyle.SIZE_TIERED));
        assertThrows(
            IllegalArgumentException.class, () -> lsm.columnFamily("data", FamilyOptions.DEFAULT));
        assertEquals(List.of(family), lsm.columnFamilies());
        lsm.write(new WriteBatch().put(family, bytes("k"), bytes("v" + opening)));
      }
    }
  }

  /// Each whole state of the manifest holds all names.
  @Test
  void aNameThatIsTooLongIsRefused() throws IOException {
    String longest = "x".repeat(64 << 10);
    String wide = "\u20ac".repeat(22 << 10);
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily(longest, CompactionStyle.LEVELED);
      for (String name : List.of(longest + "x", wide)) {
        assertThrows(
            IllegalArgumentException.class, () -> lsm.columnFamily(name, CompactionStyle.LEVELED));
        assertThrows(
            IllegalArgumentException.class,
            () -> lsm.stage(name, family, List.of("none"), Staging.LINK));
      }
    }
    try (Lsm lsm = bed.open()) {
      assertEquals(List.of(longest), lsm.columnFamilies().stream().map(f -> f.name()).toList());
    }
  }

  @Test
  void nothingIsNoLabelAndNoLimit() throws IOException {
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      assertThrows(NullPointerException.class, () -> lsm.ingest(null, List.of()));
      assertThrows(NullPointerException.class, () -> lsm.replace(null, List.of()));
      assertThrows(NullPointerException.class, () -> lsm.ingest("x", null));
      assertThrows(NullPointerException.class, () -> lsm.abandonStaged(null));
      assertThrows(
          IllegalArgumentException.class,
          () -> lsm.readableKeys(family, bytes("a"), bytes("z"), 0));
    }
  }

  @Test
  void aWriteWithoutADurabilityIsNotDone() throws IOException {
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      WriteBatch batch = new WriteBatch().put(family, bytes("k"), bytes("v"));
      assertThrows(NullPointerException.class, () -> lsm.write(batch, null));
      assertNull(lsm.get(family, bytes("k")));
    }
  }

  @Test
  void aTableThatCouldNotBeMadeIsNotDeleted() throws IOException {
    try (Lsm lsm = bed.open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      lsm.write(new WriteBatch().put(family, bytes("k"), bytes("v")));
      // Another opening's, should this one go on after its end.
      for (int number = 1; number < 20; number++) {
        String name = Bed.STORE + "/%06d.table".formatted(number);
        if (!bed.disk.exists(name)) {
          try (FileSystem.WritableFile file = bed.disk.create(name)) {
            file.append(ByteBuffer.wrap(bytes("another's")));
          }
        }
      }
      assertThrows(IOException.class, lsm::flush);
      assertArrayEquals(bytes("another's"), bed.copy(Bed.STORE).get("000019.table"));
      long left =
          bed.copy(Bed.STORE).values().stream()
              .filter(file -> java.util.Arrays.equals(file, bytes("another's")))
              .count();
      assertTrue(left >= 15, left + " are left");
      for (int number = 1; number < 20; number++) {
        String name = Bed.STORE + "/%06d.table".formatted(number);
        if (bed.disk.exists(name)) {
          bed.disk.delete(name);
        }
      }
    }
  }
}
