package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.file.StoreFiles;
import java.io.IOException;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A reader waits for the disk while others write, flush and compact: it keeps the memtables and
/// tables of its own moment, nothing that comes later, and its answer is right.
@Timeout(60)
class SlowReadTest {
  private static final int KEYS = 12;
  private static final int ROUNDS = 12;
  private static final byte[] OLD = new byte[100];
  private static final byte[] NEW = {1};

  private final MemoryFiles files = new MemoryFiles();
  private final WaitingJobs jobs = new WaitingJobs();
  private Lsm lsm;
  private ColumnFamily family;

  /// Reads something; the value of a key of long ago.
  private interface Reading {
    byte[] read() throws IOException;
  }

  /// A thread that reads, and is held up before one of the reads of the disk that it makes.
  private static final class Slow extends Thread {
    private final Reading reading;
    private final CountDownLatch reached = new CountDownLatch(1);
    private final Semaphore goOn = new Semaphore(0);
    private byte[] found;
    private Throwable thrown;

    /// How many reads of the disk are made before the one that is held up.
    private int left;

    Slow(Reading reading, int before) {
      this.reading = reading;
      this.left = before;
      setDaemon(true);
    }

    void beforeRead() {
      if (currentThread().equals(this) && left-- == 0) {
        reached.countDown();
        goOn.acquireUninterruptibly();
      }
    }

    @Override
    public void run() {
      try {
        found = reading.read();
      } catch (IOException | RuntimeException | Error e) {
        thrown = e;
      } finally {
        reached.countDown();
      }
    }
  }

  private void open() throws IOException {
    // No block is cached, and one file is open.
    LsmOptions options =
        LsmOptions.DEFAULT
            .withTuning(new LsmOptions.Tuning(4096, 0, 256, 1 << 20, LsmBug.NONE, 1))
            .withDurability(Durability.NONE)
            .withThreads(1);
    lsm = jobs.open(files, options);
    family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    ColumnFamily other = lsm.columnFamily("other", CompactionStyle.LEVELED);
    for (int i = 0; i < KEYS; i++) {
      lsm.append(new WriteBatch().put(family, Entries.key(i), OLD));
    }
    // The table of the other family is opened behind that of the first, which is closed for it.
    lsm.append(new WriteBatch().put(other, Entries.key(0), OLD));
    lsm.requestFlush();
    jobs.runAll();
  }

  private void overwrite(int round) throws IOException {
    for (int i = 0; i < KEYS; i++) {
      lsm.append(new WriteBatch().put(family, Entries.key(i), NEW));
    }
    lsm.append(new WriteBatch().put(family, Entries.key(KEYS + round), new byte[2000]));
    lsm.requestFlush();
    jobs.runAll();
    // Another file is opened in place of those of before.
    assertArrayEquals(NEW, lsm.get(family, Entries.key(round)));
  }

  /// How many reads of the disk were held up, each in a store of its own.
  private int heldUp(Reading reading) throws Exception {
    for (int held = 0; ; held++) {
      open();
      Slow slow = new Slow(reading, held);
      files.beforeRead(slow::beforeRead);
      slow.start();
      slow.reached.await();
      long before = lsm.statistics().memory().memtables();
      for (int round = 0; round < ROUNDS; round++) {
        overwrite(round);
      }
      long after = lsm.statistics().memory().memtables();
      String when = "at read %d: %d bytes, and %d before".formatted(held, after, before);
      assertTrue(after <= before + (16 << 10), when);
      slow.goOn.release();
      slow.join();
      if (slow.thrown != null) {
        throw new AssertionError("at read " + held, slow.thrown);
      }
      assertArrayEquals(OLD, slow.found, "at read " + held);
      jobs.runAll();
      lsm.retry();
      jobs.runAll();
      assertEquals(0, lsm.statistics().unreclaimed());
      assertEquals(lsm.statistics().tables(), StoreFiles.tables(files, "store").size());
      lsm.close();
      for (String name : new ArrayList<>(files.list("store"))) {
        files.delete("store/" + name);
      }
      if (slow.left >= 0) {
        return held;
      }
    }
  }

  @Test
  void aSlowGetKeepsItsOwnMomentOnly() throws Exception {
    assertTrue(heldUp(() -> lsm.get(family, Entries.key(7))) > 3);
  }

  @Test
  void slowGetsOfSeveralKeysKeepTheirMomentOnly() throws Exception {
    byte[][] keys = {Entries.key(3), Entries.key(11)};
    assertTrue(
        heldUp(
                () -> {
                  byte[][] values = lsm.multiGet(family, keys);
                  assertArrayEquals(OLD, values[0]);
                  return values[1];
                })
            > 5);
  }

  @Test
  void aSlowLoanKeepsItsOwnMomentOnly() throws Exception {
    assertTrue(
        heldUp(
                () ->
                    lsm.read(
                        family,
                        Entries.key(7),
                        (memory, offset, length) ->
                            memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE)))
            > 3);
  }

  @Test
  void aSlowIteratorKeepsItsOwnMomentOnly() throws Exception {
    assertTrue(
        heldUp(
                () -> {
                  try (LsmIterator rows = lsm.iterator(family, IteratorOptions.all())) {
                    rows.seek(Entries.key(7));
                    List<byte[]> found = new ArrayList<>();
                    for (; rows.valid(); rows.next()) {
                      found.add(rows.value());
                    }
                    assertEquals(KEYS - 7, found.size());
                    return found.getFirst();
                  }
                })
            > 3);
  }
}
