package dev.tern.gateway.riak;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.Random;
import org.junit.jupiter.api.Test;

class RiakDecoderTest {
  private static byte[] payload(int length) {
    byte[] bytes = new byte[length];
    new Random(length).nextBytes(bytes);
    return bytes;
  }

  private static ByteBuf framed(int code, byte[] payload) {
    return Unpooled.buffer().writeInt(1 + payload.length).writeByte(code).writeBytes(payload);
  }

  @Test
  void aMessageComesWholeWhereverItIsCut() {
    byte[] payload = payload(40);
    ByteBuf whole = framed(9, payload).writeBytes(framed(200, new byte[0]));
    for (int cut = 0; cut <= whole.writerIndex(); cut++) {
      RiakDecoder decoder = new RiakDecoder();
      ByteBuf in = Unpooled.buffer().writeBytes(whole, 0, cut);
      RiakDecoder.Message first = decoder.next(in);
      assertEquals(cut >= 45, first != null, "cut at " + cut);
      in.writeBytes(whole, cut, whole.writerIndex() - cut);
      first = first == null ? decoder.next(in) : first;
      assertNotNull(first);
      assertEquals(9, first.code());
      assertArrayEquals(payload, first.bytes());
      RiakDecoder.Message second = decoder.next(in);
      assertNotNull(second);
      assertEquals(200, second.code());
      assertEquals(0, second.bytes().length);
      assertNull(decoder.next(in));
    }
  }

  @Test
  void aLargeMessageTakesMemoryAsItComes() {
    byte[] payload = payload(20 << 20);
    ByteBuf whole = framed(11, payload);
    RiakDecoder decoder = new RiakDecoder();
    ByteBuf in = Unpooled.buffer().writeBytes(whole, 0, 100);
    assertNull(decoder.next(in));
    assertEquals(0, in.readableBytes());
    assertTrue(decoder.incompleteBytes() <= 64 << 10, "memory for what has not come");
    assertEquals(payload.length - 95, decoder.missingBytes());
    RiakDecoder.Message message = null;
    for (int at = 100; message == null; at += 1 << 20) {
      in.clear().writeBytes(whole, at, Math.min(1 << 20, whole.writerIndex() - at));
      message = decoder.next(in);
    }
    assertArrayEquals(payload, message.bytes());
    assertEquals(0, decoder.incompleteBytes());
  }

  @Test
  void aLengthThatCannotBeIsRefusedAtOnce() {
    for (int length : new int[] {0, -1, RiakDecoder.MAX_MESSAGE_BYTES + 1}) {
      ByteBuf in = Unpooled.buffer().writeInt(length);
      assertThrows(RiakDecoder.FrameException.class, () -> new RiakDecoder().next(in));
    }
  }
}
