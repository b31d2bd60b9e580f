package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.Randomness;
import dev.tern.gateway.resp.DoorStatistics;
import dev.tern.gateway.resp.RedisSession;
import dev.tern.gateway.resp.ServerCommands;
import dev.tern.gateway.session.ClusterStatus;
import dev.tern.gateway.session.Outlet;
import dev.tern.world.SimulatedClock;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The Redis door's sessions before nodes of the simulator: whatever bytes come, each request is
/// answered with what a client can read, or the connection ends with an error.
class RedisDoorFuzzTest {
  private static final List<String> COMMANDS =
      List.of(
          "GET key-1",
          "SET key-1 value",
          "SET key-1 value EX 100 NX GET",
          "SET key-1 value PXAT 1 XX",
          "GETEX key-1 PERSIST",
          "INCRBY key-2 9223372036854775807",
          "INCRBYFLOAT key-2 1e308",
          "APPEND key-1 more",
          "EXPIRE key-1 10 NX",
          "PTTL key-1",
          "MSET key-1 a key-2 b key-3 c",
          "MGET key-1 key-2 key-3",
          "DEL key-1 key-2",
          "EXISTS key-1 key-1",
          "SCAN 0 MATCH k* COUNT 1 TYPE string",
          "KEYS k[a-z]y-?",
          "DBSIZE",
          "INFO server keyspace",
          "CONFIG GET max*",
          "CONFIG SET maxmemory 0",
          "CLUSTER SLOTS",
          "CLUSTER COUNTKEYSINSLOT 5",
          "CLIENT LIST ID 1",
          "CLIENT SETNAME x",
          "COMMAND DOCS get",
          "COMMAND LIST FILTERBY PATTERN g*",
          "OBJECT ENCODING key-1",
          "HELLO 3 SETNAME x",
          "TERN.WITH R 2 W 2 GET key-1",
          "TERN.LEVEL R 1 W 3",
          "PING");

  private final Cluster cluster = new Cluster(3);

  /// One conversation.
  private final class Conversation implements Outlet {
    final RedisSession session;
    final ByteBuf replies = Unpooled.buffer();
    boolean closed;

    Conversation() {
      DoorStatistics statistics = new DoorStatistics();
      ServerCommands server = new ServerCommands(0, List.of(statistics));
      session =
          new RedisSession(
              ClusterStatus.of(cluster.node(1)),
              cluster.node(1).keyspace(0, "data"),
              new SimulatedClock(cluster.world),
              statistics,
              server,
              1,
              "127.0.0.1:1",
              this);
      server.opened(session);
    }

    /// Lets the session take all that is there, as its socket would.
    boolean feed(ByteBuf bytes) {
      boolean more = session.feed(bytes);
      if (session.hasReplies()) {
        session.takeReplies(replies);
      }
      return session.isClosing() ? closed : more && !session.hasReplies();
    }

    @Override
    public void repliesReady() {}

    @Override
    public void readyForMore() {}

    @Override
    public void malformed(String detail) {}

    @Override
    public void close() {
      closed = true;
    }
  }

  private static void write(ByteBuf to, String command) {
    String[] words = command.split(" ");
    StringBuilder text = new StringBuilder("*" + words.length + "\r\n");
    for (String word : words) {
      text.append('$').append(word.length()).append("\r\n").append(word).append("\r\n");
    }
    to.writeBytes(text.toString().getBytes(US_ASCII));
  }

  private static void mutate(ByteBuf bytes, Randomness random) {
    int changes = random.nextInt(4);
    for (int i = 0; i < changes; i++) {
      int at = random.nextInt(bytes.writerIndex());
      switch (random.nextInt(4)) {
        case 0 -> bytes.setByte(at, random.nextInt(256));
        case 1 -> bytes.setByte(at, "*$-+:0123456789 \r\n\"'".charAt(random.nextInt(20)));
        case 2 -> bytes.setByte(at, bytes.getByte(at) ^ 1 << random.nextInt(8));
        default -> bytes.writerIndex(Math.max(1, at));
      }
    }
  }

  /// Skips a reply; false if it has not come whole.
  private static boolean skipReply(ByteBuf in) {
    int end = in.indexOf(in.readerIndex(), in.writerIndex(), (byte) '\n');
    if (end < 0) {
      return false;
    }
    char kind = (char) in.readByte();
    String line = in.readString(end - in.readerIndex(), US_ASCII).trim();
    in.skipBytes(1);
    switch (kind) {
      case '+', '-', ':', '_', '#', ',', '(' -> {
        return true;
      }
      case '$', '=' -> {
        int length = Integer.parseInt(line);
        if (length >= 0 && in.readableBytes() < length + 2) {
          return false;
        }
        in.skipBytes(length < 0 ? 0 : length + 2);
        return true;
      }
      case '*', '%', '~', '>' -> {
        int elements = Integer.parseInt(line) * (kind == '%' ? 2 : 1);
        for (int i = 0; i < elements; i++) {
          if (!skipReply(in)) {
            return false;
          }
        }
        return true;
      }
      default -> throw new AssertionError("no reply begins with " + kind);
    }
  }

