package dev.tern.gateway.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class RespDecoderTest {
  private static final String THREE =
      "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$4\r\na\r\nb\r\nPING\r\n\r\n*1\r\n$4\r\nQUIT\r\n";

  private static List<String> words(RespDecoder.Request request) {
    return request.arguments().stream().map(bytes -> new String(bytes, ISO_8859_1)).toList();
  }

  @Test
  void requestsComeWholeHoweverTheyAreCut() {
    byte[] bytes = THREE.getBytes(ISO_8859_1);
    Randomness random = Randomness.of(5);
    for (int round = 0; round < 500; round++) {
      RespDecoder decoder = new RespDecoder();
      ByteBuf in = Unpooled.buffer();
      List<List<String>> found = new ArrayList<>();
      int sent = 0;
      while (sent < bytes.length) {
        int count = Math.min(bytes.length - sent, 1 + random.nextInt(7));
        in.writeBytes(bytes, sent, count);
        sent += count;
        RespDecoder.Request request;
        while ((request = decoder.next(in)) != null) {
          found.add(words(request));
        }
      }
      assertEquals(List.of(List.of("SET", "k", "a\r\nb"), List.of("PING"), List.of("QUIT")), found);
    }
  }

  @Test
  void countsBelowZeroArePassedOver() {
    ByteBuf in = Unpooled.copiedBuffer("*-10\r\n*-2147483648\r\n*0\r\nPING\r\n", ISO_8859_1);
    assertEquals(List.of("PING"), words(present(new RespDecoder().next(in))));
  }

  private static RespDecoder.Request present(RespDecoder.Request request) {
    assertNotNull(request);
    return request;
  }

  @Test
  void aLargeValueTakesMemoryAsItComesAndLeavesTheBuffer() {
    RespDecoder decoder = new RespDecoder();
    ByteBuf in = Unpooled.copiedBuffer("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$16777216\r\n", ISO_8859_1);
    assertNull(decoder.next(in));
    assertTrue(decoder.incompleteBytes() < 1_000, "what was only announced takes none");
    int sent = 0;
    while (sent < 16 << 20) {
      in.discardReadBytes();
      in.writeZero(1 << 20);
      sent += 1 << 20;
      assertNull(decoder.next(in));
      assertEquals(0, in.readableBytes());
      assertTrue(decoder.incompleteBytes() <= 2L * sent + 1_000);
    }
    in.writeBytes(new byte[] {'\r', '\n'});
    RespDecoder.Request request = decoder.next(in);
    assertNotNull(request);
    assertEquals(16 << 20, request.arguments().get(2).length);
    assertEquals(0, decoder.incompleteBytes());
  }

  @Test
  void whatIsNoRequestIsAProtocolError() {
    for (String bad :
        List.of(
            "*x\r\n",
            "*99999999\r\n",
            "*1\r\n:3\r\n",
            "*1\r\n$-5\r\n",
            "*1\r\n$999999999999\r\n",
            "*1\r\n$2\r\nabcd",
            "*" + "1".repeat(40))) {
      ByteBuf in = Unpooled.copiedBuffer(bad, ISO_8859_1);
      assertThrows(RespDecoder.ProtocolException.class, () -> new RespDecoder().next(in), bad);
    }
    ByteBuf endless = Unpooled.copiedBuffer("x".repeat(70_000), ISO_8859_1);
    assertThrows(RespDecoder.ProtocolException.class, () -> new RespDecoder().next(endless));
  }

  @Test
  void anOversizedValueIsReadPastWithoutBeingKept() {
    RespDecoder decoder = new RespDecoder();
    int length = (16 << 20) + 1;
    ByteBuf in = Unpooled.buffer();
    in.writeCharSequence("*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$" + length + "\r\n", ISO_8859_1);
    assertNull(decoder.next(in));
    byte[] piece = new byte[1 << 20];
    for (int i = 0; i < 16; i++) {
      in.writeBytes(piece);
      assertNull(decoder.next(in));
      assertEquals(0, in.readableBytes(), "nothing may pile up");
      in.clear();
    }
    in.writeCharSequence("x\r\n*1\r\n$4\r\nPING\r\n", ISO_8859_1);
    RespDecoder.Request refused = decoder.next(in);
    assertNotNull(refused);
    assertTrue(refused.tooLarge() != null && refused.arguments().isEmpty());
    assertEquals(List.of("PING"), words(java.util.Objects.requireNonNull(decoder.next(in))));
  }

  @Test
  void patternsMatchAsInRedis() {
    record Case(String pattern, String text, boolean matches) {}
    for (Case c :
        List.of(
            new Case("*", "", true),
            new Case("h?llo", "hello", true),
            new Case("h*o", "hxxxo", true),
            new Case("h[a-c]llo", "hbllo", true),
            new Case("h[^a]llo", "hallo", false),
            new Case("h\\*llo", "h*llo", true),
            new Case("a*b*c", "axxbyyc", true),
            new Case("a*b*c", "axxbyy", false))) {
      assertEquals(
          c.matches(),
          Glob.matches(c.pattern().getBytes(ISO_8859_1), c.text().getBytes(ISO_8859_1)),
          c.toString());
    }
  }

  /// Numbers of up to five digits are read in another way than others.
  @Test
  void lengthsOfAllWidthsAreReadAndWritten() {
    for (int length :
        new int[] {0, 1, 9, 10, 99, 100, 999, 1_000, 9_999, 10_000, 99_999, 100_000}) {
      for (String end : List.of("\r\n", "\n")) {
        ByteBuf in = Unpooled.buffer();
        in.writeCharSequence("*1" + end + "$" + length + end, ISO_8859_1);
        in.writeZero(length).writeCharSequence("\r\n", ISO_8859_1);
        RespDecoder.Request request = new RespDecoder().next(in);
        assertNotNull(request);
        assertEquals(length, request.arguments().getFirst().length);
        assertEquals(0, in.readableBytes());
      }
      ByteBuf out = Unpooled.buffer();
      RespWriter.write(new Reply.Number(length), 2, out);
      RespWriter.write(new Reply.Number(-length), 2, out);
      assertEquals(":" + length + "\r\n:" + -length + "\r\n", out.toString(ISO_8859_1));
    }
  }
}
