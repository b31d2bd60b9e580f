package dev.tern.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

/// Answers that no node writes: cut, changed and random. Each is read or refused with an
/// [IllegalArgumentException]; an error is always read, so that its call ends.
class HostileAnswersTest {
  private int tried;
  private int refused;

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private void give(Consumer<byte[]> decoder, byte[] bytes) {
    tried++;
    try {
      decoder.accept(bytes);
    } catch (IllegalArgumentException e) {
      refused++;
      assertNotNull(e.getMessage());
    }
  }

  private void all(Consumer<byte[]> decoder, byte[] good) {
    Random random = new Random(good.length);
    decoder.accept(good);
    for (int at = 0; at < good.length; at++) {
      give(decoder, Arrays.copyOf(good, at));
      for (int value = 0; value < 256; value++) {
        byte[] changed = good.clone();
        changed[at] = (byte) value;
        give(decoder, changed);
      }
      byte[] ones = good.clone();
      Arrays.fill(ones, at, Math.min(at + 9, ones.length), (byte) -1);
      give(decoder, ones);
      byte[] junk = new byte[random.nextInt(2 * good.length)];
      random.nextBytes(junk);
      give(decoder, junk);
    }
  }

  @Test
  void placements() {
    byte[] node =
        new Wire.Writer()
            .number(1, 1)
            .bytes(2, bytes("10.0.0.1"))
            .number(3, 8087)
            .bytes(4, bytes("eu/a"))
            .encoded();
    byte[] arc = new Wire.Writer().number(1, 1).encoded();
    byte[] good = new Wire.Writer().bytes(3, node).bytes(4, arc).bytes(4, arc).encoded();
    // An event loop decodes: it must not wait for a name service.
    assertTrue(Placement.decode(good, null).nodes().get(0).isUnresolved());
    all(bytes -> Placement.decode(bytes, null), good);
    assertTrue(refused > tried / 20, "refused " + refused + " of " + tried);
  }

  @Test
  void contents() {
    byte[] content = new Wire.Writer().bytes(1, bytes("a value")).number(11, 0).encoded();
    all(bytes -> Wire.value(new Wire.Reader(bytes, 0, bytes.length)), content);
    assertTrue(refused > tried / 20, "refused " + refused + " of " + tried);
  }

  @Test
  void errors() {
    byte[] error = new Wire.Writer().bytes(1, bytes("no")).number(2, 7).encoded();
    assertEquals("no", TernClient.error(error));
    all(bytes -> assertNotNull(TernClient.error(bytes)), error);
    assertEquals(0, refused);
    assertTrue(TernClient.error(new byte[] {10, 9}).contains("cannot be read"));
  }
}
