package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.file.CorruptionException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// Each byte of each file is flipped, each file is cut at each length and removed: what follows is
/// the right answer, or an error that names file and offset.
///
/// A log that was not closed has an end that nothing vouches for: what is lost from there is what a
/// crash may take. So of an open store's logs an older state is right too, if it holds what a later
/// chunk knows as forced; of a closed one's only the cut, as a file that ends early says nothing.
class CorruptionTest {
  /// A store's files, and what may be found in them.
  ///
  /// @param states by number of puts: what the store then holds
  private record Sample(
      Map<String, byte[]> files, NavigableMap<Integer, TreeMap<byte[], byte[]>> states) {}

  private int errors;
  private int right;

  @SuppressWarnings("NonApiType")
  private static TreeMap<byte[], byte[]> sorted() {
    return new TreeMap<>(Arrays::compareUnsigned);
  }

  /// Tables of all compressions, a manifest of several edits, logs.
  ///
  /// @param crash whether it is left open, with several logs
  private static Sample sample(boolean crash) throws IOException {
    return sample(crash, 7);
  }

  private static Sample sample(boolean crash, int variant) throws IOException {
    Bed bed = new Bed(7);
    bed.options = Bed.options(2048, 0, 256, 1024).withLogKeptAtClose();
    Lsm lsm = bed.open();
    ColumnFamily[] families = families(lsm);
    NavigableMap<Integer, TreeMap<byte[], byte[]>> states = new TreeMap<>();
    TreeMap<byte[], byte[]> state = sorted();
    states.put(0, sorted());
    for (int i = 1; i <= 60; i++) {
      byte[] key = Bed.bytes("key-" + i % 25);
      byte[] value = Bed.bytes(i + "=" + "abc".repeat(i % 20) + (variant == 7 ? "" : "x"));
      WriteBatch batch = new WriteBatch();
      for (ColumnFamily family : families) {
        batch.put(family, key, value);
      }
      state.put(key, value);
      if (i % 20 == 0) {
        byte[] from = Bed.bytes("key-1");
        byte[] to = Bed.bytes("key-13");
        for (ColumnFamily family : families) {
          batch.deleteRange(family, from, to);
        }
        state.subMap(from, to).clear();
      }
      lsm.append(batch);
      TreeMap<byte[], byte[]> then = sorted();
      then.putAll(state);
      states.put(i, then);
      lsm.flushLog();
      if (i % 3 == 0) {
        lsm.syncLog();
      }
      if (i == 30 || i == 45) {
        bed.settle();
      }
      for (int step = 0; crash && i > 48 && logs(bed) < 2 && step < 50; step++) {
        // Until the next log is begun, and the flush before it is not done.
        bed.world.runUntil(bed.world.nanos() + 10_000);
      }
    }
    if (!crash) {
      lsm.close();
    }
    return new Sample(bed.copy(Bed.STORE), states);
  }

  private static long logs(Bed bed) {
    return bed.disk.list(Bed.STORE).stream().filter(name -> name.endsWith(".log")).count();
  }

  private static ColumnFamily[] families(Lsm lsm) throws IOException {
    ColumnFamily[] families = new ColumnFamily[3];
    for (Compression compression : Compression.values()) {
      CompactionStyle style =
          compression == Compression.ZSTD ? CompactionStyle.SIZE_TIERED : CompactionStyle.LEVELED;
      families[compression.ordinal()] =
          lsm.columnFamily(compression.toString(), new FamilyOptions(style, compression, 0, 0));
    }
    return families;
  }

