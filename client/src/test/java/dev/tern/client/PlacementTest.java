package dev.tern.client;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class PlacementTest {
  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] placement() {
    Wire.Writer message = new Wire.Writer().number(1, 7);
    for (int node = 1; node <= 3; node++) {
      message.bytes(
          3,
          new Wire.Writer()
              .number(1, node)
              .bytes(2, bytes("10.0.0." + node))
              .number(3, node == 3 ? 0 : 8087)
              .bytes(4, bytes(node == 2 ? "us/a" : "eu/a"))
              .encoded());
    }
    for (int partition = 0; partition < 4; partition++) {
      Wire.Writer arc = new Wire.Writer();
      arc.number(1, 1 + partition % 3).number(1, 1 + (partition + 1) % 3);
      message.bytes(4, arc.encoded());
    }
    return message.encoded();
  }

  @Test
  void aSlotIsTheRingsSlotOfTheBucketAndKey() {
    // CRC-16/XMODEM of "123456789" is 0x31C3; braces choose what counts.
    assertEquals(0x31c3 % 16_384, Placement.slot(bytes("b"), bytes("{123456789}x")));
    assertEquals(
        Placement.slot(bytes("b"), bytes("{k}1")), Placement.slot(bytes("other"), bytes("{k}2")));
    assertTrue(Placement.slot(bytes("b"), bytes("k")) != Placement.slot(bytes("c"), bytes("k")));
  }

  @Test
  void nodesWithoutTheDoorAreLeftOut() {
    Placement placement = Placement.decode(placement(), null);
    assertEquals(2, placement.nodes().size());
    assertEquals(2, placement.replicas(0).size());
    assertEquals("10.0.0.2", placement.replicas(4096).get(0).getHostString());
    assertEquals(1, placement.replicas(4096).size());
  }

  @Test
  void nodesOfOtherDatacentersAreLeftOut() {
    Placement placement = Placement.decode(placement(), "us");
    assertEquals(1, placement.nodes().size());
    assertEquals(1, placement.replicas(0).size());
    assertEquals("10.0.0.2", placement.replicas(0).get(0).getHostString());
    assertEquals(0, Placement.decode(placement(), "asia").nodes().size());
  }

  @Test
  void brokenBytesAreRefused() {
    byte[] good = placement();
    int refused = 0;
    for (int i = 0; i < good.length; i++) {
      byte[] cut = java.util.Arrays.copyOf(good, i);
      try {
        Placement.decode(cut, null);
      } catch (IllegalArgumentException e) {
        refused++;
      }
    }
    assertTrue(refused > good.length / 2, refused + " of " + good.length);
    assertThrows(IllegalArgumentException.class, () -> Placement.decode(new byte[0], null));
  }
}
