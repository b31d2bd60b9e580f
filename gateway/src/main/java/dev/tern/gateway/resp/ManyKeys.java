package dev.tern.gateway.resp;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Keyspace;
import dev.tern.core.keyspace.Level;
import dev.tern.core.keyspace.ReadOutcome;
import dev.tern.core.keyspace.ScanOutcome;
import dev.tern.core.keyspace.Scope;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Update;
import dev.tern.core.keyspace.UpdateOutcome;
import dev.tern.core.topology.Slots;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.function.BiConsumer;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import org.jspecify.annotations.Nullable;

/// Commands on several keys or on the whole keyspace. Each key is read or written by itself: what
/// happens to several is not atomic, as between the nodes of a Redis Cluster.
final class ManyKeys {
  private static final int DEFAULT_SCAN_COUNT = 10;

  /// Parts of one command under way at a time; the connection's next requests wait until the last
  /// part has begun.
  static final int WINDOW = 256;

  /// Bytes of values that one command writes at a time, or one value. A command that was read whole
  /// must not be refused because all of its values are large together.
  static final long WINDOW_BYTES = 4 << 20;

  private final RedisSession session;
  private final Keyspace keyspace;
  private final CommandTable.Command command;
  private final List<byte[]> arguments;
  private final Level level;

  /// Of commands on named keys.
  private final List<byte[]> keys;

  private @Nullable Pending request;

  /// A command that has not begun.
  ///
  /// @throws CommandException if its arguments are not as they should be
  ManyKeys(
      RedisSession session, CommandTable.Command command, List<byte[]> arguments, Level level) {
    this.session = session;
    this.keyspace = session.keyspace;
    this.command = command;
    this.arguments = arguments;
    this.level = level;
    this.keys =
        switch (command.name()) {
          case "MGET", "EXISTS", "DEL", "UNLINK" -> keys(session, arguments, 1);
          case "MSET" -> {
            if (arguments.size() % 2 == 0) {
              throw CommandException.arity("mset");
            }
            yield keys(session, arguments, 2);
          }
          default -> List.of();
        };
  }

  /// Whether it looks at keys that it does not name.
  boolean looksAtAllKeys() {
    return List.of("SCAN", "KEYS", "DBSIZE").contains(command.name());
  }

  private void finish(Reply reply) {
    java.util.Objects.requireNonNull(request).finish(reply);
  }

  /// Begins.
  void run(Pending of) {
    request = of;
    try {
      run();
    } catch (CommandException e) {
      finish(new Reply.Error(String.valueOf(e.getMessage())));
    }
  }

  private void run() {
    switch (command.name()) {
      case "MGET" ->
          gather((i, done) -> read(keys.get(i), Reply.NIL, done), Parts::failed, Reply.Array::new);
      case "EXISTS" ->
          gather((i, done) -> read(keys.get(i), Reply.ZERO, done), Parts::failed, ManyKeys::sum);
      case "DEL", "UNLINK" -> {
        Update delete = new Update.Delete(false);
        gather(
            (i, done) -> update(keys.get(i), delete, done),
            parts -> parts.failedHalfway("deleted"),
            ManyKeys::sum);
      }
      case "MSET" ->
          gather(
              (i, done) -> update(keys.get(i), put(arguments.get(2 * i + 2)), done),
              i -> arguments.get(2 * i + 2).length,
              parts -> parts.failedHalfway("written"),
              replies -> Reply.OK);
      case "SCAN" -> scan(arguments);
      case "KEYS" -> scanAll(arguments.get(1), 0, new ArrayList<>());
      case "DBSIZE" ->
          keyspace.count(
              scope(),
              outcome ->
                  finish(
                      switch (outcome) {
                        case CountOutcome.Count count -> Reply.number(count.keys());
                        case Unanswered why -> Errors.of(why);
                      }));
      case "OBJECT" -> object(arguments);
      default -> throw new IllegalStateException("no such command: " + command.name());
    }
  }

  private static Update put(byte[] value) {
    return new Update.Put(value, Update.NO_EXPIRY, Update.Condition.NONE, false);
  }

  private Scope scope() {
    return session.scope();
  }

  private static List<byte[]> keys(RedisSession session, List<byte[]> arguments, int step) {
    List<byte[]> keys = new ArrayList<>();
    for (int i = 1; i < arguments.size(); i += step) {
      keys.add(arguments.get(i));
    }
    if (session.mode.refusesManySlots()) {
      int slot = Slots.of(keys.getFirst());
      for (byte[] key : keys) {
        if (Slots.of(key) != slot) {
          throw new CommandException("CROSSSLOT Keys in request don't hash to the same slot");
        }
      }
    }
    return keys;
  }

