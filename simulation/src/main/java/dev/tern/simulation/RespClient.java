package dev.tern.simulation;

import static java.nio.charset.StandardCharsets.US_ASCII;

import dev.tern.core.keyspace.Caller;
import dev.tern.core.node.Node;
import dev.tern.gateway.resp.DoorStatistics;
import dev.tern.gateway.resp.RedisSession;
import dev.tern.gateway.resp.ServerCommands;
import dev.tern.gateway.session.ClusterStatus;
import dev.tern.gateway.session.Outlet;
import dev.tern.world.World;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// A client of the Redis door: the bytes of some commands at a time, in pieces, through the session
/// that sockets have in production. Every command is answered in order by what it may be answered
/// with; now and then the client sends what is no request, and connects anew.
final class RespClient {
  static final int MAX_PIPELINED = 6;

  /// In the text of a page of SCAN: the array's kind, the cursor and the kind of the keys' array.
  private static final int ELEMENTS_BEFORE_KEYS = 3;

  private final ClusterRun run;
  private final World world;
  private final int number;
  private final KeyWalk walk;

  /// Counts the pages that were asked for, and says whether the last one is waited for.
  private int pages;

  private boolean walking;
  private int operations;
  private @Nullable Connection connection;

  RespClient(ClusterRun run, int number) {
    this.run = run;
    this.world = run.world;
    this.number = number;
    this.walk = new KeyWalk(run);
  }

  /// Sends some commands to a node; on its loop.
  ///
  /// @param answered called when all are answered, or the connection was closed
  void request(Node node, int shard, Runnable answered) {
    Connection open = connection;
    if (open == null || open.closed || open.node != node) {
      open = new Connection(node, shard);
      connection = open;
      walking = false;
    }
    open.answered = answered;
    ByteBuf bytes = Unpooled.buffer();
    int commands = 1 + world.random.nextInt(MAX_PIPELINED);
    for (int i = 0; i < commands; i++) {
      command(open, bytes);
    }
    if (world.chance(0.03)) {
      bytes.writeBytes(hostile());
      open.hostile = true;
    }
    open.send(bytes);
  }

  private byte[] hostile() {
    return switch (world.random.nextInt(4)) {
      case 0 -> "*1\r\n$-7\r\n".getBytes(US_ASCII);
      case 1 -> "*99999999999\r\n".getBytes(US_ASCII);
      case 2 -> "*2\r\n$3\r\nGET\r\n:5\r\n".getBytes(US_ASCII);
      default -> "*1\r\n$999999999999\r\n".getBytes(US_ASCII);
    };
  }

  private void command(Connection to, ByteBuf bytes) {
    String key = "key-" + world.random.nextInt(3);
    long began = world.nanos();
    switch (world.random.nextInt(10)) {
      case 0, 1, 2 -> {
        String value = "r" + number + "-" + ++operations;
        History.Write write = run.history.begin(key, value, 0, began);
        to.expect(bytes, reply -> put(key, write, reply), "SET", key, value);
      }
      case 3 -> {
        History.Write write = run.history.begin(key, null, 0, began);
        to.expect(bytes, reply -> deleted(key, write, reply), "DEL", key);
      }
      case 4 -> to.expect(bytes, reply -> is(reply, "+PONG"), "PING");
      case 5 -> to.expect(bytes, reply -> starts(reply, "*$-"), "CLUSTER", "SLOTS");
      case 6, 7 -> walk(to, bytes);
      default -> {
        int losses = run.history.losses();
        to.expect(bytes, reply -> got(key, began, losses, reply), "GET", key);
      }
    }
  }

  /// Asks for the next page of all keys, or how many there are while one is waited for.
  private void walk(Connection to, ByteBuf bytes) {
    if (!to.single) {
      to.single = true;
      to.expect(bytes, reply -> is(reply, "+OK"), "TERN.MODE", "SINGLE");
    }
    if (walking) {
      to.expect(bytes, RespClient::counted, "DBSIZE");
      return;
    }
    walking = true;
    int page = ++pages;
    long began = world.nanos();
    String count = Integer.toString(1 + world.random.nextInt(20));
    to.expect(
        bytes,
        reply -> {
          if (page == pages) {
            walking = false;
            walked(reply, began);
          }
        },
        "SCAN",
        Long.toString(walk.cursor()),
        "COUNT",
        count);
  }

