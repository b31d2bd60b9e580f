package dev.tern.gateway.session;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.keyspace.Caller;
import dev.tern.env.Events;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.net.LargeIntake;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/// The engine before a protocol of lines: each is answered by itself, in capitals.
class ConnectionTest {
  private static final long INCOMPLETE = 2L << 20;

  /// Lines that were read, and calls.
  private final List<String> lines = new ArrayList<>();

  private final ClientBounds bounds = new ClientBounds("test", 4L << 20, INCOMPLETE, Events.NONE);
  private Lines conversation;

  /// Answers lines; those that begin with `later` when the test says so.
  private final class Lines implements Conversation {
    final Outlet outlet;
    final Caller caller;
    final StringBuilder replies = new StringBuilder();
    final StringBuilder line = new StringBuilder();
    boolean takes = true;
    long missing;
    boolean closing;
    boolean ended;

    Lines(Caller caller, Outlet outlet) {
      this.caller = caller;
      this.outlet = outlet;
    }

    @Override
    public boolean feed(ByteBuf in) {
      while (takes && !closing && in.isReadable()) {
        char next = (char) in.readByte();
        if (next == '!') {
          outlet.malformed("an exclamation");
          replies.append("no line\n");
          closing = true;
        } else if (next != '\n') {
          line.append(next);
        } else {
          lines.add(line.toString());
          if (!line.toString().startsWith("later")) {
            answer(line.toString());
          }
          line.setLength(0);
        }
      }
      return takes && !closing;
    }

    void answer(String text) {
      boolean first = replies.isEmpty();
      replies.append(text.toUpperCase(java.util.Locale.ROOT)).append('\n');
      if (first) {
        outlet.repliesReady();
      }
    }

    @Override
    public long incompleteBytes() {
      return line.length();
    }

    @Override
    public long missingBytes() {
      return missing;
    }

    @Override
    public boolean hasReplies() {
      return !replies.isEmpty();
    }

    @Override
    public void takeReplies(ByteBuf out) {
      out.writeCharSequence(replies, US_ASCII);
      replies.setLength(0);
      if (closing) {
        outlet.close();
      }
    }

    @Override
    public boolean isClosing() {
      return closing;
    }

    @Override
    public void ended() {
      ended = true;
    }
  }

  private final Protocol protocol =
      new Protocol() {
        @Override
        public String name() {
          return "lines";
        }

        @Override
        public String title() {
          return "Lines";
        }

        @Override
        public Conversation converse(int shard, Caller caller, Outlet outlet) {
          conversation = new Lines(caller, outlet);
          return conversation;
        }

        @Override
        public byte[] full() {
          return new byte[0];
        }
      };

  private final EmbeddedChannel channel =
      new EmbeddedChannel(Connection.alone(protocol, 0, bounds, () -> 0));

  /// Bytes of large requests that the door of `loop` would begin.
  private long room;

  private long passedNanos;
  private final EmbeddedChannel loop = new EmbeddedChannel();
  private final LargeIntake intake =
      new LargeIntake(loop.eventLoop(), () -> room, () -> passedNanos);

  private EmbeddedChannel connected() {
    return new EmbeddedChannel(new Connection(protocol, 0, bounds, intake, () -> {}));
  }

  /// Shorter than what room that was given to a connection is kept for.
  private void passSomeMillis() {
    passedNanos += 10_000_000;
    loop.advanceTimeBy(10, TimeUnit.MILLISECONDS);
    loop.runScheduledPendingTasks();
  }

  private static ByteBuf bytes(String text) {
    return Unpooled.copiedBuffer(text, US_ASCII);
  }

  private String next() {
    ByteBuf out = channel.readOutbound();
    if (out == null) {
      return null;
    }
    String text = out.toString(US_ASCII);
    out.release();
    return text;
  }

  @Test
  void aReceiveBufferIsAnsweredInOneWrite() {
    channel.writeInbound(bytes("a\nb\nc"));
    assertEquals("A\nB\n", next());
    assertNull(next());
    channel.writeInbound(bytes("d\n"));
    assertEquals("CD\n", next());
    assertEquals("lines", conversation.caller.door());
  }

  @Test
  void severalBuffersOfOneReadAreAnsweredInOneWrite() {
    channel.writeInbound(bytes("a\n"), bytes("b"), bytes("c\nd\n"));
    assertEquals("A\nBC\nD\n", next());
    assertNull(next());
  }