  /// Takes one part's reply.
  private interface Part {
    /// @param unknown whether the part may have been done though it failed
    void done(Reply reply, boolean unknown);
  }

  /// What the parts came to, in the order of the keys.
  private static final class Parts {
    private final Reply[] replies;
    private int unknown;
    private int failures;
    private @Nullable Reply firstFailure;

    Parts(int count) {
      replies = new Reply[count];
    }

    void ended(int place, Reply reply, boolean isUnknown) {
      replies[place] = reply;
      if (reply instanceof Reply.Error) {
        failures++;
        unknown += isUnknown ? 1 : 0;
        firstFailure = firstFailure == null ? reply : firstFailure;
      }
    }

    /// The error of a command that only reads, null for none.
    @Nullable Reply failed() {
      return firstFailure;
    }

    /// The error of a command that writes, null for none. Where a part was done or may have been,
    /// no error says that nothing was: clients would take it for that and try again.
    @Nullable Reply failedHalfway(String done) {
      if (firstFailure == null || failures == replies.length && unknown == 0) {
        return firstFailure;
      }
      return new Reply.Error(
          "TIMEOUT %d of %d keys were %s, of %d it is unknown; the first that was not: %s"
              .formatted(
                  replies.length - failures,
                  replies.length,
                  done,
                  unknown,
                  ((Reply.Error) firstFailure).text()));
    }
  }

  private void gather(
      BiConsumer<Integer, Part> start,
      Function<Parts, @Nullable Reply> failed,
      Function<List<Reply>, Reply> whole) {
    gather(start, i -> 0, failed, whole);
  }

  /// Runs the parts, [#WINDOW] and [#WINDOW_BYTES] at a time, and answers when all have ended.
  private void gather(
      BiConsumer<Integer, Part> start,
      IntUnaryOperator bytes,
      Function<Parts, @Nullable Reply> failed,
      Function<List<Reply>, Reply> whole) {
    new Gathering(start, bytes, failed, whole).begin();
  }

  private final class Gathering {
    private final BiConsumer<Integer, Part> start;
    private final IntUnaryOperator bytes;
    private final Function<Parts, @Nullable Reply> failed;
    private final Function<List<Reply>, Reply> whole;
    private final int count = keys.size();
    private final Parts parts = new Parts(count);
    private int begun;
    private int ended;

    /// Of the values of parts under way.
    private long underWay;

    /// The connection's next requests wait.
    private boolean holds;

    /// Parts that end at once must not begin others from within.
    private boolean beginning;

    Gathering(
        BiConsumer<Integer, Part> start,
        IntUnaryOperator bytes,
        Function<Parts, @Nullable Reply> failed,
        Function<List<Reply>, Reply> whole) {
      this.start = start;
      this.bytes = bytes;
      this.failed = failed;
      this.whole = whole;
    }

    void begin() {
      more();
      if (begun < count) {
        holds = true;
        session.hold();
      }
    }

    private boolean fits(int place) {
      return begun == ended
          || begun - ended < WINDOW && underWay + bytes.applyAsInt(place) <= WINDOW_BYTES;
    }

    private void more() {
      if (beginning) {
        return;
      }
      beginning = true;
      while (begun < count && fits(begun)) {
        int place = begun++;
        underWay += bytes.applyAsInt(place);
        start.accept(place, (reply, unknown) -> ended(place, reply, unknown));
      }
      beginning = false;
      if (holds && begun == count) {
        holds = false;
        session.release();
      }
      if (ended == count) {
        Reply failure = failed.apply(parts);
        finish(failure != null ? failure : whole.apply(Arrays.asList(parts.replies)));
      }
    }

    private void ended(int place, Reply reply, boolean unknown) {
      parts.ended(place, reply, unknown);
      ended++;
      underWay -= bytes.applyAsInt(place);
      more();
    }
  }

  private static Reply sum(List<Reply> replies) {
    long sum = 0;
    for (Reply reply : replies) {
      sum += reply == Reply.ZERO ? 0 : 1;
    }
    return Reply.number(sum);
  }

