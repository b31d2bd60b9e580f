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
import org.jspecify.annotations.Nullable;

/// Commands on several keys or on the whole keyspace. Each key is read or written by itself: what
/// happens to several is not atomic, as between the nodes of a Redis Cluster.
final class ManyKeys {
  private static final int DEFAULT_SCAN_COUNT = 10;

  private final RedisSession session;
  private final Keyspace keyspace;
  private final Level level;
  private final Pending pending;

  ManyKeys(RedisSession session, Level level, Pending pending) {
    this.session = session;
    this.keyspace = session.keyspace;
    this.level = level;
    this.pending = pending;
  }

  void run(CommandTable.Command command, List<byte[]> arguments) {
    switch (command.name()) {
      case "MGET" -> {
        List<byte[]> keys = keys(arguments, 1);
        gather(keys.size(), (i, done) -> read(keys.get(i), Reply.NIL, done), Reply.Array::new);
      }
      case "EXISTS" -> {
        List<byte[]> keys = keys(arguments, 1);
        gather(keys.size(), (i, done) -> read(keys.get(i), Reply.ZERO, done), ManyKeys::sum);
      }
      case "DEL", "UNLINK" -> {
        List<byte[]> keys = keys(arguments, 1);
        Update delete = new Update.Delete(false);
        gather(keys.size(), (i, done) -> update(keys.get(i), delete, done), ManyKeys::sum);
      }
      case "MSET" -> mset(arguments);
      case "SCAN" -> scan(arguments);
      case "KEYS" -> keys(arguments.get(1), 0, new ArrayList<>());
      case "DBSIZE" ->
          keyspace.count(
              scope(),
              outcome ->
                  pending.finish(
                      switch (outcome) {
                        case CountOutcome.Count count -> Reply.number(count.keys());
                        case Unanswered why -> Errors.of(why);
                      }));
      case "OBJECT" -> object(arguments);
      default -> throw new IllegalStateException("no such command: " + command.name());
    }
  }

  private Scope scope() {
    return session.scope();
  }

  private List<byte[]> keys(List<byte[]> arguments, int step) {
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

  private void mset(List<byte[]> arguments) {
    if (arguments.size() % 2 == 0) {
      throw CommandException.arity("mset");
    }
    List<byte[]> keys = keys(arguments, 2);
    gather(
        keys.size(),
        (i, done) -> {
          byte[] value = arguments.get(2 * i + 2);
          Update put = new Update.Put(value, Update.NO_EXPIRY, Update.Condition.NONE, false);
          update(keys.get(i), put, done);
        },
        replies -> Reply.OK);
  }

  /// Takes one part's reply.
  private interface Part {
    void done(Reply reply);
  }

  private void gather(
      int count,
      BiConsumer<Integer, Part> start,
      java.util.function.Function<List<Reply>, Reply> whole) {
    @Nullable Reply[] replies = new Reply[count];
    int[] missing = {count};
    for (int i = 0; i < count; i++) {
      int place = i;
      start.accept(
          i,
          reply -> {
            replies[place] = reply;
            if (--missing[0] == 0) {
              pending.finish(whole(replies, whole));
            }
          });
    }
  }

  private static Reply whole(
      @Nullable Reply[] replies, java.util.function.Function<List<Reply>, Reply> whole) {
    List<Reply> list = new ArrayList<>(replies.length);
    for (Reply reply : replies) {
      if (reply instanceof Reply.Error) {
        return reply;
      }
      list.add(java.util.Objects.requireNonNull(reply));
    }
    return whole.apply(list);
  }

  private static Reply sum(List<Reply> replies) {
    long sum = 0;
    for (Reply reply : replies) {
      sum += reply == Reply.ZERO ? 0 : 1;
    }
    return Reply.number(sum);
  }

  private void read(byte[] key, Reply missing, Part part) {
    keyspace.read(
        key,
        level,
        outcome ->
            part.done(
                switch (outcome) {
                  case ReadOutcome.Found found -> new Reply.Bulk(found.value());
                  case ReadOutcome.Missing none -> missing;
                  case Unanswered why -> Errors.of(why);
                }));
  }

  private void update(byte[] key, Update update, Part part) {
    keyspace.update(
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
                }));
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
            pending.finish(
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

  private void keys(byte[] pattern, long cursor, List<Reply> found) {
    keyspace.scan(
        cursor,
        1000,
        scope(),
        outcome -> {
          if (!(outcome instanceof ScanOutcome.Page page)) {
            pending.finish(Errors.of((Unanswered) outcome));
            return;
          }
          found.addAll(matching(page.keys(), pattern));
          if (page.next() == 0) {
            pending.finish(new Reply.Array(found));
          } else {
            keys(pattern, page.next(), found);
          }
        });
  }

  private void object(List<byte[]> arguments) {
    if (arguments.size() == 2 && Arguments.word(arguments, 1).equals("HELP")) {
      pending.finish(CommandHelp.of("OBJECT"));
      return;
    }
    if (arguments.size() != 3 || !Arguments.word(arguments, 1).equals("ENCODING")) {
      throw CommandException.subcommand("OBJECT", arguments, Set.of("ENCODING", "HELP"));
    }
    keyspace.read(
        arguments.get(2),
        level,
        outcome ->
            pending.finish(
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
