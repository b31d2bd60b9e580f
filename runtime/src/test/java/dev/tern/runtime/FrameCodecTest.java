package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.world.Hostile;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

/// The bytes on the wire, as version 1 has them for ever.
class FrameCodecTest {
  static byte[] frame(int kind, int toShard, int fromShard, ByteWriter payload) {
    ByteBuf out =
        FrameCodec.encode(
            UnpooledByteBufAllocator.DEFAULT, new CRC32C(), kind, toShard, fromShard, payload);
    try {
      return ByteBufUtil.getBytes(out);
    } finally {
      out.release();
    }
  }

  @Test
  void aMessageHasTheseBytes() {
    byte[] bytes =
        frame(FrameCodec.MESSAGE, 0x3ff, 7, new ByteWriter().writeInt(0x01020304).writeByte(5));
    assertEquals(
        "0000000f" + "01" + "02" + "03ff" + "0007" + "0102030405" + "CRC",
        ByteBufUtil.hexDump(bytes, 0, bytes.length - 4) + "CRC");
    CRC32C crc = new CRC32C();
    crc.update(bytes, 4, bytes.length - 8);
    assertEquals(
        crc.getValue(), new ByteReader(bytes, bytes.length - 4, 4).readInt() & 0xffffffffL);
    assertEquals("0000000f010203ff000701020304053830f93d", ByteBufUtil.hexDump(bytes));
  }

  @Test
  void aHelloHasTheseBytes() {
    byte[] bytes = frame(FrameCodec.HELLO, 0, 3, new FrameCodec.Hello("terns", 2, 3, 4).encode());
    assertEquals(
        "00000020010100000003"
            + "7465726e6e6f6465"
            + "05"
            + "7465726e73"
            + "00000002"
            + "0003"
            + "0004"
            + "9c2b73de",
        ByteBufUtil.hexDump(bytes));
  }

  @Test
  void aHelloComesBackAsItWas() {
    FrameCodec.Hello hello = new FrameCodec.Hello("Küstenseeschwalben", 65536, 15, 16);
    assertEquals(hello, FrameCodec.Hello.decode(new ByteReader(hello.encode().toByteArray())));
  }

  @Test
  void aHelloCutShortOrTooLongIsRefused() {
    byte[] bytes = new FrameCodec.Hello("terns", 2, 3, 4).encode().writeByte(0).toByteArray();
    for (int length = 0; length <= bytes.length; length++) {
      ByteReader in = new ByteReader(bytes, 0, length);
      if (length != bytes.length - 1) {
        assertThrows(DecodeException.class, () -> FrameCodec.Hello.decode(in));
      }
    }
  }

  @Test
  void hostileHellos() {
    byte[] good = new FrameCodec.Hello("Küstenseeschwalben", 65536, 15, 16).encode().toByteArray();
    Hostile hostile = new Hostile(bytes -> FrameCodec.Hello.decode(new ByteReader(bytes)), 1 << 18);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
  }

  /// What a connection cuts into frames: damaged, cut or random. Nothing but the refusal of the
  /// decoder ends it, and a length reserves nothing.
  @Test
  void hostileFrames() {
    ByteWriter hello = new FrameCodec.Hello("terns", 2, 3, 4).encode();
    byte[] good = frame(FrameCodec.HELLO, 0, 3, hello);
    Hostile hostile = new Hostile(FrameCodecTest::cut, 1 << 20);
    hostile.all(good);
    assertTrue(hostile.refused() > hostile.tried() / 3, "refused " + hostile.refused());
    Hostile mended = new Hostile(FrameCodecTest::cut, 1 << 20);
    mended.each(
        good,
        (bytes, changed) -> {
          CRC32C crc = new CRC32C();
          crc.update(bytes, 4, bytes.length - 8);
          ByteBuffer.wrap(bytes).putInt(bytes.length - 4, (int) crc.getValue());
        });
    assertTrue(mended.refused() > mended.tried() / 4, "refused " + mended.refused());
  }

  /// Reads the frames that bytes have, as a connection's beginning; what is not whole is waited
  /// for.
  private static void cut(byte[] bytes) {
    String[] refusal = {null};
    FrameDecoder decoder =
        new FrameDecoder() {
          @Override
          void frame(
              ChannelHandlerContext context,
              int kind,
              int toShard,
              int fromShard,
              ByteBuf payload) {
            if (kind != FrameCodec.HELLO) {
              throw new DecodeException("a frame of kind " + kind);
            }
            FrameCodec.Hello.decode(borrowed(payload));
          }

          @Override
          void refused(ChannelHandlerContext context, String reason) {
            refusal[0] = reason;
          }
        };
    EmbeddedChannel channel = new EmbeddedChannel(decoder);
    channel.writeInbound(Unpooled.wrappedBuffer(bytes));
    channel.finishAndReleaseAll();
    if (refusal[0] != null) {
      throw new DecodeException(refusal[0]);
    }
  }
}
