package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.world.World;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/// The mark behind an edit is not forced: a power cut in the fsync of the next edit may take it and
/// leave that edit whole.
class ManifestMarkTest {
  private static final int SECTOR_BYTES = 512;
  private static final int MARK_BYTES = 17;

  /// A family whose edit's mark lies across two sectors; the power goes as the next edit is forced.
  ///
  /// @return whether the mark lies so
  private static boolean cut(String name, int seed) throws IOException {
    Bed bed = new Bed(seed);
    Lsm lsm = bed.open();
    lsm.columnFamily(name, CompactionStyle.LEVELED);
    String manifest =
        bed.disk.list(Bed.STORE).stream().filter(n -> n.startsWith("MANIFEST")).findFirst().get();
    if (bed.disk.size(Bed.STORE + "/" + manifest) % SECTOR_BYTES >= MARK_BYTES) {
      return false;
    }
    bed.disk.crashAfter(1);
    assertThrows(World.Crash.class, () -> lsm.columnFamily("next", CompactionStyle.LEVELED));
    bed.powerCut();
    try (Lsm again = bed.open()) {
      assertTrue(
          again.columnFamilies().stream().anyMatch(family -> family.name().equals(name)),
          "a family that was told of is gone");
    }
    return true;
  }

  @Test
  void aStoreOpensWhenThePowerGoesBetweenTwoEdits() throws IOException {
    int cuts = 0;
    for (int length = 1; length < 600; length++) {
      String name = "x".repeat(length);
      for (int seed = 1; seed < 14 && cut(name, seed); seed++) {
        cuts++;
      }
    }
    assertTrue(cuts > 50, "cuts: " + cuts);
  }
}
