package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Loans from memtables, cached blocks and blocks that are not cached: exact, read-only, over with
/// the call, and at nobody's expense.
class LoanTest {
  private static final int KEYS = 600;

  private final WaitingJobs background = new WaitingJobs();
  private final MemoryFiles files = new MemoryFiles();

  private static LsmOptions options(long cacheBytes) {
    return LsmOptions.DEFAULT.withTuning(
        new LsmOptions.Tuning(1 << 20, cacheBytes, 512, 1 << 20, LsmBug.NONE));
  }

  private static byte[] key(int number) {
    return "key-%05d".formatted(number).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
  }

  private static byte[] value(int number) {
    byte[] value = new byte[50 + number % 100];
    Arrays.fill(value, (byte) number);
    return value;
  }

  private static ColumnFamily fill(Lsm lsm) throws IOException {
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    WriteBatch batch = new WriteBatch();
    for (int i = 0; i < KEYS; i++) {
      batch.put(family, key(i), value(i), Long.MAX_VALUE);
    }
    lsm.write(batch, Durability.OS);
    return family;
  }

  private static void check(Lsm lsm, ColumnFamily family) throws IOException {
    List<MemorySegment> kept = new ArrayList<>();
    for (int i = 0; i < KEYS; i++) {
      byte[] wanted = value(i);
      byte[] lent =
          lsm.read(
              family,
              key(i),
              (memory, offset, length) -> {
                kept.add(memory);
                assertEquals(wanted.length, length);
                assertEquals(length, memory.byteSize() - offset);
                assertTrue(memory.isReadOnly());
                assertThrows(
                    RuntimeException.class,
                    () -> memory.set(ValueLayout.JAVA_BYTE, offset, (byte) 9));
                return memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
              });
      assertArrayEquals(wanted, lent);
    }
    for (MemorySegment late : kept) {
      assertThrows(IllegalStateException.class, () -> late.get(ValueLayout.JAVA_BYTE, 0));
    }
    for (int i = 0; i < KEYS; i++) {
      assertArrayEquals(value(i), lsm.get(family, key(i)));
    }
  }

  @Test
  void aLoanIsExactReadOnlyAndOverWithTheCall() throws IOException {
    for (long cacheBytes : new long[] {0, 8 << 10, 1 << 20}) {
      try (Lsm lsm = background.open(new MemoryFiles(), options(cacheBytes))) {
        ColumnFamily family = fill(lsm);
        check(lsm, family);
        lsm.flush();
        check(lsm, family);
        assertEquals(0, lsm.read(family, new byte[1], (memory, at, length) -> 1) == null ? 0 : 1);
      }
    }
  }

  /// A reader that takes its time while everything else goes on.
  @Test
  void aSlowReaderHoldsOneBlock() throws IOException {
    try (Lsm lsm = background.open(files, options(16 << 10))) {
      ColumnFamily family = fill(lsm);
      lsm.flush();
      Boolean done =
          lsm.read(
              family,
              key(7),
              (memory, offset, length) -> {
                try {
                  for (int round = 0; round < 4; round++) {
                    for (int i = 0; i < KEYS; i++) {
                      assertArrayEquals(value(i), lsm.get(family, key(i)));
                    }
                    lsm.write(new WriteBatch().put(family, key(KEYS), value(round)), Durability.OS);
                    lsm.flush();
                    background.runAll();
                  }
                } catch (IOException e) {
                  throw new AssertionError(e);
                }
                assertEquals(0, lsm.statistics().unreclaimed());
                assertArrayEquals(
                    value(7), memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE));
                return true;
              });
      assertEquals(true, done);
    }
  }

  @Test
  void theStoreIsClosedDuringALoan() throws IOException {
    Lsm lsm = background.open(files, options(1 << 20));
    ColumnFamily family = fill(lsm);
    lsm.flush();
    assertNotNull(lsm.get(family, key(3)));
    byte[] found =
        lsm.read(
            family,
            key(3),
            (memory, offset, length) -> {
              try {
                lsm.close();
              } catch (IOException e) {
                throw new AssertionError(e);
              }
              return memory.asSlice(offset, length).toArray(ValueLayout.JAVA_BYTE);
            });
    assertArrayEquals(value(3), found);
  }
}
