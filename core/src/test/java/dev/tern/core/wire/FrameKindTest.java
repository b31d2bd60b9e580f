package dev.tern.core.wire;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The registry of frames: letters stay what they are, and what is not spoken is refused by name.
class FrameKindTest {
  private static String refusal(int... frame) {
    byte[] bytes = new byte[frame.length];
    for (int i = 0; i < frame.length; i++) {
      bytes[i] = (byte) frame[i];
    }
    return assertThrows(DecodeException.class, () -> FrameKind.of(new ByteReader(bytes)))
        .getMessage();
  }

  @Test
  void lettersAndFormatsAreThoseOfTheRegistry() {
    StringBuilder all = new StringBuilder();
    List<FrameKind> spoken =
        List.of(FrameKind.DATA, FrameKind.GOSSIP, FrameKind.RAFT, FrameKind.TOPOLOGY);
    for (FrameKind kind : spoken) {
      byte[] lead = kind.lead(new ByteWriter()).toByteArray();
      all.append((char) lead[0]).append(lead[1]);
      assertEquals(kind, FrameKind.of(new ByteReader(lead)));
      ByteReader in = new ByteReader(lead);
      kind.expect(in);
      in.expectEnd();
    }
    assertEquals("D7G3R1T1", all.toString());
  }

  @Test
  void whatIsNotSpokenIsRefusedByName() {
    assertTrue(refusal(3, 1, 0).contains("a message of format 3, of a version before"));
    assertTrue(refusal('S', 1).contains("kind STREAM, which this version does not speak"));
    assertTrue(refusal('A', 1).contains("kind AUTHENTICATION"));
    assertTrue(refusal('x', 1).contains("kind 78, which is none"));
    assertTrue(refusal(0xff).contains("kind ff"));
    assertTrue(refusal().contains("kind 00"));
    byte[] later = {'D', 8, 1};
    String message =
        assertThrows(DecodeException.class, () -> FrameKind.DATA.expect(new ByteReader(later)))
            .getMessage();
    assertTrue(message.contains("format 8 where DATA of format 7"), message);
  }
}
