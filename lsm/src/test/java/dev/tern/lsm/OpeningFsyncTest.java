package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.world.World;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// An fsync of the manifest fails, the process is started again, and the power goes in that
/// opening: the page cache had an edit that the disk never got.
class OpeningFsyncTest {
  private Bed bed;

  /// Whether a flush fails at one operation of the disk.
  private boolean failsAt(long operation) throws IOException {
    Lsm lsm = bed.open();
    ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
    lsm.write(new WriteBatch().put(family, Bed.bytes("key"), new byte[1]), Durability.SYNC);
    bed.disk.failAfter(operation, 1);
    try {
      lsm.flush();
      return false;
    } catch (IOException e) {
      return true;
    }
  }

  /// Whether an opening and a close come to one operation of the disk.
  private boolean crashesAt(long operation) throws IOException {
    bed.disk.crashAfter(operation);
    try {
      bed.open().close();
      return false;
    } catch (World.Crash e) {
      return true;
    }
  }

  @Test
  void anOpeningDeletesNothingByAManifestThatOnlyTheCacheHas() throws IOException {
    int cuts = 0;
    for (int failure = 0; failure < 24; failure++) {
      for (int crash = 0; crash < 24; crash++) {
        bed = new Bed(24 * failure + crash);
        bed.options = Bed.options(64 << 10, 8192, 256, 2048);
        boolean failed = failsAt(failure);
        // The process is killed: the cache stays.
        bed.world.end(1);
        bed.disk.heal();
        if (failed && crashesAt(crash)) {
          bed.powerCut();
          cuts++;
          try (Lsm lsm = bed.open()) {
            ColumnFamily family = lsm.columnFamily("data", CompactionStyle.LEVELED);
            assertNotNull(
                lsm.get(family, Bed.bytes("key")),
                "lost by an error at %d and a cut at %d".formatted(failure, crash));
          }
        }
      }
    }
    assertTrue(cuts > 50, "cuts: " + cuts);
  }
}
