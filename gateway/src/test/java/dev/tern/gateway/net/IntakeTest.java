package dev.tern.gateway.net;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

class IntakeTest {
  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, US_ASCII);
  }

  /// As epoll does when the client has closed its end.
  @Test
  void whatComesAfterTheEndOfRequestsReachesNobody() {
    EmbeddedChannel channel = new EmbeddedChannel(new Intake());
    channel.writeInbound(bytes("before"));
    ByteBuf before = channel.readInbound();
    assertEquals("before", before.toString(US_ASCII));
    before.release();
    Intake.close(channel);
    ByteBuf late = bytes("late");
    channel.writeInbound(late);
    assertNull(channel.readInbound());
    assertEquals(0, late.refCnt());
    channel.writeOutbound(bytes("an answer"));
    ByteBuf answer = channel.readOutbound();
    assertEquals("an answer", answer.toString(US_ASCII));
    answer.release();
  }
}