  private void read(byte[] key, Reply missing, Part part) {
    session.read(
        key,
        level,
        /* valueOnly= */ true,
        outcome ->
            part.done(
                switch (outcome) {
                  case ReadOutcome.Found found -> new Reply.Bulk(found.value());
                  case ReadOutcome.Missing none -> missing;
                  case Unanswered why -> Errors.of(why);
                },
                /* unknown= */ false));
  }

  private void update(byte[] key, Update update, Part part) {
    session.update(
        key,
        update,
        level,
        outcome ->
            part.done(
                switch (outcome) {
                  case UpdateOutcome.Done done -> Reply.number(done.existed() ? 1 : 0);
                  case UpdateOutcome.Rejected rejected -> Errors.of(rejected.why());
                  case UpdateOutcome.Stored stored -> throw Errors.unasked(stored);
                  case Unanswered why -> Errors.of(why);
                },
                outcome instanceof Unanswered.Unknown));
  }

  private void scan(List<byte[]> arguments) {
    long cursor;
    try {
      cursor = Long.parseUnsignedLong(Arguments.text(arguments, 1));
    } catch (NumberFormatException e) {
      throw new CommandException("ERR invalid cursor");
    }
    byte[] pattern = null;
    boolean strings = true;
    long count = DEFAULT_SCAN_COUNT;
    for (int i = 2; i < arguments.size(); i += 2) {
      if (i + 1 == arguments.size()) {
        throw CommandException.syntax();
      }
      switch (Arguments.word(arguments, i)) {
        case "MATCH" -> pattern = arguments.get(i + 1);
        case "COUNT" -> count = Arguments.integer(arguments.get(i + 1));
        case "TYPE" -> strings = Arguments.word(arguments, i + 1).equals("STRING");
        default -> throw CommandException.syntax();
      }
    }
    if (count < 1) {
      throw CommandException.syntax();
    }
    byte[] wanted = pattern;
    boolean any = strings;
    keyspace.scan(
        cursor,
        (int) Math.min(count, Integer.MAX_VALUE),
        scope(),
        outcome ->
            finish(
                switch (outcome) {
                  case ScanOutcome.Page page ->
                      new Reply.Array(
                          List.of(
                              Reply.text(Long.toString(page.next())),
                              new Reply.Array(matching(any ? page.keys() : List.of(), wanted))));
                  case Unanswered why -> Errors.of(why);
                }));
  }

  private static List<Reply> matching(List<byte[]> keys, byte @Nullable [] pattern) {
    List<Reply> matching = new ArrayList<>();
    for (byte[] key : keys) {
      if (pattern == null || Glob.matches(pattern, key)) {
        matching.add(new Reply.Bulk(key));
      }
    }
    return matching;
  }

  private void scanAll(byte[] pattern, long cursor, List<Reply> found) {
    keyspace.scan(
        cursor,
        1000,
        scope(),
        outcome -> {
          if (!(outcome instanceof ScanOutcome.Page page)) {
            finish(Errors.of((Unanswered) outcome));
            return;
          }
          found.addAll(matching(page.keys(), pattern));
          if (page.next() == 0) {
            finish(new Reply.Array(found));
          } else {
            scanAll(pattern, page.next(), found);
          }
        });
  }

  private void object(List<byte[]> arguments) {
    if (arguments.size() == 2 && Arguments.word(arguments, 1).equals("HELP")) {
      finish(CommandHelp.of("OBJECT"));
      return;
    }
    if (arguments.size() != 3 || !Arguments.word(arguments, 1).equals("ENCODING")) {
      throw CommandException.subcommand("OBJECT", arguments, Set.of("ENCODING", "HELP"));
    }
    session.read(
        arguments.get(2),
        level,
        /* valueOnly= */ true,
        outcome ->
            finish(
                switch (outcome) {
                  case ReadOutcome.Found found -> Reply.text(encoding(found.value()));
                  case ReadOutcome.Missing none -> Reply.NIL;
                  case Unanswered why -> Errors.of(why);
                }));
  }

  private static String encoding(byte[] value) {
    String text = new String(value, StandardCharsets.ISO_8859_1);
    boolean integer = value.length < 20 && text.matches("0|-?[1-9][0-9]*");
    return integer && fits(text) ? "int" : value.length <= 44 ? "embstr" : "raw";
  }

  private static boolean fits(String text) {
    try {
      return Arrays.equals(
          Long.toString(Long.parseLong(text)).getBytes(StandardCharsets.US_ASCII),
          text.getBytes(StandardCharsets.US_ASCII));
    } catch (NumberFormatException e) {
      return false;
    }
  }
}
