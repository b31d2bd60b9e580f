package dev.tern.lsm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.world.World;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The room of values that have expired is given back in each style, though nothing is written, and
/// what they hid stays hidden.
class ExpiredSpaceTest {
  private static final int KEYS = 40;

  private final Bed bed = new Bed(4);
  private Lsm lsm;
  private ColumnFamily family;

  private void open(FamilyOptions options) throws IOException {
    bed.options = Bed.options(64 << 10, 8192, 256, 2048);
    lsm = bed.open();
    family = lsm.columnFamily("data", options);
  }

  private static FamilyOptions of(CompactionStyle style, long ttlMillis) {
    long most = style == CompactionStyle.FIFO ? 1 << 20 : 0;
    return new FamilyOptions(style, Compression.NONE, ttlMillis, most);
  }

  private void put(byte value, long expiresMillis) throws IOException {
    byte[] bytes = new byte[200];
    java.util.Arrays.fill(bytes, value);
    for (int i = 0; i < KEYS; i++) {
      lsm.append(
          expiresMillis == 0
              ? new WriteBatch().put(family, key(i), bytes)
              : new WriteBatch().put(family, key(i), bytes, expiresMillis));
    }
    bed.settle();
    lsm.flush();
    bed.settle();
  }

  private static byte[] key(int number) {
    return Bed.bytes("key-%03d".formatted(number));
  }

  /// Nothing is written for a while.
  private void pass(long seconds) {
    bed.world.runUntil(bed.world.nanos() + seconds * World.SECOND);
    for (int i = 0; i < 4; i++) {
      lsm.retry();
      bed.world.runUntil(bed.world.nanos() + 2 * World.SECOND);
    }
  }

  private long bytes() {
    return lsm.statistics().levels().stream().mapToLong(LsmStatistics.Level::bytes).sum();
  }

  private void assertAll(byte[] wanted) throws IOException {
    for (int i = 0; i < KEYS; i++) {
      byte[] found = lsm.get(family, key(i));
      assertArrayEquals(wanted, found == null ? null : new byte[] {found[0]}, "key " + i);
    }
  }

  @ParameterizedTest
  @EnumSource(CompactionStyle.class)
  void whatHasExpiredGivesItsRoomBack(CompactionStyle style) throws IOException {
    open(of(style, 0));
    put((byte) 1, bed.clock.wallMillis() + 20_000);
    assertTrue(bytes() > 200 * KEYS, "bytes: " + bytes());
    pass(30);
    assertEquals(0, bytes());
    assertAll(null);
    // And again: the next time it is not the first.
    put((byte) 2, bed.clock.wallMillis() + 20_000);
    assertAll(new byte[] {2});
    pass(30);
    assertEquals(0, bytes());
    lsm.close();
  }

  /// What expires hides what is older, which stays.
  @ParameterizedTest
  @EnumSource(CompactionStyle.class)
  void whatItHidStaysHidden(CompactionStyle style) throws IOException {
    open(of(style, 0));
    put((byte) 1, 0);
    try (Snapshot before = lsm.snapshot()) {
      put((byte) 2, bed.clock.wallMillis() + 20_000);
      long both = bytes();
      pass(30);
      assertTrue(bytes() < both * 3 / 4, bytes() + " of " + both);
      assertAll(null);
      assertEquals(1, lsm.get(family, key(3), before)[0]);
    }
    put((byte) 3, 0);
    pass(30);
    assertAll(new byte[] {3});
    lsm.close();
  }

  /// A table of a FIFO family that was written anew goes when what it holds is old.
  @Test
  void aTableThatIsWrittenAnewIsAsOldAsItWas() throws IOException {
    open(of(CompactionStyle.FIFO, 60_000));
    put((byte) 1, bed.clock.wallMillis() + 20_000);
    lsm.append(new WriteBatch().put(family, Bed.bytes("stays"), new byte[10]));
    put((byte) 2, bed.clock.wallMillis() + 20_000);
    pass(30);
    assertAll(null);
    assertArrayEquals(new byte[10], lsm.get(family, Bed.bytes("stays")));
    assertTrue(bytes() > 0);
    pass(25);
    assertNull(lsm.get(family, Bed.bytes("stays")));
    assertEquals(0, bytes());
    lsm.close();
  }
}
