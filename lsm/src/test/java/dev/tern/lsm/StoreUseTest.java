package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/// A store in the hands of somebody who read the public methods only.
class StoreUseTest {
  private final MemoryFiles files = new MemoryFiles();
  private final WaitingJobs jobs = new WaitingJobs();

  private Lsm open() throws IOException {
    return jobs.open(files, LsmOptions.DEFAULT);
  }

  private Lsm openReadOnly(String directory) throws IOException {
    return Lsm.openReadOnly(files, jobs, WaitingJobs.STOPPED, directory, LsmOptions.DEFAULT);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  @Test
  void aNameThatWouldBeAnotherOneAfterAnOpeningIsRefused() throws IOException {
    try (Lsm lsm = open()) {
      for (String name : List.of("\ud800", "a\udc00b", "\udc00\ud800")) {
        assertThrows(
            IllegalArgumentException.class,
            () -> lsm.columnFamily(name, CompactionStyle.LEVELED),
            () -> "name of %d chars".formatted(name.length()));
      }
      lsm.columnFamily("\ud83e\udd86 \u00e9", CompactionStyle.LEVELED);
      lsm.columnFamily("", CompactionStyle.LEVELED);
    }
    try (Lsm lsm = open()) {
      List<String> names = lsm.columnFamilies().stream().map(ColumnFamily::name).toList();
      assertEquals(List.of("\ud83e\udd86 \u00e9", ""), names);
    }
  }

  @Test
  void noMemoryAndNoSnapshotAreRefusedAtOnce() throws IOException {
    LsmOptions usual = LsmOptions.DEFAULT;
    for (long memory : new long[] {0, -1, Long.MIN_VALUE}) {
      assertThrows(
          IllegalArgumentException.class,
          () ->
              new LsmOptions(
                  memory,
                  usual.threads(),
                  usual.durability(),
                  usual.tuning(),
                  true,
                  true,
                  LogArchive.NONE,
                  null));
    }
    try (Lsm lsm = open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      Snapshot none = null;
      assertThrows(NullPointerException.class, () -> lsm.get(family, bytes("a"), none));
    }
  }

  @Test
  void boundsBelongToTheIteratorOnceItIsMade() throws IOException {
    try (Lsm lsm = open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      for (String key : List.of("a", "b", "c", "d", "e")) {
        lsm.write(new WriteBatch().put(family, bytes(key), bytes(key)));
      }
      byte[] lower = bytes("b");
      byte[] upper = bytes("d");
      try (var rows = lsm.iterator(family, IteratorOptions.all().range(lower, upper))) {
        Arrays.fill(lower, (byte) 'a');
        Arrays.fill(upper, (byte) 'z');
        rows.seekToFirst();
        assertArrayEquals(bytes("b"), rows.key());
        rows.seekToLast();
        assertArrayEquals(bytes("c"), rows.key());
        rows.next();
        assertFalse(rows.valid());
      }
    }
  }

  @Test
  void aReadOnlyStoreIsOneAndLooksOnly() throws IOException {
    assertThrows(IOException.class, () -> openReadOnly("nowhere"));
    try (Lsm lsm = open()) {
      lsm.columnFamily("data", CompactionStyle.LEVELED);
    }
    try (Lsm lsm = openReadOnly("store")) {
      assertThrows(
          IllegalArgumentException.class, () -> lsm.columnFamily("data", CompactionStyle.FIFO));
      assertThrows(
          IllegalStateException.class, () -> lsm.columnFamily("else", CompactionStyle.FIFO));
      assertThrows(IllegalStateException.class, () -> lsm.checkpoint("copy"));
      assertEquals(List.of(), files.list("copy"));
    }
  }

  @Test
  void whatIsNotThereIsRefusedAtOnce() throws IOException {
    try (Lsm lsm = open()) {
      lsm.columnFamily("data", CompactionStyle.LEVELED);
      assertThrows(NullPointerException.class, () -> lsm.beforeGroupEnds(null));
      lsm.flushLog();
    }
    LsmOptions options = LsmOptions.DEFAULT;
    assertThrows(
        NullPointerException.class,
        () -> Lsm.open(files, null, WaitingJobs.STOPPED, null, "store", options));
  }

  @Test
  void anIteratorThatCannotBeMadeKeepsNothing() throws IOException {
    try (Lsm lsm = open()) {
      ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
      ReadState state = lsm.readers.acquire();
      assertFalse(state.release());
      assertThrows(NullPointerException.class, () -> lsm.iterator(null, IteratorOptions.all()));
      lsm.columnFamily("other", CompactionStyle.LEVELED);
      Memtable active = family.in(state, lsm.tables).active();
      assertTrue(active.letGo(), "more than the present state holds it");
      active.hold();
    }
  }

  @Test
  void whoeverClosesAStoreFindsItClosed() throws Exception {
    Lsm lsm = open();
    AtomicBoolean closed = new AtomicBoolean();
    AtomicBoolean early = new AtomicBoolean();
    Thread[] second = new Thread[1];
    lsm.beforeGroupEnds(
        () -> {
          // The store is closing.
          second[0] =
              Thread.ofPlatform()
                  .start(
                      () -> {
                        try {
                          lsm.close();
                        } catch (IOException e) {
                          throw new AssertionError(e);
                        }
                        early.set(!closed.get());
                      });
          while (second[0].getState() == Thread.State.RUNNABLE
              || second[0].getState() == Thread.State.NEW) {
            Thread.onSpinWait();
          }
          closed.set(true);
        });
    lsm.close();
    second[0].join();
    assertFalse(early.get());
    assertTrue(closed.get());
  }

  /// A thread that flushes has the lock that these need, and waits for the one of the hook.
  @Test
  void whatRunsBeforeAGroupEndsIsRefusedWhatCouldStandStill() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    List<Executable> calls =
        List.of(
            lsm::columnFamilies,
            () -> lsm.columnFamily("data", CompactionStyle.LEVELED),
            lsm::staged,
            lsm::pinTables,
            lsm::flush,
            lsm::close,
            () -> lsm.stage("x", family, List.of("y"), Staging.LINK),
            () -> lsm.abandonStaged("x"),
            () -> lsm.ingest("x", List.of()),
            () -> lsm.replace("x", List.of()),
            () -> lsm.checkpoint("elsewhere"));
    AtomicInteger refused = new AtomicInteger();
    lsm.beforeGroupEnds(
        () -> {
          for (Executable call : calls) {
            IllegalStateException e = assertThrows(IllegalStateException.class, call);
            assertTrue(e.getMessage().startsWith("what runs before a group ends"), e::toString);
            refused.incrementAndGet();
          }
          lsm.append(new WriteBatch().put(family, new byte[1], new byte[1]));
        });
    lsm.append(new WriteBatch().put(family, new byte[2], new byte[2]));
    lsm.flushLog();
    assertEquals(calls.size(), refused.get());
    assertArrayEquals(new byte[1], lsm.get(family, new byte[1]));
    lsm.beforeGroupEnds(() -> {});
    assertEquals(1, lsm.columnFamilies().size());
    lsm.close();
  }
}