  @Test
  void allRequestsOfAnyBytesAreAnsweredReadably() {
    Randomness random = Randomness.of(31);
    for (int round = 0; round < 1_500; round++) {
      ByteBuf bytes = Unpooled.buffer();
      int commands = 1 + random.nextInt(6);
      for (int i = 0; i < commands; i++) {
        write(bytes, COMMANDS.get(random.nextInt(COMMANDS.size())));
      }
      mutate(bytes, random);
      Conversation conversation = new Conversation();
      ByteBuf come = Unpooled.buffer();
      while (bytes.isReadable()) {
        come.writeBytes(bytes, 1 + random.nextInt(bytes.readableBytes()));
        conversation.feed(come);
      }
      cluster.within(60 * Cluster.SECOND, () -> conversation.feed(come));
      // Requests that were taken may still be under way; all nodes are well.
      cluster.runFor(200 * Cluster.MILLI);
      conversation.feed(come);
      ByteBuf replies = conversation.replies;
      while (replies.isReadable()) {
        assertTrue(skipReply(replies), "half a reply");
      }
      assertEquals(conversation.session.isClosing(), conversation.closed, "closes when it says so");
    }
  }

  private void setsManyInOneCommand(int values, int length) {
    Conversation conversation = new Conversation();
    byte[] value = new byte[length];
    ByteBuf bytes = Unpooled.buffer();
    bytes.writeCharSequence("*" + (2 * values + 1) + "\r\n$4\r\nMSET\r\n", US_ASCII);
    for (int i = 0; i < values; i++) {
      String key = "large-%02d".formatted(i);
      bytes.writeCharSequence("$8\r\n" + key + "\r\n$" + length + "\r\n", US_ASCII);
      bytes.writeBytes(value);
      bytes.writeCharSequence("\r\n", US_ASCII);
    }
    cluster.within(
        20 * Cluster.SECOND,
        () -> {
          conversation.feed(bytes);
          return conversation.replies.isReadable();
        });
    assertEquals("+OK\r\n", conversation.replies.toString(US_ASCII));
  }

  /// As much as a request may be is more than the node takes of large values at a time.
  @Test
  void aCommandOfFewVeryLargeValuesIsCarriedOutWhole() {
    setsManyInOneCommand(4, 15 << 20);
  }

  /// The window of large values and those that may wait for it come to 24 MiB.
  @Test
  void aCommandOfManyLargeValuesIsCarriedOutWhole() {
    setsManyInOneCommand(30, 1 << 20);
  }

  @Test
  void aThousandRequestsBehindOneOfTheirKeyAreAnswered() {
    Conversation conversation = new Conversation();
    ByteBuf bytes = Unpooled.buffer();
    for (int i = 0; i < 500; i++) {
      write(bytes, "SET key-1 value");
      write(bytes, "GETDEL key-1");
    }
    int[] replies = {0};
    cluster.within(
        60 * Cluster.SECOND,
        () -> {
          conversation.feed(bytes);
          while (conversation.replies.isReadable() && skipReply(conversation.replies)) {
            replies[0]++;
          }
          return replies[0] == 1_000;
        });
    assertEquals(0, conversation.replies.readableBytes());
  }

  @Test
  void repliesThatWaitForOneBeforeThemAreBounded() {
    Conversation conversation = new Conversation();
    ByteBuf bytes = Unpooled.buffer();
    String big = "x".repeat(4 << 20);
    write(bytes, "SET big " + big);
    cluster.within(60 * Cluster.SECOND, () -> conversation.feed(bytes));
    cluster.runFor(10 * Cluster.SECOND);
    conversation.feed(bytes);
    conversation.replies.clear();
    cluster.world.pause(2, Cluster.SECOND / 2);
    cluster.world.pause(3, Cluster.SECOND / 2);
    write(bytes, "GET waits-for-a-second-replica");
    for (int i = 0; i < 10; i++) {
      write(bytes, "TERN.WITH R 1 W 1 GET big");
      conversation.feed(bytes);
      cluster.runFor(20 * Cluster.MILLI);
    }
    assertTrue(bytes.isReadable(), "replies pile up behind one that is slow");
    assertEquals(0, conversation.replies.readableBytes());
    int[] taken = {0};
    cluster.within(
        60 * Cluster.SECOND,
        () -> {
          conversation.feed(bytes);
          while (conversation.replies.isReadable() && skipReply(conversation.replies)) {
            taken[0]++;
          }
          conversation.replies.discardReadBytes();
          return taken[0] == 11;
        });
  }
}
