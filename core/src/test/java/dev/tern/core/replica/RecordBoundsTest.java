package dev.tern.core.replica;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.ValueType;
import dev.tern.core.version.Version;
import org.junit.jupiter.api.Test;

/// A record that is said to fit a frame does, with all that travels with it.
class RecordBoundsTest {
  private static final int FRAME_BYTES = 4_096;
  private final RecordBounds bounds = new RecordBounds(FRAME_BYTES);

  private static Siblings record(int siblings, int valueBytes, int extensionBytes) {
    Siblings record = null;
    for (int i = 1; i <= siblings; i++) {
      byte[] extension = extensionBytes == 0 ? null : new byte[extensionBytes];
      Version version =
          new Version(i, i, Stamp.put(i, i), 0, ValueType.BYTES, new byte[valueBytes], extension);
      record =
          record == null ? Siblings.of(version) : Siblings.united(record, Siblings.of(version));
    }
    return java.util.Objects.requireNonNull(record);
  }

  @Test
  void valuesAndExtensionsCountTogether() {
    assertTrue(bounds.fits(record(3, 1_000, 0)));
    assertFalse(bounds.fits(record(3, 1_200, 0)));
    assertFalse(bounds.fits(record(3, 1_000, 200)));
    assertFalse(bounds.fits(record(4, 10, 1_000)));
  }

  @Test
  void whatFitsIsSmallerThanTheFrame() {
    for (int extension = 0; extension <= 1_000; extension += 100) {
      for (int value = 0; value <= 1_200; value += 100) {
        Siblings record = record(3, value, extension);
        assertTrue(!bounds.fits(record) || record.encoded().length < FRAME_BYTES);
      }
    }
  }
}
