package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Clock;
import dev.tern.env.FileSystem;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import dev.tern.world.SimulatedClock;
import dev.tern.world.SimulatedDisk;
import dev.tern.world.SimulatedLoop;
import dev.tern.world.World;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/// A disk, clocks and a loop of their own for one store.
final class Bed {
  static final String STORE = "data/store";

  final World world;
  final SimulatedDisk disk;
  final SimulatedClock clock;
  private InterruptedJobs jobs;
  LsmOptions options = options(2048, 8192, 256, 2048);

  Bed(long seed) {
    world = new World(seed, Bed::threw);
    disk = new SimulatedDisk(world, 1);
    clock = new SimulatedClock(world);
  }

  private static void threw(int node, Throwable what) {
    if (what instanceof Error error) {
      throw error;
    }
    throw new IllegalStateException("node " + node, what);
  }

  static LsmOptions options(long memtableBytes, long cacheBytes, int blockBytes, long tableBytes) {
    return options(memtableBytes, cacheBytes, blockBytes, tableBytes, LsmBug.NONE);
  }

  static LsmOptions options(
      long memtableBytes, long cacheBytes, int blockBytes, long tableBytes, LsmBug planted) {
    return LsmOptions.DEFAULT.withTuning(
        new LsmOptions.Tuning(memtableBytes, cacheBytes, blockBytes, tableBytes, planted));
  }

  Randomness random() {
    return world.random;
  }

  Lsm open() throws IOException {
    return open(STORE);
  }

  Lsm open(String directory) throws IOException {
    return Lsm.open(disk, background(), clock(), world.random, directory, options);
  }

  /// From the next opening on, others get in between where a job of the store holds no lock.
  void interruptJobs(InterruptedJobs.Others others) {
    jobs = new InterruptedJobs(world, disk, others);
  }

  /// Does something in the middle of a job that others cannot interrupt.
  void undisturbed(Runnable action) {
    jobs.undisturbed(action);
  }

  private Offload background() {
    return jobs == null ? new SimulatedLoop(world, 1, disk) : jobs;
  }

  private Clock clock() {
    InterruptedJobs interrupted = jobs;
    return interrupted == null
        ? clock
        : new Clock() {
          @Override
          public long monotonicNanos() {
            return clock.monotonicNanos();
          }

          @Override
          public long wallMillis() {
            interrupted.mayBeInterrupted();
            return clock.wallMillis();
          }
        };
  }

  Lsm openReadOnly(String directory) throws IOException {
    return Lsm.openReadOnly(disk, new SimulatedLoop(world, 1, disk), clock, directory, options);
  }

  /// Lets what is under way in the background end.
  void settle() {
    world.runUntil(world.nanos() + World.SECOND);
  }

  /// The power goes, and comes back.
  void powerCut() {
    world.end(1);
    disk.heal();
    disk.powerCut();
  }

  static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  static String text(byte[] bytes) {
    return bytes == null ? null : new String(bytes, US_ASCII);
  }

  static void assertHolds(
      Lsm lsm, ColumnFamily family, NavigableMap<byte[], byte[]> wanted, String when)
      throws IOException {
    assertHolds(lsm, family, IteratorOptions.all(), wanted, when);
  }

  static void assertHolds(
      Lsm lsm,
      ColumnFamily family,
      IteratorOptions options,
      NavigableMap<byte[], byte[]> wanted,
      String when)
      throws IOException {
    try (LsmIterator iterator = lsm.iterator(family, options)) {
      iterator.seekToFirst();
      for (Map.Entry<byte[], byte[]> entry : wanted.entrySet()) {
        assertTrue(iterator.valid(), () -> when + ": missing " + text(entry.getKey()));
        assertArrayEquals(entry.getKey(), iterator.key(), () -> when);
        assertArrayEquals(entry.getValue(), iterator.value(), () -> when);
        iterator.next();
      }
      assertTrue(!iterator.valid(), () -> when + ": too much: " + text(iterator.key()));
    }
  }

  /// Every file belongs to the store.
  void assertNoOrphans(Lsm lsm, String when) {
    List<String> names =
        disk.list(STORE).stream().filter(name -> !name.equals("MANIFEST.MF")).toList();
    long logs = names.stream().filter(name -> name.endsWith(".log")).count();
    boolean expected = options.hasLog() ? logs >= 1 && logs <= 9 : logs == 0;
    assertTrue(expected, when + names);
    assertEquals(1, names.stream().filter(n -> n.startsWith("MANIFEST")).count(), when + names);
    long tables = lsm.statistics().tables() + lsm.staged().size();
    assertEquals(
        tables, names.stream().filter(name -> name.endsWith(".table")).count(), when + names);
    assertEquals(2 + logs + tables, (long) names.size(), when + names);
  }

  Map<String, byte[]> copy(String directory) throws IOException {
    Map<String, byte[]> copy = new TreeMap<>();
    for (String name : disk.list(directory)) {
      try (FileSystem.ReadableFile file = disk.open(directory + "/" + name)) {
        ByteBuffer all = ByteBuffer.allocate((int) file.size());
        file.read(0, all);
        copy.put(name, Arrays.copyOf(all.array(), all.position()));
      }
    }
    return copy;
  }

  void restore(String directory, Map<String, byte[]> copy) throws IOException {
    for (String name : disk.list(directory)) {
      disk.delete(directory + "/" + name);
    }
    for (Map.Entry<String, byte[]> entry : copy.entrySet()) {
      try (FileSystem.WritableFile file = disk.create(directory + "/" + entry.getKey())) {
        file.append(ByteBuffer.wrap(entry.getValue()));
      }
    }
  }
}
