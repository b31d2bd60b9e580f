package dev.tern.runtime;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.UnpooledByteBufAllocator;
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
}
