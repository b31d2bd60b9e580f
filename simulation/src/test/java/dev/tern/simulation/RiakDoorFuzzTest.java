package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.Update;
import dev.tern.env.Events;
import dev.tern.env.Randomness;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.riak.RiakProtocol;
import dev.tern.gateway.session.Connection;
import dev.tern.world.SimulatedClock;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The Riak door, whole but for its sockets, before nodes of the simulator: what a client sends may
/// fail a request, and never a connection, a node or another client.
class RiakDoorFuzzTest {
  private static final int PING = 1;
  private static final int PONG = 2;
  private static final int GET = 9;
  private static final int GOT = 10;
  private static final int PUT = 11;
  private static final int STORED = 12;
  private static final int LIST_KEYS = 17;
  private static final int KEYS = 18;
  private static final String TYPE = "siblings";

  private final Cluster cluster = new Cluster(3);
  private final ClientBounds bounds = new ClientBounds("Riak", 1L << 30, 1L << 30, Events.NONE);
  private final EmbeddedChannel channel = connection();
  private final ByteBuf answers = Unpooled.buffer();

  /// An answer.
  private record Frame(int code, byte[] message) {}

  private EmbeddedChannel connection() {
    SimulatedClock clock = new SimulatedClock(cluster.world);
    RiakProtocol protocol = new RiakProtocol(cluster.node(1), clock, "redis");
    return new EmbeddedChannel(Connection.alone(protocol, 0, bounds, clock::monotonicNanos));
  }

  /// A message under construction.
  private static final class Message {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CodedOutputStream out = CodedOutputStream.newInstance(bytes);

    Message bytes(int field, byte[] value) throws IOException {
      out.writeByteArray(field, value);
      return this;
    }

    Message text(int field, String value) throws IOException {
      return bytes(field, value.getBytes(US_ASCII));
    }

    Message number(int field, long value) throws IOException {
      out.writeUInt64(field, value);
      return this;
    }

    byte[] encoded() throws IOException {
      out.flush();
      return bytes.toByteArray();
    }
  }

  private static byte[] content() throws IOException {
    byte[] pair = new Message().text(1, "name").text(2, "of it").encoded();
    byte[] link = new Message().text(1, "b").text(2, "k").text(3, "t").encoded();
    return new Message()
        .text(1, "value")
        .text(2, "text/plain")
        .text(3, "utf-8")
        .bytes(6, link)
        .bytes(9, pair)
        .bytes(10, pair)
        .number(12, 3_600)
        .encoded();
  }

  private static Message put(int key, byte[] content) throws IOException {
    return new Message().text(1, "bucket").text(2, "key-" + key).bytes(4, content).text(16, TYPE);
  }

  private static Message get(int key) throws IOException {
    return new Message().text(1, "bucket").text(2, "key-" + key).text(13, TYPE);
  }

  private static ByteBuf framed(int code, byte[] message) {
    return Unpooled.buffer().writeInt(1 + message.length).writeByte(code).writeBytes(message);
  }

  /// A message of each kind, as a client means it.
  private static List<Frame> messages(Randomness random) throws IOException {
    byte[] properties = new Message().number(1, 3).number(2, 1).number(15, 2).encoded();
    int key = random.nextInt(4);
    return List.of(
        new Frame(GET, get(key).number(3, 2).number(8, 1).number(9, 1).encoded()),
        new Frame(GET, get(key).bytes(7, new byte[12]).encoded()),
        new Frame(PUT, put(key, content()).number(7, 1).encoded()),
        new Frame(PUT, put(key, content()).number(11, 1).bytes(3, new byte[9]).encoded()),
        new Frame(PUT, put(key, content()).number(9, 1).number(10, 1).encoded()),
        new Frame(13, get(key).encoded()),
        new Frame(15, new Message().number(2, 1).text(3, TYPE).encoded()),
        new Frame(LIST_KEYS, new Message().text(1, "bucket").text(3, TYPE).encoded()),
        new Frame(19, new Message().text(1, "bucket").text(2, TYPE).encoded()),
        new Frame(21, new Message().text(1, "b2").bytes(2, properties).text(3, TYPE).encoded()),
        new Frame(29, new Message().text(1, "b2").text(2, TYPE).encoded()),
        new Frame(31, new Message().text(1, TYPE).encoded()),
        new Frame(5, new Message().text(1, "me").encoded()),
        new Frame(200, new Message().text(1, TYPE).encoded()));
  }

