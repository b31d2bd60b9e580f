package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.US_ASCII;

import com.google.protobuf.CodedInputStream;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.WireFormat;
import dev.tern.core.node.Node;
import dev.tern.env.Events;
import dev.tern.gateway.net.ClientBounds;
import dev.tern.gateway.riak.RiakProtocol;
import dev.tern.world.SimulatedClock;
import dev.tern.world.World;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.embedded.EmbeddedChannel;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/// A client of the Riak door: the bytes of some gets, puts and deletes of a bucket with siblings at
/// a time, in pieces, through the conversation that sockets have in production. Every request is
/// answered in order, and [SiblingHistory] checks the answers. A client goes on with the context of
/// what it last read or stored of a key.
final class RiakClient {
  static final int MAX_PIPELINED = 4;

  private static final int KEYS = 3;
  private static final String BUCKET = "bucket";

  /// What the keys of the bucket begin with in the type's keyspace: the name's length, the name.
  private static final String PREFIX = (char) BUCKET.length() + BUCKET;

  private static final String TYPE = "siblings";
  private static final int ERROR = 0;
  private static final int GET = 9;
  private static final int GOT = 10;
  private static final int PUT = 11;
  private static final int STORED = 12;
  private static final int DELETE = 13;
  private static final int DELETED = 14;

  /// The number of a field of contents.
  private static final int DELETED_FLAG = 11;

  /// From one look for answers to the next: no event tells of them.
  private static final long LOOK_NANOS = 2_000_000;

  private static final long ROOM = 1L << 30;

  private final ClusterRun run;
  private final World world;
  private final int number;
  private int operations;
  private @Nullable Connection connection;

  /// What was last shown of a key, with its context.
  private record Seen(Set<String> values, byte[] context) {}

  private final Map<String, Seen> seen = new TreeMap<>();

  RiakClient(ClusterRun run, int number) {
    this.run = run;
    this.world = run.world;
    this.number = number;
  }

  /// Takes an answer.
  private interface Reader {
    void answer(int code, byte[] message) throws IOException;
  }

  /// Writes the fields of a message.
  private interface Fields {
    void to(CodedOutputStream out) throws IOException;
  }

  private static byte[] message(Fields fields) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    CodedOutputStream out = CodedOutputStream.newInstance(bytes);
    try {
      fields.to(out);
      out.flush();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
    return bytes.toByteArray();
  }

  /// The content of a value as the door stores it; values are shorter than 128 bytes.
  private static String content(String value) {
    byte[] bytes = message(out -> out.writeByteArray(1, value.getBytes(US_ASCII)));
    return new String(bytes, US_ASCII);
  }

  /// Sends some requests to a node; on its loop.
  ///
  /// @param answered called when all are answered
  void request(Node node, int shard, Runnable answered) {
    Connection open = connection;
    if (open == null || open.node != node) {
      open = new Connection(node, shard);
      connection = open;
    }
    open.answered = answered;
    ByteBuf bytes = Unpooled.buffer();
    for (int i = 1 + world.random.nextInt(MAX_PIPELINED); i > 0; i--) {
      String key = "key-" + world.random.nextInt(KEYS);
      switch (world.random.nextInt(8)) {
        case 0, 1, 2 -> get(open, bytes, key);
        case 3 -> delete(open, bytes, key);
        default -> put(open, bytes, key);
      }
    }
    open.send(bytes);
  }

  private void get(Connection to, ByteBuf bytes, String key) {
    long began = world.nanos();
    boolean sloppy = world.chance(0.3);
    byte[] request =
        message(
            out -> {
              out.writeString(1, BUCKET);
              out.writeString(2, key);
              out.writeBool(11, sloppy);
              out.writeString(13, TYPE);
            });
    to.expect(
        bytes,
        GET,
        request,
        (code, message) -> {
          if (code == GOT) {
            Seen now = shown(message, 1, 2);
            boolean meets = !sloppy && run.shape.meets() && !run.diskLost;
            run.siblings.read(PREFIX + key, List.copyOf(now.values()), began, world.nanos(), meets);
            seen.put(key, now);
          } else {
            isError(code);
          }
        });
  }

  private void put(Connection to, ByteBuf bytes, String key) {
    Seen shown = seen.get(key);
    if (shown == null || world.chance(0.3)) {
      shown = new Seen(new TreeSet<>(), new byte[0]);
    }
    byte[] context = shown.context();
    String value = "k" + number + "." + ++operations;
    SiblingHistory.Write write =
        run.siblings.begin(PREFIX + key, content(value), shown.values(), world.nanos());
    int condition = world.random.nextInt(8);
    write.sloppy = condition > 1 && world.chance(0.3);
    boolean body = world.chance(0.5);
    byte[] request =
        message(
            out -> {
              out.writeString(1, BUCKET);
              out.writeString(2, key);
              if (context.length > 0) {
                out.writeByteArray(3, context);
              }
              out.writeByteArray(4, content(value).getBytes(US_ASCII));
              out.writeBool(7, body);
              out.writeBool(9, condition == 0 && context.length > 0);
              out.writeBool(10, condition == 1);
              out.writeBool(14, write.sloppy);
              out.writeString(16, TYPE);
            });
    to.expect(
        bytes,
        PUT,
        request,
        (code, message) -> {
          if (code != STORED) {
            failed(write, code, message);
            return;
          }
          write.acknowledged = Math.min(write.acknowledged, world.nanos());
          if (body) {
            Seen now = shown(message, 1, 2);
            if (!now.values().contains(write.value)) {
              throw new History.Violation(key + ": " + write + " was stored and not returned");
            }
            seen.put(key, now);
          }
        });
  }

