package dev.tern.bench.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.zip.Deflater;
import org.junit.jupiter.api.Test;

class RecordsTest {
  private final Records records = new Records(1000, 101, 7);
  private final byte[] value = new byte[101];
  private final byte[] scratch = new byte[101];

  @Test
  void keysAreInOrderAndMissingOnesBetweenThem() {
    byte[] before = new byte[Records.KEY_BYTES];
    byte[] missing = new byte[Records.KEY_BYTES];
    byte[] after = new byte[Records.KEY_BYTES];
    for (int i = 0; i < 999; i++) {
      records.key(i, before);
      records.missingKey(i, missing);
      records.key(i + 1, after);
      assertTrue(Arrays.compareUnsigned(before, missing) < 0);
      assertTrue(Arrays.compareUnsigned(missing, after) < 0);
      assertTrue(records.isKey(i, before));
      assertEquals(i, Records.index(before));
    }
  }

  @Test
  void valuesAreTheSameForTheSameSeedAndHalfCompressible() {
    byte[] large = new byte[4096];
    new Records(10, 4096, 7).value(3, 9, large);
    byte[] again = new byte[4096];
    new Records(10, 4096, 7).value(3, 9, again);
    assertArrayEquals(large, again);
    try (Deflater deflater = new Deflater()) {
      deflater.setInput(large);
      deflater.finish();
      int bytes = deflater.deflate(new byte[8192]);
      assertTrue(bytes > 2048 && bytes < 2300, bytes + " bytes");
    }
  }

  @Test
  void acceptsWhatWasAcknowledgedAndWhatIsOnItsWay() {
    records.acknowledge(5, 3);
    for (int generation = 3; generation <= 4; generation++) {
      records.value(5, generation, value);
      records.check(5, 3, value, scratch);
    }
  }

  @Test
  void acceptsGenerationsAcrossTheirEnd() {
    records.acknowledge(5, 255);
    assertEquals(1, records.nextGeneration(5));
    records.value(5, 1, value);
    records.check(5, 255, value, scratch);
  }

  @Test
  void refusesStaleForeignAndDamagedValues() {
    records.acknowledge(5, 3);
    records.value(5, 2, value);
    assertThrows(IllegalStateException.class, () -> records.check(5, 3, value, scratch));
    records.value(6, 3, value);
    assertThrows(IllegalStateException.class, () -> records.check(5, 3, value, scratch));
    records.value(5, 3, value);
    value[20] ^= 1;
    assertThrows(IllegalStateException.class, () -> records.check(5, 3, value, scratch));
    assertThrows(IllegalStateException.class, () -> records.glance(5, null));
    assertThrows(IllegalStateException.class, () -> records.glance(5, new byte[100]));
  }
}