  private static byte[] mutated(byte[] message, Randomness random) {
    byte[] bytes = message.clone();
    int changes = 1 + random.nextInt(3);
    for (int i = 0; i < changes && bytes.length > 0; i++) {
      int at = random.nextInt(bytes.length);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] = (byte) random.nextInt(256);
        case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        // The wire type, if there is a tag.
        case 2 -> bytes[at] = (byte) (bytes[at] & ~7 | random.nextInt(8));
        case 3 -> bytes = Arrays.copyOf(bytes, at);
        default -> {
          byte[] longer = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(6));
          System.arraycopy(bytes, at, longer, longer.length - bytes.length + at, bytes.length - at);
          bytes = longer;
        }
      }
    }
    return bytes;
  }

  private List<Frame> frames() {
    channel.runPendingTasks();
    ByteBuf out;
    while ((out = channel.readOutbound()) != null) {
      answers.writeBytes(out);
      out.release();
    }
    List<Frame> frames = new ArrayList<>();
    while (answers.readableBytes() >= 4
        && answers.readableBytes() >= 4 + answers.getInt(answers.readerIndex())) {
      byte[] message = new byte[answers.readInt() - 1];
      int code = answers.readUnsignedByte();
      answers.readBytes(message);
      frames.add(new Frame(code, message));
    }
    answers.discardReadBytes();
    return frames;
  }

  /// Waits for so many answers of a kind; tells all that came.
  private List<Frame> await(int code, int count) {
    List<Frame> found = new ArrayList<>();
    cluster.within(
        60 * Cluster.SECOND,
        () -> {
          found.addAll(frames());
          return found.stream().filter(frame -> frame.code() == code).count() >= count;
        });
    return found;
  }

  /// Asserts that a client of Riak can read a content.
  private static void readable(Frame frame) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(frame.message());
    int tag;
    while ((tag = in.readTag()) != 0) {
      if (tag != WireFormat.WIRETYPE_LENGTH_DELIMITED + (1 << 3)) {
        in.skipField(tag);
        continue;
      }
      CodedInputStream content = CodedInputStream.newInstance(in.readByteArray());
      boolean valued = false;
      while ((tag = content.readTag()) != 0) {
        int field = WireFormat.getTagFieldNumber(tag);
        boolean number = List.of(7, 8, 11, 12).contains(field);
        int wanted = number ? WireFormat.WIRETYPE_VARINT : WireFormat.WIRETYPE_LENGTH_DELIMITED;
        assertEquals(wanted, WireFormat.getTagWireType(tag), "field " + field);
        valued |= field == 1;
        content.skipField(tag);
      }
      assertTrue(valued, "a content without its value");
    }
  }

  private void stillServes(List<Frame> before) throws IOException {
    for (Frame frame : before) {
      if (frame.code() == GOT || frame.code() == STORED) {
        readable(frame);
      }
    }
    assertTrue(channel.isActive(), "the connection is closed");
    channel.checkException();
    assertEquals(0, bounds.closed(ClientBounds.Reason.FAILED));
  }

  @Test
  void noMessageEndsAConnectionOrANode() throws IOException {
    Randomness random = Randomness.of(22);
    for (int round = 0; round < 150; round++) {
      ByteBuf all = Unpooled.buffer();
      for (Frame frame : messages(random)) {
        boolean asMeant = random.nextInt(4) == 0;
        byte[] message = asMeant ? frame.message() : mutated(frame.message(), random);
        all.writeBytes(framed(frame.code(), message));
      }
      int other = random.nextInt(256);
      byte[] noise = new byte[random.nextInt(40)];
      for (int i = 0; i < noise.length; i++) {
        noise[i] = (byte) random.nextInt(256);
      }
      // No ping: these are what the rounds are counted by.
      all.writeBytes(framed(other == PING ? 0 : other, noise));
      all.writeBytes(framed(PING, new byte[0]));
      while (all.isReadable()) {
        int length = 1 + random.nextInt(all.readableBytes());
        channel.writeInbound(all.readBytes(length));
      }
      stillServes(await(PONG, 1));
    }
  }

  @Test
  void whatAContentIsMadeOfComesBackReadableOrIsRefused() throws IOException {
    Randomness random = Randomness.of(21);
    for (int round = 0; round < 150; round++) {
      byte[] content = mutated(content(), random);
      channel.writeInbound(framed(PUT, put(round, content).number(7, 1).encoded()));
      channel.writeInbound(framed(PUT, put(round, content).number(11, 1).encoded()));
      channel.writeInbound(framed(GET, get(round).encoded()));
      channel.writeInbound(framed(GET, get(round).number(8, 1).encoded()));
      channel.writeInbound(framed(PING, new byte[0]));
      stillServes(await(PONG, 1));
    }
  }

  @Test
  void whatOthersHaveStoredComesBackReadable() throws IOException {
    Keyspace keyspace = cluster.node(1).keyspace(0, TYPE);
    Randomness random = Randomness.of(23);
    byte[] prefix = "\6bucketkey-".getBytes(US_ASCII);
    for (int round = 0; round < 150; round++) {
      byte[] value =
          random.nextInt(2) == 0 ? mutated(content(), random) : new byte[random.nextInt(9)];
      byte[] number = Integer.toString(round).getBytes(US_ASCII);
      byte[] key = Arrays.copyOf(prefix, prefix.length + number.length);
      System.arraycopy(number, 0, key, prefix.length, number.length);
      // Also the record of the bucket's properties, and that of the type's.
      byte[] properties = round % 10 == 0 ? new byte[1] : "\0bucket".getBytes(US_ASCII);
      store(keyspace, key, value);
      store(keyspace, properties, value);
      cluster.runFor(3 * Cluster.SECOND);
      channel.writeInbound(framed(GET, get(round).encoded()));
      channel.writeInbound(framed(GET, get(round).number(8, 1).encoded()));
      channel.writeInbound(framed(19, new Message().text(1, "bucket").text(2, TYPE).encoded()));
      channel.writeInbound(framed(PING, new byte[0]));
      stillServes(await(PONG, 1));
    }
  }

  private static void store(Keyspace keyspace, byte[] key, byte[] value) {
    Update.Store store =
        new Update.Store(value, Update.NO_EXPIRY, new byte[0], true, Update.Match.NONE, false);
    keyspace.update(key, store, Level.DEFAULT, outcome -> {});
  }

  @Test
  void aThousandRequestsThatFailBehindOneOfTheirKeyAreAnswered() throws IOException {
    channel.writeInbound(framed(PUT, put(1, content()).encoded()));
    byte[] valueless = new Message().text(2, "text/plain").encoded();
    for (int i = 0; i < 1_000; i++) {
      channel.writeInbound(framed(PUT, put(1, valueless).encoded()));
    }
    stillServes(await(0, 1_000));
  }

  @Test
  void answersThatWaitForOneBeforeThemAreBounded() throws IOException {
    byte[] big = new Message().bytes(1, new byte[4 << 20]).encoded();
    channel.writeInbound(framed(PUT, put(1, big).encoded()));
    await(STORED, 1);
    cluster.runFor(10 * Cluster.SECOND);
    cluster.world.pause(2, Cluster.SECOND / 2);
    cluster.world.pause(3, Cluster.SECOND / 2);
    channel.writeInbound(framed(GET, get(2).number(3, 2).encoded()));
    int asked = 0;
    while (channel.config().isAutoRead()) {
      assertTrue(++asked < 10, "answers pile up behind one that is slow");
      channel.writeInbound(framed(GET, get(1).number(3, 1).number(11, 0).encoded()));
      cluster.runFor(20 * Cluster.MILLI);
      assertEquals(0, channel.outboundMessages().size(), "nothing was slow");
    }
    stillServes(await(GOT, asked));
    assertTrue(channel.config().isAutoRead());
  }

  @Test
  void aListingGoesOnAsItsClientTakesIt() throws IOException {
    Keyspace keyspace = cluster.node(1).keyspace(0, TYPE);
    int[] stored = {0};
    for (int i = 0; i < 4_000; i++) {
      byte[] key = ("\6bucketkey-" + i).getBytes(US_ASCII);
      Update.Store store =
          new Update.Store(key, Update.NO_EXPIRY, new byte[0], true, Update.Match.NONE, false);
      keyspace.update(key, store, Level.DEFAULT, outcome -> stored[0]++);
      int number = i + 1;
      if (number % 200 == 0) {
        cluster.within(10 * Cluster.SECOND, () -> stored[0] == number);
      }
    }
    channel.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
    channel.writeInbound(
        framed(LIST_KEYS, new Message().text(1, "bucket").text(3, TYPE).encoded()));
    cluster.runFor(20 * Cluster.SECOND);
    channel.runPendingTasks();
    assertTrue(frames().size() <= 1, "pages pile up");
    channel.unsafe().outboundBuffer().setUserDefinedWritability(1, true);
    List<Frame> pages = await(KEYS, 3);
    assertTrue(pages.stream().allMatch(frame -> frame.code() == KEYS));
  }
}
