package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import org.junit.jupiter.api.Test;

/// A caller repeats what fails, as the documents say it may.
class RepeatedFlushTest {
  private static final int MEMTABLES = 4;

  @Test
  void aFlushThatFailsAgainAndAgainAddsNoMemtables() throws IOException {
    Bed bed = new Bed(1);
    bed.options = Bed.options(64 << 10, 8192, 256, 2048).withoutLog();
    Lsm lsm = bed.open();
    ColumnFamily family = lsm.columnFamily("f", CompactionStyle.LEVELED);
    lsm.append(new WriteBatch().put(family, Bed.bytes("k"), Bed.bytes("v")));
    lsm.flushLog();
    bed.disk.full = true;
    for (int i = 0; i < 50; i++) {
      assertThrows(IOException.class, lsm::flush);
      bed.settle();
    }
    int immutable = lsm.statistics().immutableMemtables();
    assertTrue(immutable < MEMTABLES, immutable + " memtables wait for their flush");
    bed.disk.full = false;
    lsm.flush();
    assertArrayEquals(Bed.bytes("v"), lsm.get(family, Bed.bytes("k")));
    lsm.close();
  }
}
