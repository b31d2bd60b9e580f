package dev.tern.lsm.table;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.DecodeException;
import dev.tern.lsm.file.CorruptionException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Blocks come back as they were, and bytes that are none are refused before they are trusted.
class CompressorTest {
  private static final int ALIKE = 10_000;

  private static byte[] alike(int length) {
    byte[] raw = new byte[length];
    for (int i = 0; i < length; i++) {
      raw[i] = (byte) (i / 100);
    }
    return raw;
  }

  /// As it lies in a table: payload, kind, checksum.
  private static ByteBuffer stored(byte[] payload, int length, int kind) {
    ByteBuffer stored = ByteBuffer.allocateDirect(length + Table.TRAILER_BYTES);
    stored.put(payload, 0, length).put((byte) kind);
    return stored.clear();
  }

  private static byte[] raw(ByteBuffer stored, int length) throws CorruptionException {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment into = arena.allocate(length);
      Compressor.decompress(stored, into, "file", 0);
      return into.toArray(ValueLayout.JAVA_BYTE);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {Compressor.LZ4, Compressor.ZSTD})
  void aBlockComesBack(int kind) throws CorruptionException {
    Compressor compressor = new Compressor(kind);
    byte[] block = alike(ALIKE);
    int packed = compressor.compress(block, block.length);
    assertTrue(packed > 0 && packed < ALIKE / 4, packed + " bytes");
    ByteBuffer stored = stored(compressor.out(), packed, kind);
    assertEquals(ALIKE, Compressor.rawLength(stored, 1 << 20, "file", 0));
    assertArrayEquals(block, raw(stored, ALIKE));
  }

  @ParameterizedTest
  @ValueSource(ints = {Compressor.LZ4, Compressor.ZSTD})
  void whatHardlyShrinksIsStoredAsItIs(int kind) {
    byte[] noise = new byte[4_096];
    new Random(1).nextBytes(noise);
    assertEquals(0, new Compressor(kind).compress(noise, noise.length));
    assertEquals(0, new Compressor(kind).compress(alike(127), 127), "too short to be worth it");
    assertEquals(0, new Compressor(Compressor.NONE).compress(alike(ALIKE), ALIKE));
  }

  @Test
  void aBlockThatIsStoredAsItIsComesBack() throws CorruptionException {
    byte[] block = {1, 2, 3};
    ByteBuffer stored = stored(block, 3, Compressor.NONE);
    assertEquals(3, Compressor.rawLength(stored, 1 << 20, "file", 0));
    assertArrayEquals(block, raw(stored, 3));
  }

  private static void refuses(byte[] payload, int kind, long most) {
    ByteBuffer stored = stored(payload, payload.length, kind);
    assertThrows(CorruptionException.class, () -> Compressor.rawLength(stored, most, "file", 0));
  }

  @Test
  void aLengthThatCannotBeIsRefusedBeforeMemoryIsTaken() {
    byte[] huge = {0x7f, (byte) 0xff, 0, 0, 1, 2, 3};
    refuses(huge, Compressor.LZ4, 1 << 20);
    refuses(huge, Compressor.ZSTD, 1 << 20);
    // LZ4 makes no more than 255 bytes of one.
    refuses(huge, Compressor.LZ4, Integer.MAX_VALUE);
    refuses(new byte[] {0, 0}, Compressor.LZ4, 1 << 20);
    refuses(new byte[] {0, 0, 0, 9, 1}, 3, 1 << 20);
    refuses(new byte[] {0, 0, 0, 9, 1}, -1, 1 << 20);
  }

  @ParameterizedTest
  @ValueSource(ints = {Compressor.LZ4, Compressor.ZSTD})
  void bytesThatAreNoBlockAreRefused(int kind) {
    Compressor compressor = new Compressor(kind);
    int packed = compressor.compress(alike(ALIKE), ALIKE);
    byte[] cut = Arrays.copyOf(compressor.out(), packed - 5);
    assertThrows(CorruptionException.class, () -> raw(stored(cut, cut.length, kind), ALIKE));
    byte[] whole = Arrays.copyOf(compressor.out(), packed);
    assertThrows(CorruptionException.class, () -> raw(stored(whole, packed, kind), ALIKE + 1));
  }

  @Test
  void aKindThatIsNotKnownIsRefused() {
    assertEquals(Compressor.ZSTD, Compressor.known(Compressor.ZSTD));
    assertThrows(DecodeException.class, () -> Compressor.known(3));
  }
}