  /// With what was last read: a delete without a context reads one that the client is not told.
  private void delete(Connection to, ByteBuf bytes, String key) {
    Seen shown = seen.get(key);
    if (shown == null || shown.context().length == 0) {
      get(to, bytes, key);
      return;
    }
    String name = "-k" + number + "." + ++operations;
    SiblingHistory.Write write =
        run.siblings.begin(PREFIX + key, name, shown.values(), world.nanos());
    write.sloppy = world.chance(0.3);
    byte[] request =
        message(
            out -> {
              out.writeString(1, BUCKET);
              out.writeString(2, key);
              out.writeByteArray(4, shown.context());
              out.writeBool(11, write.sloppy);
              out.writeString(13, TYPE);
            });
    to.expect(
        bytes,
        DELETE,
        request,
        (code, message) -> {
          if (code == DELETED) {
            write.acknowledged = Math.min(write.acknowledged, world.nanos());
          } else {
            failed(write, code, message);
          }
        });
  }

  /// Whether a write was done, as an error tells: Riak's word for what is not known is a timeout.
  private static void failed(SiblingHistory.Write write, int code, byte[] message)
      throws IOException {
    isError(code);
    write.refused = !field(message, 1).equals("timeout");
  }

  private static void isError(int code) {
    if (code != ERROR) {
      throw new History.Violation("the Riak door answered with a message of code " + code);
    }
  }

  /// The first value of a field of byte strings; empty if there is none.
  private static String field(byte[] message, int wanted) throws IOException {
    List<byte[]> found = fields(message, wanted);
    return found.isEmpty() ? "" : new String(found.getFirst(), ISO_8859_1);
  }

  private static List<byte[]> fields(byte[] message, int wanted) throws IOException {
    List<byte[]> found = new ArrayList<>();
    CodedInputStream in = CodedInputStream.newInstance(message);
    int tag;
    while ((tag = in.readTag()) != 0) {
      if (WireFormat.getTagFieldNumber(tag) == wanted) {
        found.add(in.readByteArray());
      } else {
        in.skipField(tag);
      }
    }
    return found;
  }

  private static boolean isDeleted(byte[] content) throws IOException {
    CodedInputStream in = CodedInputStream.newInstance(content);
    boolean deleted = false;
    int tag;
    while ((tag = in.readTag()) != 0) {
      if (WireFormat.getTagFieldNumber(tag) == DELETED_FLAG) {
        deleted = in.readBool();
      } else {
        in.skipField(tag);
      }
    }
    return deleted;
  }

  private static Seen shown(byte[] message, int contents, int context) throws IOException {
    Set<String> values = new TreeSet<>();
    for (byte[] each : fields(message, contents)) {
      // A delete beside other siblings is told as one without a value.
      if (!isDeleted(each)) {
        values.add(content(field(each, 1)));
      }
    }
    List<byte[]> contexts = fields(message, context);
    return new Seen(values, contexts.isEmpty() ? new byte[0] : contexts.getFirst());
  }

  /// One conversation with a node.
  private final class Connection {
    private final Node node;
    private final int target;
    private final EmbeddedChannel channel;
    private final ByteBuf answers = Unpooled.buffer();
    private final ArrayDeque<Reader> expected = new ArrayDeque<>();
    private final ArrayDeque<ByteBuf> onTheWay = new ArrayDeque<>();
    private boolean looking;
    private Runnable answered = () -> {};

    Connection(Node node, int shard) {
      this.node = node;
      this.target = node.self().number();
      ClientBounds bounds = new ClientBounds("Riak", ROOM, ROOM, Events.NONE);
      SimulatedClock clock = run.clock(target);
      RiakProtocol protocol = new RiakProtocol(node, clock, "data");
      this.channel =
          new EmbeddedChannel(
              dev.tern.gateway.session.Connection.alone(
                  protocol, shard, bounds, clock::monotonicNanos));
    }

    void expect(ByteBuf bytes, int code, byte[] message, Reader reader) {
      expected.add(reader);
      bytes.writeInt(1 + message.length).writeByte(code).writeBytes(message);
    }

    /// In pieces that come one after the other.
    void send(ByteBuf bytes) {
      long delay = 0;
      while (bytes.isReadable()) {
        int length = world.chance(0.5) ? bytes.readableBytes() : 1 + world.random.nextInt(40);
        onTheWay.add(bytes.readBytes(Math.min(length, bytes.readableBytes())));
        world.schedule(delay, target, this::arrived);
        delay += world.between(0, 200_000);
      }
      if (!looking) {
        looking = true;
        look();
      }
    }

    private void arrived() {
      channel.writeInbound(java.util.Objects.requireNonNull(onTheWay.poll()));
    }

    private void look() {
      channel.runPendingTasks();
      channel.checkException();
      if (!channel.isActive()) {
        throw new History.Violation("the Riak door closed a connection that did no wrong");
      }
      ByteBuf out;
      while ((out = channel.readOutbound()) != null) {
        answers.writeBytes(out);
        out.release();
      }
      take();
      looking = !expected.isEmpty();
      if (looking) {
        world.schedule(LOOK_NANOS, target, this::look);
      } else {
        Runnable then = answered;
        answered = () -> {};
        then.run();
      }
    }

    private void take() {
      while (answers.readableBytes() >= 4
          && answers.readableBytes() >= 4 + answers.getInt(answers.readerIndex())) {
        byte[] message = new byte[answers.readInt() - 1];
        int code = answers.readUnsignedByte();
        answers.readBytes(message);
        Reader reader = expected.poll();
        if (reader == null) {
          throw new History.Violation("the Riak door answered what was not asked: " + code);
        }
        try {
          reader.answer(code, message);
        } catch (IOException e) {
          throw new History.Violation("the Riak door answered what cannot be read: " + e);
        }
      }
      answers.discardReadBytes();
    }
  }
}