  @Test
  void answersOfOneTurnLeaveInOneWrite() {
    channel.writeInbound(bytes("later 1\nlater 2\n"));
    assertNull(next());
    conversation.answer("x");
    conversation.answer("y");
    assertNull(next());
    channel.runPendingTasks();
    assertEquals("X\nY\n", next());
    assertNull(next());
  }

  @Test
  void aConversationThatTakesNoMoreIsNotReadAndGoesOnLater() {
    channel.writeInbound(bytes("a\n"));
    conversation.takes = false;
    channel.writeInbound(bytes("b\nc\n"));
    assertFalse(channel.config().isAutoRead());
    assertEquals(List.of("a"), lines);
    conversation.takes = true;
    conversation.outlet.readyForMore();
    channel.runPendingTasks();
    assertTrue(channel.config().isAutoRead());
    assertEquals(List.of("a", "b", "c"), lines);
    assertEquals("A\n", next());
    assertEquals("B\nC\n", next());
  }

  @Test
  void roomForALargeRequestIsNotMissedInTheTurnInWhichAReplyLeaves() {
    EmbeddedChannel client = connected();
    conversation.missing = 1 << 20;
    client.writeInbound(bytes("later\n"));
    assertFalse(client.config().isAutoRead());
    // A large reply has left: what the client had not taken made the channel unwritable.
    client.pipeline().fireChannelWritabilityChanged();
    room = Long.MAX_VALUE;
    passSomeMillis();
    client.runPendingTasks();
    assertTrue(client.config().isAutoRead(), "the connection is never read again");
  }

  @Test
  void roomOfAConnectionThatIsOverIsGivenToTheNext() {
    room = 1 << 20;
    EmbeddedChannel first = connected();
    conversation.missing = 1 << 20;
    first.writeInbound(bytes("later\n"));
    assertTrue(first.config().isAutoRead());
    EmbeddedChannel second = connected();
    conversation.missing = 1 << 20;
    second.writeInbound(bytes("later\n"));
    passSomeMillis();
    second.runPendingTasks();
    assertFalse(second.config().isAutoRead());
    first.close();
    passSomeMillis();
    second.runPendingTasks();
    assertTrue(second.config().isAutoRead(), "a closed connection keeps its room");
  }

  @Test
  void aClientThatTakesNoRepliesIsReadOnToTheBoundAndThenClosed() {
    String line = "x".repeat(512 << 10) + "\n";
    // A socket whose client reads nothing.
    EmbeddedChannel stuck =
        new EmbeddedChannel() {
          @Override
          protected void doWrite(io.netty.channel.ChannelOutboundBuffer in) {}
        };
    stuck.pipeline().addLast(Connection.alone(protocol, 0, bounds, () -> 0));
    stuck.pipeline().fireChannelActive();
    int written = 0;
    while (stuck.isOpen()) {
      assertTrue(++written < 12, "replies pile up without a bound");
      assertTrue(stuck.config().isAutoRead(), "reading was stopped");
      stuck.writeInbound(bytes(line));
    }
    assertTrue(written > 6, "closed below the bound: " + written);
    assertEquals(1, bounds.closed(ClientBounds.Reason.UNREAD_REPLIES));
    assertEquals(0, bounds.replyBytes());
  }

  @Test
  void requestsThatDoNotComeWholeAreBounded() {
    String piece = "x".repeat(512 << 10);
    int written = 0;
    while (channel.isOpen()) {
      assertTrue(++written < 8, "an incomplete request grows without a bound");
      channel.writeInbound(bytes(piece));
    }
    assertEquals(1, bounds.closed(ClientBounds.Reason.INCOMPLETE_REQUESTS));
    assertTrue(conversation.ended);
  }

  @Test
  void aProtocolErrorIsCountedAnsweredAndEndsTheConnection() {
    channel.writeInbound(bytes("a\n!b\n"));
    channel.runPendingTasks();
    assertEquals("A\nno line\n", next());
    assertFalse(channel.isOpen());
    assertEquals(List.of("a"), lines);
    assertEquals(1, bounds.closed(ClientBounds.Reason.PROTOCOL));
  }

  @Test
  void anErrorOfTheNodeClosesTheConnectionWithAReason() {
    channel.pipeline().fireExceptionCaught(new IllegalStateException("no memory"));
    assertFalse(channel.isOpen());
    assertEquals(1, bounds.closed(ClientBounds.Reason.FAILED));
  }
}
