package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import dev.tern.env.Randomness;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;

/// The storage engine on a simulated disk: against a model, and through power cuts.
class StoreTest {
  private final World world = new World(99, StoreTest::threw);
  private final SimulatedDisk disk = new SimulatedDisk(world, 1);
  private LsmOptions options = options(4096, 4096, 256);

  private static LsmOptions options(long memtableBytes, long cacheBytes, int blockBytes) {
    return LsmOptions.DEFAULT.withTuning(
        new LsmOptions.Tuning(memtableBytes, cacheBytes, blockBytes, 4096, LsmBug.NONE));
  }

  private static void threw(int node, Throwable what) {
    if (what instanceof Error error) {
      throw error;
    }
    throw new IllegalStateException("node " + node, what);
  }

  private Lsm open() throws IOException {
    SimulatedLoop loop = new SimulatedLoop(world, 1, disk);
    return Lsm.open(disk, loop, new SimulatedClock(world), world.random, "store", options);
  }

  private void settle() {
    world.runUntil(world.nanos() + World.SECOND);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  @Test
  void itAnswersAsATreeMapWould() throws IOException {
    for (long seed = 0; seed < 6; seed++) {
      Randomness random = Randomness.of(seed);
      options =
          options(1024L << random.nextInt(5), random.nextInt(2) * 8192L, 256 << random.nextInt(4));
      TreeMap<String, String> model = new TreeMap<>();
      String directory = "store";
      for (String name : disk.list(directory)) {
        disk.delete(directory + "/" + name);
      }
      Lsm lsm = open();
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
      WriteBatch batch = new WriteBatch();
      for (int step = 0; step < 4000; step++) {
        String key = "key-" + random.nextInt(300);
        switch (random.nextInt(8)) {
          case 0 -> {
            batch.clear();
            batch.delete(family, bytes(key));
            lsm.append(batch);
            model.remove(key);
          }
          case 1, 2 -> {
            String value = model.get(key);
            byte[] found = lsm.get(family, bytes(key), Long.MAX_VALUE);
            assertArrayEquals(value == null ? null : bytes(value), found, key);
          }
          default -> {
            String value = "v".repeat(random.nextInt(60)) + step;
            batch.clear();
            batch.put(family, bytes(key), bytes(value));
            lsm.append(batch);
            model.put(key, value);
          }
        }
        if (random.nextInt(100) == 0) {
          settle();
        }
        if (random.nextInt(700) == 0) {
          compare(lsm, family, model, key);
          lsm.close();
          lsm = open();
          family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
        }
      }
      compare(lsm, family, model, "");
      assertTrue(lsm.statistics().tables() > 0, "no flush happened: the test tests nothing");
      lsm.close();
    }
  }

  private static void compare(
      Lsm lsm, ColumnFamily family, NavigableMap<String, String> model, String from)
      throws IOException {
    List<String> found = new ArrayList<>();
    try (LsmIterator iterator = lsm.iterator(family, IteratorOptions.all())) {
      for (iterator.seek(bytes(from)); iterator.valid(); iterator.next()) {
        found.add(
            new String(iterator.key(), US_ASCII) + "=" + new String(iterator.value(), US_ASCII));
      }
    }
    List<String> wanted =
        model.tailMap(from).entrySet().stream().map(e -> e.getKey() + "=" + e.getValue()).toList();
    assertEquals(wanted, found);
  }

  @Test
  void aPowerCutAtAnyOperationLeavesAPrefixWithAllThatWasSynced() throws IOException {
    int crashes = 0;
    for (int at = 0; at < 260; at++) {
      for (String name : disk.list("store")) {
        disk.delete("store/" + name);
      }
      disk.forceDirectory("store");
      int[] written = {0};
      int[] synced = {0};
      Lsm lsm = open();
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
      disk.crashAfter(at);
      try {
        workload(lsm, family, written, synced);
        disk.crashAfter(-1);
      } catch (World.Crash crash) {
        crashes++;
      }
      world.end(1);
      disk.crashAfter(-1);
      disk.powerCut();
      check(synced[0], written[0], at);
    }
    assertTrue(crashes > 100, "too few crashes: " + crashes);
  }

  private void workload(Lsm lsm, ColumnFamily family, int[] written, int[] synced)
      throws IOException {
    WriteBatch batch = new WriteBatch();
    for (int i = 1; i <= 400; i++) {
      batch.clear();
      batch.put(family, bytes("key-" + i % 20), bytes(i + "x".repeat(40)));
      batch.put(family, bytes("last"), bytes(Integer.toString(i)));
      lsm.append(batch);
      written[0] = i;
      if (i % 3 == 0) {
        lsm.flushLog();
      }
      if (i % 7 == 0) {
        lsm.flushLog();
        lsm.syncLog();
        synced[0] = i;
      }
      if (i % 10 == 0) {
        world.runUntil(world.nanos() + 500_000);
      }
    }
  }

  private void check(int synced, int written, int at) throws IOException {
    try (Lsm lsm = open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
      byte[] last = lsm.get(family, bytes("last"), Long.MAX_VALUE);
      int recovered = last == null ? 0 : Integer.parseInt(new String(last, US_ASCII));
      assertTrue(
          recovered >= synced && recovered <= written,
          "crash at %d: recovered %d of %d, %d were synced"
              .formatted(at, recovered, written, synced));
      for (int key = 0; key < 20; key++) {
        int newest = recovered - Math.floorMod(recovered - key, 20);
        byte[] value = lsm.get(family, bytes("key-" + key), Long.MAX_VALUE);
        if (newest <= 0) {
          assertNull(value);
        } else {
          assertEquals(newest + "x".repeat(40), new String(value, US_ASCII), "crash at " + at);
        }
      }
    }
  }

  @Test
  void aFlippedByteOfATableOrManifestIsAnErrorOrHarmless() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < 40; i++) {
      batch.clear();
      batch.put(family, bytes("key-" + i), bytes("value-" + i));
      lsm.append(batch);
    }
    lsm.close();
    open().close();
    Map<String, byte[]> store = new TreeMap<>();
    for (String name : disk.list("store")) {
      store.put(name, read("store/" + name));
    }
    int errors = 0;
    for (String name : store.keySet()) {
      if (name.endsWith(".table") || name.startsWith("MANIFEST")) {
        for (int at = 0; at < store.get(name).length; at++) {
          restore(store);
          byte[] flipped = store.get(name).clone();
          flipped[at] ^= (byte) (1 << (at % 8));
          replace("store/" + name, flipped);
          errors += harmless() ? 0 : 1;
        }
      }
    }
    assertTrue(errors > 500, "hardly a flip was noticed: " + errors);
  }

  private void restore(Map<String, byte[]> store) throws IOException {
    for (String name : disk.list("store")) {
      disk.delete("store/" + name);
    }
    for (Map.Entry<String, byte[]> file : store.entrySet()) {
      try (FileSystem.WritableFile out = disk.create("store/" + file.getKey())) {
        out.append(ByteBuffer.wrap(file.getValue()));
      }
    }
  }

  /// Whether all answers were right; an error is as good, a wrong answer fails.
  private boolean harmless() {
    World other = new World(1, StoreTest::threw);
    SimulatedLoop loop = new SimulatedLoop(other, 1, disk);
    try (Lsm lsm =
        Lsm.open(disk, loop, new SimulatedClock(other), other.random, "store", options)) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
      for (int i = 0; i < 40; i++) {
        byte[] value = lsm.get(family, bytes("key-" + i), Long.MAX_VALUE);
        assertEquals("value-" + i, value == null ? null : new String(value, US_ASCII));
      }
      return true;
    } catch (IOException | DecodeException e) {
      return false;
    }
  }

  private byte[] read(String path) throws IOException {
    try (FileSystem.ReadableFile file = disk.open(path)) {
      ByteBuffer all = ByteBuffer.allocate((int) file.size());
      file.read(0, all);
      return Arrays.copyOf(all.array(), all.position());
    }
  }

  private void replace(String path, byte[] content) throws IOException {
    disk.delete(path);
    try (FileSystem.WritableFile file = disk.create(path)) {
      file.append(ByteBuffer.wrap(content));
      file.force();
    }
  }
}
