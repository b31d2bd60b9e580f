package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/// Families that all have work are served in turns.
class FairnessTest {
  private static final int FAMILIES = 4;

  private static List<Integer> young(Lsm lsm, List<ColumnFamily> families) {
    ReadState now = lsm.readers.acquire();
    try {
      List<Integer> counts = new ArrayList<>();
      families.forEach(family -> counts.add(family.in(now, lsm.tables).levels().level(0).length));
      return counts;
    } finally {
      lsm.readers.letGo(now);
    }
  }

  @Test
  void familiesTakeTurns() throws IOException {
    WaitingJobs background = new WaitingJobs();
    LsmOptions options = LsmOptions.ofMemory(64 << 20).withThreads(1);
    try (Lsm lsm = background.open(new MemoryFiles(), options)) {
      List<ColumnFamily> families = new ArrayList<>();
      for (int i = 0; i < FAMILIES; i++) {
        families.add(lsm.columnFamily("family-" + i, CompactionStyle.SIZE_TIERED));
      }
      for (int flush = 0; flush < 6; flush++) {
        WriteBatch batch = new WriteBatch();
        for (ColumnFamily family : families) {
          batch.put(family, new byte[] {(byte) flush}, new byte[100]);
        }
        lsm.write(batch, Durability.OS);
        lsm.flush();
      }
      assertEquals(List.of(6, 6, 6, 6), young(lsm, families));
      List<Integer> order = new ArrayList<>();
      while (!background.jobs.isEmpty() && order.size() < FAMILIES) {
        List<Integer> before = young(lsm, families);
        background.jobs.poll().run();
        List<Integer> after = young(lsm, families);
        for (int i = 0; i < FAMILIES; i++) {
          if (after.get(i) < before.get(i)) {
            order.add(i);
            // More work for it: it must not be served again before the others were.
            for (int flush = 0; flush < 6; flush++) {
              lsm.write(new WriteBatch().put(families.get(i), new byte[3], new byte[100]));
              lsm.flush();
            }
          }
        }
      }
      assertEquals(List.of(0, 1, 2, 3), order.stream().sorted().toList());
    }
  }
}
