package dev.tern.lsm;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.env.Clock;
import dev.tern.env.Offload;
import dev.tern.env.Randomness;
import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// Something is thrown in the middle of a write, memory being short for instance.
class FailedAppendTest {
  private final MemoryFiles files = new MemoryFiles();

  private static final class HereAndNow implements Offload {
    @Override
    public <T> void offload(Job<T> job, Completion<T> completion) {
      T result;
      try {
        result = job.run();
      } catch (Exception e) {
        completion.complete(null, e);
        return;
      }
      completion.complete(result, null);
    }

    @Override
    public void pause(long nanos) {
      // Nobody else is there.
    }
  }

  private static final class Stopped implements Clock {
    @Override
    public long monotonicNanos() {
      return 1;
    }

    @Override
    public long wallMillis() {
      return 1;
    }
  }

  private LsmOptions options = LsmOptions.DEFAULT;

  private Lsm open() throws IOException {
    return Lsm.open(files, new HereAndNow(), new Stopped(), Randomness.of(1), "store", options);
  }

  @Test
  void aStoreThatGoesOnBehindHalfABatchIsFound() {
    LsmOptions.Tuning plain = options.tuning();
    options =
        options.withTuning(
            new LsmOptions.Tuning(
                plain.memtableBytes(),
                plain.cacheBytes(),
                plain.blockBytes(),
                plain.tableBytes(),
                LsmBug.HALF_BATCH_GOES_ON));
    assertThrows(
        AssertionError.class,
        this::aBatchThatIsInTheLogAndNotInTheMemtablesFailsTheStoreAndIsNowhere);
  }

  private static byte[] bytes(String text) {
    return text.getBytes(US_ASCII);
  }

  @Test
  void aBatchThatIsInTheLogAndNotInTheMemtablesFailsTheStoreAndIsNowhere() throws IOException {
    Lsm lsm = open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    ColumnFamily other = lsm.columnFamily("other", CompactionStyle.LEVELED);
    lsm.write(
        new WriteBatch().put(family, bytes("a"), bytes("1")).put(other, bytes("a"), bytes("1")));
    ReadState state = lsm.readers.acquire();
    // Of the batch's two entries the memtables take one.
    other.in(state, lsm.tables).active().recycle();
    WriteBatch half = new WriteBatch().put(family, bytes("b"), bytes("2"));
    half.put(other, bytes("b"), bytes("2"));
    assertThrows(RuntimeException.class, () -> lsm.write(half));
    assertNotNull(lsm.failure());
    assertNull(lsm.get(family, bytes("b")));
    WriteBatch next = new WriteBatch().put(family, bytes("c"), bytes("3"));
    assertThrows(IllegalStateException.class, () -> lsm.write(next));
    assertThrows(IllegalStateException.class, () -> lsm.append(next));
    assertThrows(IOException.class, lsm::flushLog);
    assertNull(lsm.get(family, bytes("b")));
    assertArrayEquals(bytes("1"), lsm.get(family, bytes("a")));
    lsm.close();
    try (Lsm again = open()) {
      for (String name : new String[] {"data", "other"}) {
        ColumnFamily found = again.columnFamily(name, CompactionStyle.LEVELED);
        assertArrayEquals(bytes("1"), again.get(found, bytes("a")));
        assertNull(again.get(found, bytes("b")));
        assertNull(again.get(found, bytes("c")));
      }
    }
  }
}