  /// Opens the files and looks at everything, the second time in what the first opening made of it.
  ///
  /// @param least puts that must be there
  private void look(Sample sample, Map<String, byte[]> files, int least, String what)
      throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(2048, 0, 256, 1024);
    bed.restore(Bed.STORE, files);
    try {
      for (int opening = 0; opening < 2; opening++) {
        try (Lsm lsm = bed.open()) {
          answers(lsm, sample, least, what);
        }
      }
      right++;
    } catch (CorruptionException e) {
      errors++;
      String message = String.valueOf(e.getMessage());
      assertTrue(message.contains(Bed.STORE + "/") && message.contains(" at offset "), message);
    }
  }

  private static void answers(Lsm lsm, Sample sample, int least, String what) throws IOException {
    int found = -1;
    for (ColumnFamily family : families(lsm)) {
      TreeMap<byte[], byte[]> content = sorted();
      try (LsmIterator iterator = lsm.iterator(family, IteratorOptions.all())) {
        for (iterator.seekToFirst(); iterator.valid(); iterator.next()) {
          content.put(iterator.key(), iterator.value());
        }
      }
      int state = number(sample, content);
      assertTrue(state >= least, () -> what + ": it holds " + state + " puts of " + least);
      assertTrue(found < 0 || found == state, () -> what + ": families differ");
      found = state;
      for (int i = 0; i < 25; i++) {
        byte[] key = Bed.bytes("key-" + i);
        assertEquals(Bed.text(content.get(key)), Bed.text(lsm.get(family, key)), what);
      }
    }
  }

  /// After how many puts a store holds this; -1 if never.
  @SuppressWarnings("NonApiType")
  private static int number(Sample sample, TreeMap<byte[], byte[]> content) {
    for (int number : sample.states.descendingKeySet()) {
      TreeMap<byte[], byte[]> state = sample.states.get(number);
      boolean same =
          state.size() == content.size()
              && content.entrySet().stream()
                  .allMatch(e -> Arrays.equals(e.getValue(), state.get(e.getKey())));
      if (same) {
        return number;
      }
    }
    return -1;
  }

  private static Map<String, byte[]> with(Sample sample, String name, byte[] content) {
    Map<String, byte[]> files = new TreeMap<>(sample.files);
    files.put(name, content);
    return files;
  }

  private void flips(Sample sample, boolean crashed) throws IOException {
    int step = Integer.getInteger("proof", 1) > 1 ? 1 : 3;
    for (String name : sample.files.keySet()) {
      byte[] content = sample.files.get(name);
      for (int at = content.length % step; at < content.length; at += step) {
        byte[] flipped = content.clone();
        flipped[at] ^= (byte) (1 << (at % 8));
        int least = crashed && name.endsWith(".log") ? 45 : 60;
        look(sample, with(sample, name, flipped), least, "flipped " + name + " at " + at);
      }
    }
  }

  @Test
  void aFlippedByteOfAClosedStoreIsAnErrorOrHarmless() throws IOException {
    Sample sample = sample(false);
    look(sample, sample.files, 60, "untouched");
    assertEquals(1, right);
    flips(sample, false);
    assertTrue(errors > 3 * right, "hardly a flip was noticed: " + errors + " of " + right);
  }

  @Test
  void aFlippedByteOfACrashedStoreIsAnErrorOrHarmless() throws IOException {
    Sample sample = sample(true);
    assertTrue(
        sample.files.keySet().stream().filter(name -> name.endsWith(".log")).count() > 1,
        "not several logs: " + sample.files.keySet());
    look(sample, sample.files, 60, "untouched");
    assertEquals(1, right);
    flips(sample, true);
    assertTrue(errors > right, "hardly a flip was noticed: " + errors + " of " + right);
  }

  @Test
  void aFileThatIsCutOrGoneIsAnErrorOrAnOlderLog() throws IOException {
    for (boolean crashed : new boolean[] {false, true}) {
      Sample sample = sample(crashed);
      int step = Integer.getInteger("proof", 1) > 1 ? 1 : 5;
      for (String name : sample.files.keySet()) {
        byte[] content = sample.files.get(name);
        boolean isLog = name.endsWith(".log");
        for (int length = 0; length < content.length; length += step) {
          byte[] cut = Arrays.copyOf(content, length);
          String what = "cut " + name + " at " + length + " crashed " + crashed;
          look(sample, with(sample, name, cut), isLog && crashed ? 45 : 60, what);
        }
        Map<String, byte[]> files = new TreeMap<>(sample.files);
        files.remove(name);
        int before = errors;
        look(sample, files, 60, "removed " + name + " crashed " + crashed);
        assertTrue(errors > before || name.equals("LOCK"), "removed " + name + " in silence");
      }
      look(sample, Map.of(), 0, "all gone");
    }
    assertTrue(errors > right, "hardly a cut was noticed: " + errors + " of " + right);
  }

  /// Tables under each other's names, and those of another store, are named and refused.
  @Test
  void aTableUnderAnotherNameIsRefused() throws IOException {
    Sample sample = sample(false, 7);
    Sample other = sample(false, 8);
    int tried = 0;
    for (String name : sample.files.keySet()) {
      for (Sample from : new Sample[] {sample, other}) {
        for (Map.Entry<String, byte[]> alien : from.files.entrySet()) {
          boolean same = Arrays.equals(alien.getValue(), sample.files.get(name));
          if (!name.endsWith(".table") || !alien.getKey().endsWith(".table") || same) {
            continue;
          }
          int before = errors;
          look(sample, with(sample, name, alien.getValue()), 60, name + " is " + alien.getKey());
          assertEquals(before + 1, errors, name + " is " + alien.getKey());
          tried++;
        }
      }
    }
    assertTrue(tried > 20, "few tables: " + tried);
  }
}
