package dev.tern.core.keyspace;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import org.junit.jupiter.api.Test;

class KeyHashTest {
  /// The seed of the paper's test vectors: bytes 0 to 15, read as two little-endian words.
  private static final KeyHash VECTORS = new KeyHash(0x0706050403020100L, 0x0f0e0d0c0b0a0908L);

  private static byte[] counting(int length) {
    byte[] bytes = new byte[length];
    for (int i = 0; i < length; i++) {
      bytes[i] = (byte) i;
    }
    return bytes;
  }

  /// Values of another implementation that gives the paper's vector for SipHash-2-4.
  @Test
  void itIsSipHashOfOneAndThreeRounds() {
    assertEquals(0xabac0158050fc4dcL, VECTORS.sip(counting(0), 0, 0));
    assertEquals(0xc9f49bf37d57ca93L, VECTORS.sip(counting(1), 0, 1));
    assertEquals(0xd3927d989bb11140L, VECTORS.sip(counting(7), 0, 7));
    assertEquals(0x369095118d299a8eL, VECTORS.sip(counting(8), 0, 8));
    assertEquals(0xd320d86d2a519956L, VECTORS.sip(counting(15), 0, 15));
    assertEquals(0xcc4fdd1a7d908b66L, VECTORS.sip(counting(16), 0, 16));
    assertEquals(0x9d199062b7bbb3a8L, VECTORS.sip(counting(63), 0, 63));
    assertEquals(0xabac0158 ^ 0x050fc4dc, VECTORS.of(counting(0)));
    assertEquals(VECTORS.of(counting(8)), VECTORS.of(shifted(counting(8)), 3, 8));
  }

  private static byte[] shifted(byte[] bytes) {
    byte[] longer = new byte[bytes.length + 5];
    System.arraycopy(bytes, 0, longer, 3, bytes.length);
    return longer;
  }

  @Test
  void everyKeyspaceHasASeedOfItsOwn() {
    KeyHash first = KeyHash.derived(new byte[] {1, 2}, 1);
    assertEquals(first, KeyHash.derived(new byte[] {1, 2}, 1));
    assertNotEquals(first, KeyHash.derived(new byte[] {1, 2}, 2));
    assertNotEquals(first, KeyHash.derived(new byte[] {2, 1}, 1));
    assertNotEquals(first.high(), first.low());
    Randomness random = Randomness.of(1);
    KeyHash minted = KeyHash.mint(random);
    assertNotEquals(minted, KeyHash.mint(random));
    ByteWriter out = new ByteWriter();
    minted.encode(out);
    assertEquals(minted, KeyHash.decode(new ByteReader(out.toByteArray())));
  }

  @Test
  void itSpreadsKeysThatDifferLittle() {
    int[] hit = new int[64];
    for (int i = 0; i < 64_000; i++) {
      hit[VECTORS.of(("user:" + i).getBytes(US_ASCII)) >>> 26]++;
    }
    for (int hits : hit) {
      assertTrue(hits > 850 && hits < 1_150, hits + " of 1000");
    }
  }
}
