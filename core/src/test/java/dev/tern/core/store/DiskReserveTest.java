package dev.tern.core.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;

import org.junit.jupiter.api.Test;

class DiskReserveTest {
  private static final long MIB = 1 << 20;

  @Test
  void writesAreTakenAgainWhenThereIsAQuarterMore() {
    DiskReserve reserve = new DiskReserve(256 * MIB);
    reserve.measured(256 * MIB, 10_000 * MIB);
    assertNull(reserve.low());
    reserve.measured(256 * MIB - 1, 10_000 * MIB);
    assertEquals("255 MiB of the disk are free, and 256 MiB are kept free", reserve.low());
    reserve.measured(319 * MIB, 10_000 * MIB);
    assertNotNull(reserve.low());
    reserve.measured(320 * MIB, 10_000 * MIB);
    assertNull(reserve.low());
  }

  @Test
  void ofASmallDiskASixteenthIsKept() {
    DiskReserve reserve = new DiskReserve(256 * MIB);
    reserve.measured(60 * MIB, 4 * MIB);
    assertNull(reserve.low());
    reserve.measured(3 * MIB, 61 * MIB);
    assertNotNull(reserve.low());
  }

  @Test
  void nothingIsKeptIfNothingIsWanted() {
    DiskReserve.NONE.measured(0, 100);
    assertNull(DiskReserve.NONE.low());
  }
}