  private static void counted(String reply) {
    starts(reply, ":-");
    if (reply.startsWith(":-")) {
      throw new History.Violation("the Redis door counted " + reply);
    }
  }

  private void walked(String reply, long began) {
    starts(reply, "*-");
    if (reply.startsWith("-")) {
      return;
    }
    String[] parts = reply.split("\n", -1);
    List<String> keys = new ArrayList<>();
    for (int i = ELEMENTS_BEFORE_KEYS; i < parts.length; i++) {
      keys.add(parts[i].substring(1));
    }
    if (walk.page(keys, Long.parseLong(parts[1].substring(1)), began)) {
      walk.restart();
    }
  }

  private static void is(String reply, String wanted) {
    if (!reply.equals(wanted)) {
      throw new History.Violation("the Redis door answered " + reply + ", not " + wanted);
    }
  }

  private static void starts(String reply, String kinds) {
    if (kinds.indexOf(reply.charAt(0)) < 0) {
      throw new History.Violation("the Redis door answered " + reply);
    }
  }

  private static boolean isRefusal(String reply) {
    return reply.startsWith("-CLUSTERDOWN")
        || reply.startsWith("-TRYAGAIN")
        || reply.startsWith("-MISCONF");
  }

  /// Whether a write was done, as an error tells.
  private void failed(History.Write write, String reply) {
    // Lists may be shorter than what a client asks for.
    boolean tooMany = run.mayShortenLists() && reply.contains("is more than the replicas of a key");
    if (isRefusal(reply) || tooMany) {
      write.refused = true;
    } else if (!reply.startsWith("-TIMEOUT") && !reply.startsWith("-LOADING")) {
      throw new History.Violation("the Redis door answered a write with " + reply);
    }
  }

  private void put(String key, History.Write write, String reply) {
    if (reply.equals("+OK")) {
      int w = run.shape.w();
      run.history.acknowledged(key, write, world.nanos(), w, w);
    } else {
      failed(write, reply);
    }
  }

  private void deleted(String key, History.Write write, String reply) {
    if (reply.equals(":1")) {
      int w = run.shape.w();
      int read = Math.max(run.shape.r(), run.shape.n() - w + 1);
      run.history.acknowledged(key, write, world.nanos(), w, read);
    } else if (reply.equals(":0")) {
      write.refused = true;
    } else {
      failed(write, reply);
    }
  }

  private void got(String key, long began, int losses, String reply) {
    if (reply.startsWith("-")) {
      return;
    }
    starts(reply, "$");
    @Nullable String value = reply.equals("$-1") ? null : reply.substring(1);
    // One replica may have said it a while ago, where that is the keyspace's own promise.
    int level = run.shape.r() == 1 && !run.shape.meets() ? 0 : run.shape.r();
    if (value != null && value.startsWith("r" + number + "-")) {
      // The SET before it may have answered it: what that one did not meet the GET did not.
      level = Math.min(level, run.shape.w());
    }
    int met = Math.max(0, level - (run.history.losses() - losses));
    int n = run.shape.n();
    int held = met == 0 ? 0 : 2 * met > n ? n - met + 1 : 1;
    run.history.read(
        new History.Read(key, value, History.UNKNOWN_EXPIRY, began, world.nanos(), met, held));
  }

  /// One conversation with a node.
  private final class Connection implements Outlet {
    private final Node node;
    private final int target;
    private final RedisSession session;
    private final ServerCommands server;
    private final ByteBuf unread = Unpooled.buffer();
    private final ByteBuf replies = Unpooled.buffer();
    private final ArrayDeque<Consumer<String>> expected = new ArrayDeque<>();
    private final ArrayDeque<byte[]> onTheWay = new ArrayDeque<>();
    private boolean hostile;

    /// Whether it has said that it means all keys.
    private boolean single;

