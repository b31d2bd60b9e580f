package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// A call that flushes ends beside writers that fill memtables as fast as they are flushed, and
/// each flush is told of.
@Timeout(60)
class FlushTurnTest {
  private static final int MOST = 100;

  private final ConcurrentLinkedQueue<Runnable> jobs = new ConcurrentLinkedQueue<>();

  /// Jobs wait until the test runs them; any thread may hand one over.
  private final class Jobs implements Offload {
    private int pauses;

    @Override
    public <T> void offload(Job<T> job, Completion<T> completion) {
      jobs.add(
          () -> {
            T result = null;
            Throwable failure = null;
            try {
              result = job.run();
            } catch (Exception e) {
              failure = e;
            }
            completion.complete(result, failure);
          });
    }

    @Override
    public void pause(long nanos) {
      if (++pauses > 10_000) {
        throw new IllegalStateException("a writer waits for itself");
      }
    }
  }

  private Lsm lsm;
  private ColumnFamily family;

  private void open() throws IOException {
    LsmOptions options = Bed.options(2048, 8192, 256, 8192).withDurability(Durability.NONE);
    lsm =
        Lsm.open(
            new MemoryFiles(), new Jobs(), WaitingJobs.STOPPED, Randomness.of(1), "store", options);
    family = lsm.columnFamily("data", CompactionStyle.SIZE_TIERED);
    runAll();
  }

  private void runAll() {
    for (Runnable job = jobs.poll(); job != null; job = jobs.poll()) {
      job.run();
    }
  }

  /// A memtable that is due to be flushed.
  private void fill() {
    for (int i = 0; i < 8; i++) {
      lsm.append(new WriteBatch().put(family, Entries.key(i), new byte[500]));
    }
  }

  /// During each flush another memtable is filled and rotated.
  @Test
  void aFlushWaitsForNothingThatIsWrittenLater() throws IOException {
    open();
    fill();
    runAll();
    int[] flushes = {0};
    lsm.afterFlush(
        flushed -> {
          if (++flushes[0] < MOST) {
            fill();
            runAll();
          }
        });
    lsm.append(new WriteBatch().put(family, Entries.key(1), new byte[1]));
    long wanted = lsm.writtenSequence();
    lsm.flush();
    assertTrue(lsm.flushedSequence() >= wanted);
    assertTrue(flushes[0] < MOST, "the flush followed the writers");
    lsm.afterFlush(flushed -> {});
    runAll();
    lsm.close();
  }

  /// Whenever a job of the store ends, there is another memtable to flush.
  @Test
  void aFlushHasItsTurnBesideWriters() throws Exception {
    open();
    fill();
    List<Throwable> thrown = new ArrayList<>();
    Thread flush =
        new Thread(
            () -> {
              try {
                lsm.flush();
              } catch (IOException | RuntimeException | Error e) {
                thrown.add(e);
              }
            });
    flush.setDaemon(true);
    flush.start();
    while (flush.getState() != Thread.State.WAITING) {
      assertTrue(flush.isAlive(), "no job was under way");
      LockSupport.parkNanos(10_000);
    }
    int ran = 0;
    while (flush.isAlive()) {
      Runnable job = jobs.poll();
      if (job == null) {
        LockSupport.parkNanos(10_000);
      } else {
        assertTrue(++ran < MOST, "the flush does not get its turn");
        fill();
        job.run();
      }
    }
    flush.join();
    assertEquals(List.of(), thrown);
    runAll();
    assertNull(lsm.statistics().lastFailure());
    lsm.close();
  }

  /// A listener that writes while memtables are full is told so: the flush that makes room waits
  /// for the listener.
  @Test
  void aListenerThatWouldWaitForItselfIsRefused() throws IOException {
    open();
    List<IOException> refusals = new ArrayList<>();
    int[] flushes = {0};
    lsm.afterFlush(
        flushed -> {
          if (flushes[0]++ == 0) {
            for (int i = 0; i < MOST && !lsm.pressure().refused(); i++) {
              fill();
              runAll();
            }
            assertTrue(lsm.pressure().refused());
            refusals.add(
                assertThrows(
                    WriteRefusedException.class,
                    () -> lsm.write(new WriteBatch().put(family, Entries.key(1), new byte[9]))));
          }
        });
    fill();
    runAll();
    assertEquals(1, refusals.size(), () -> lsm.statistics().lastFailure());
    assertTrue(refusals.getFirst().getMessage().contains("listener"));
    lsm.write(new WriteBatch().put(family, Entries.key(1), new byte[9]));
    lsm.afterFlush(flushed -> {});
    lsm.close();
  }

  /// An error of the disk at any operation: once a flush has succeeded it is told of.
  @Test
  void eachFlushIsToldOfThoughItsLogsCannotBeDeleted() throws IOException {
    boolean failed = true;
    int failures = 0;
    for (long at = 0; failed; at++) {
      Bed bed = new Bed(at);
      bed.options = bed.options.withArchive((path, number) -> {});
      Lsm store = bed.open();
      ColumnFamily data = store.columnFamily("data", CompactionStyle.LEVELED);
      bed.settle();
      List<Long> told = new ArrayList<>();
      store.afterFlush(told::add);
      store.append(new WriteBatch().put(data, Entries.key(1), new byte[10]));
      bed.disk.failAfter(at, 1);
      long wanted = store.requestFlush();
      for (int i = 0; i < 4; i++) {
        bed.settle();
        store.retry();
      }
      failed = bed.disk.hasFailed();
      failures += failed ? 1 : 0;
      bed.disk.heal();
      bed.settle();
      // An fsync of a log that fails is final.
      if (store.failure() == null) {
        assertEquals(wanted, store.flushedSequence());
        assertEquals(List.of(wanted), told, "an error at operation " + at);
      }
      store.close();
    }
    assertTrue(failures > 3, "failures: " + failures);
  }
}
