package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.CompactionStyle;
import dev.tern.lsm.Durability;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmOptions;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A thread that is interrupted beforehand opens, writes, flushes, copies and closes a store as any
/// other, and is still interrupted afterwards.
class InterruptedOwnerTest {
  private static final byte[] KEY = {1};

  @TempDir Path directory;

  @AfterEach
  void clear() {
    Thread.interrupted();
  }

  private Lsm open(Workers workers, LsmOptions options) throws IOException {
    return Lsm.open(
        new DirectoryFileSystem(directory),
        workers,
        new SystemClock(),
        Randomness.of(1),
        "store",
        options);
  }

  private void liveInterrupted(LsmOptions options, Durability durability) throws IOException {
    try (Workers workers = new Workers(2)) {
      Thread.currentThread().interrupt();
      Lsm lsm = open(workers, options);
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      lsm.write(new WriteBatch().put(family, KEY, new byte[1]), durability);
      lsm.flush();
      lsm.checkpoint("copy");
      lsm.write(new WriteBatch().put(family, KEY, new byte[2]), durability);
      lsm.close();
      assertTrue(Thread.interrupted(), "the interrupt was lost");
      try (Lsm again = open(workers, options)) {
        ColumnFamily there = again.columnFamily("data", CompactionStyle.LEVELED);
        assertArrayEquals(new byte[2], again.get(there, KEY));
      }
    }
  }

  @Test
  void aStoreWithALog() throws IOException {
    liveInterrupted(LsmOptions.ofMemory(16 << 20), Durability.SYNC);
  }

  @Test
  void aStoreThatKeepsItsLogAtTheClose() throws IOException {
    liveInterrupted(LsmOptions.ofMemory(16 << 20).withLogKeptAtClose(), Durability.SYNC);
  }

  @Test
  void aStoreWithoutALog() throws IOException {
    liveInterrupted(LsmOptions.ofMemory(16 << 20).withoutLog(), Durability.NONE);
  }
}