    private boolean closed;
    private Runnable answered = () -> {};

    Connection(Node node, int shard) {
      this.node = node;
      this.target = node.self().number();
      DoorStatistics statistics = new DoorStatistics();
      this.server = new ServerCommands(0, List.of(statistics));
      this.session =
          new RedisSession(
              ClusterStatus.of(node),
              node.keyspace(shard, "data", Caller.anonymous("redis", "simulated")),
              run.clock(target),
              statistics,
              server,
              1,
              "simulated",
              this);
      server.opened(session);
    }

    void expect(ByteBuf bytes, Consumer<String> reply, String... arguments) {
      expected.add(reply);
      StringBuilder text = new StringBuilder("*" + arguments.length + "\r\n");
      for (String argument : arguments) {
        text.append('$').append(argument.length()).append("\r\n").append(argument).append("\r\n");
      }
      bytes.writeBytes(text.toString().getBytes(US_ASCII));
    }

    /// In pieces that come one after the other.
    void send(ByteBuf bytes) {
      long delay = 0;
      while (bytes.isReadable()) {
        int length = world.chance(0.5) ? bytes.readableBytes() : 1 + world.random.nextInt(20);
        byte[] piece = new byte[Math.min(length, bytes.readableBytes())];
        bytes.readBytes(piece);
        // A node that stands still may take up its events in another order: bytes keep theirs.
        onTheWay.add(piece);
        world.schedule(delay, target, this::arrived);
        delay += world.between(0, 200_000);
      }
    }

    private void arrived() {
      unread.writeBytes(java.util.Objects.requireNonNull(onTheWay.poll()));
      feed();
    }

    private void feed() {
      if (!closed) {
        session.feed(unread);
        unread.discardReadBytes();
        take();
      }
    }

    @Override
    public void repliesReady() {
      world.schedule(
          0,
          target,
          () -> {
            take();
            feed();
          });
    }

    @Override
    public void readyForMore() {
      world.schedule(0, target, this::feed);
    }

    @Override
    public void malformed(String detail) {
      if (!hostile) {
        throw new History.Violation("the Redis door cannot read a request: " + detail);
      }
    }

    @Override
    public void close() {
      if (!hostile) {
        throw new History.Violation("the Redis door closed a connection that did no wrong");
      }
      if (!closed) {
        closed = true;
        answered.run();
      }
    }

    private void take() {
      if (session.hasReplies()) {
        session.takeReplies(replies);
      }
      String reply;
      while ((reply = next(replies)) != null) {
        Consumer<String> to = expected.poll();
        if (to == null && !(hostile && reply.startsWith("-ERR"))) {
          throw new History.Violation("the Redis door answered what was not asked: " + reply);
        }
        if (to != null) {
          to.accept(reply);
        }
      }
      replies.discardReadBytes();
      if (expected.isEmpty() && !hostile) {
        Runnable then = answered;
        answered = () -> {};
        then.run();
      }
    }
  }

  /// The next whole reply as text: its kind, and its value or how many elements it has, with these
  /// behind it, a line each; null if it has not all come.
  private static @Nullable String next(ByteBuf bytes) {
    int start = bytes.readerIndex();
    int end = bytes.indexOf(start, bytes.writerIndex(), (byte) '\n');
    if (end < 0) {
      return null;
    }
    String line = bytes.toString(start, end - 1 - start, US_ASCII);
    bytes.readerIndex(end + 1);
    @Nullable String whole = line;
    if (line.startsWith("$") && !line.equals("$-1")) {
      int length = Integer.parseInt(line.substring(1));
      boolean all = bytes.readableBytes() >= length + 2;
      whole = all ? "$" + bytes.readCharSequence(length, US_ASCII) : null;
      bytes.skipBytes(all ? 2 : 0);
    } else if (line.startsWith("*")) {
      for (int i = Integer.parseInt(line.substring(1)); i > 0 && whole != null; i--) {
        String element = next(bytes);
        whole = element == null ? null : whole + "\n" + element;
      }
    }
    if (whole == null) {
      bytes.readerIndex(start);
    }
    return whole;
  }
}
