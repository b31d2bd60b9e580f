package dev.tern.gateway.resp;

import dev.tern.core.keyspace.CountOutcome;
import dev.tern.core.keyspace.Evaluation;
import dev.tern.core.keyspace.Level;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Commands that touch no key: the handshake, the connection, what the server says of itself.
public final class ServerCommands {
  private static final Set<String> CLIENT_SUBCOMMANDS =
      Set.of("ID", "GETNAME", "SETNAME", "SETINFO", "INFO", "NO-EVICT", "NO-TOUCH", "HELP");

  private static final Set<String> CLIENT_TYPES =
      Set.of("NORMAL", "MASTER", "REPLICA", "SLAVE", "PUBSUB");

  /// The version whose manners this door has.
  static final String REDIS_VERSION = "7.0.15";

  private final Map<Long, RedisSession> sessions = new ConcurrentHashMap<>();
  private final long startedMillis;
  private final List<DoorStatistics> statistics;

  private final ConfigParameters parameters = new ConfigParameters();

  /// What `INFO` no longer counts since `CONFIG RESETSTAT`; any loop.
  private volatile Info.Counts before;

  /// @param startedMillis wall-clock milliseconds of the start, for uptimes
  /// @param statistics of all loops
  public ServerCommands(long startedMillis, List<DoorStatistics> statistics) {
    this.startedMillis = startedMillis;
    this.statistics = List.copyOf(statistics);
    this.before = Info.Counts.of(List.of());
  }

  /// A session is listed from now on; any loop.
  public void opened(RedisSession session) {
    sessions.put(session.id, session);
  }

  /// A session is gone.
  public void closed(RedisSession session) {
    sessions.remove(session.id);
  }

  Reply run(RedisSession session, CommandTable.Command command, List<byte[]> arguments) {
    return switch (command.name()) {
      case "PING" -> ping(arguments);
      case "ECHO" -> new Reply.Bulk(arguments.get(1));
      case "HELLO" -> hello(session, arguments);
      case "AUTH" -> {
        if (arguments.size() > 3) {
          throw CommandException.syntax();
        }
        yield auth();
      }
      case "CLIENT" -> client(session, arguments);
      case "COMMAND" -> Introspection.command(arguments);
      case "CONFIG" -> config(session, arguments);
      case "INFO" -> info(session, new Info(arguments), null);
      case "SELECT" -> select(session, arguments);
      case "CLUSTER" -> ClusterCommands.run(session, arguments);
      case "READONLY", "READWRITE", "ASKING" -> {
        session.mode.askedForSlots();
        yield Reply.OK;
      }
      case "QUIT" -> {
        session.closeAfterReplies();
        yield Reply.OK;
      }
      case "RESET" -> reset(session);
      case "TIME" -> time(session);
      case "TERN.LEVEL" -> ternLevel(session, arguments);
      case "TERN.MODE" -> ternMode(session, arguments);
      default -> throw new IllegalStateException("no such command: " + command.name());
    };
  }

  private static Reply ping(List<byte[]> arguments) {
    if (arguments.size() > 2) {
      throw CommandException.arity("ping");
    }
    return arguments.size() == 1 ? new Reply.Simple("PONG") : new Reply.Bulk(arguments.get(1));
  }

  private static Reply auth() {
    throw new CommandException(
        "ERR AUTH <password> called without any password configured for the default user. Are you sure your configuration is correct?");
  }

  private static Reply hello(RedisSession session, List<byte[]> arguments) {
    int protocol = session.protocol;
    String name = session.name;
    if (arguments.size() > 1) {
      String version = Arguments.text(arguments, 1);
      if (!version.equals("2") && !version.equals("3")) {
        boolean number = version.matches("-?[0-9]{1,9}");
        throw new CommandException(
            number
                ? "NOPROTO unsupported protocol version"
                : "ERR Protocol version is not an integer or out of range");
      }
      protocol = Integer.parseInt(version);
    }
    for (int i = 2; i < arguments.size(); i++) {
      String option = Arguments.word(arguments, i);
      if (option.equals("AUTH") && i + 2 < arguments.size()) {
        auth();
      } else if (option.equals("SETNAME") && i + 1 < arguments.size()) {
        name = checkedName(Arguments.text(arguments, ++i));
      } else {
        throw new CommandException("ERR Syntax error in HELLO option '" + option + "'");
      }
    }
    session.protocol = protocol;
    session.name = name;
    Map<String, Reply> answer = new LinkedHashMap<>();
    answer.put("server", Reply.text("redis"));
    answer.put("version", Reply.text(REDIS_VERSION));
    answer.put("proto", Reply.number(protocol));
    answer.put("id", Reply.number(session.id));
    answer.put("mode", Reply.text(session.isCluster() ? "cluster" : "standalone"));
    answer.put("role", Reply.text("master"));
    answer.put("modules", Reply.EMPTY);
    return new Reply.Pairs(answer);
  }

  private static String checkedName(String name) {
    if (name.chars().anyMatch(c -> c < '!' || c > '~')) {
      throw new CommandException(
          "ERR Client names cannot contain spaces, newlines or special characters.");
    }
    return name;
  }

  private Reply client(RedisSession session, List<byte[]> arguments) {
    String what = Arguments.word(arguments, 1);
    int count = arguments.size();
    if (what.equals("ID") && count == 2) {
      return Reply.number(session.id);
    } else if (what.equals("GETNAME") && count == 2) {
      return session.name.isEmpty() ? Reply.NIL : Reply.text(session.name);
    } else if (what.equals("SETNAME") && count == 3) {
      session.name = checkedName(Arguments.text(arguments, 2));
      return Reply.OK;
    } else if (what.equals("SETINFO") && count == 4) {
      return setInfo(session, arguments);
    } else if (what.equals("LIST")) {
      return list(arguments);
    } else if (what.equals("INFO") && count == 2) {
      return new Reply.Text(describe(session) + "\n", true);
    } else if (what.equals("HELP") && count == 2) {
      return CommandHelp.of("CLIENT");
    } else if ((what.equals("NO-EVICT") || what.equals("NO-TOUCH")) && count == 3) {
      return Reply.OK;
    }
    throw CommandException.subcommand("CLIENT", arguments, CLIENT_SUBCOMMANDS);
  }

  /// `CLIENT LIST [TYPE type | ID id ...]`
  private Reply list(List<byte[]> arguments) {
    int count = arguments.size();
    String by = count > 2 ? Arguments.word(arguments, 2) : "";
    Predicate<RedisSession> wanted;
    if (count == 2) {
      wanted = each -> true;
    } else if (by.equals("TYPE") && count == 4) {
      String type = Arguments.word(arguments, 3);
      if (!CLIENT_TYPES.contains(type)) {
        throw new CommandException(
            "ERR Unknown client type '%s'".formatted(Arguments.text(arguments, 3)));
      }
      wanted = each -> type.equals("NORMAL");
    } else if (by.equals("ID") && count > 3) {
      Set<Long> ids = new HashSet<>();
      for (byte[] id : arguments.subList(3, count)) {
        ids.add(clientId(id));
      }
      wanted = each -> ids.contains(each.id);
    } else {
      throw CommandException.syntax();
    }
    StringBuilder list = new StringBuilder();
    sessions.values().stream()
        .filter(wanted)
        .sorted(java.util.Comparator.comparingLong(s -> s.id))
        .forEach(each -> list.append(describe(each)).append('\n'));
    return new Reply.Text(list.toString(), true);
  }

  private static long clientId(byte[] id) {
    try {
      return Arguments.integer(id);
    } catch (CommandException e) {
      throw new CommandException("ERR Invalid client ID");
    }
  }

  private static Reply setInfo(RedisSession session, List<byte[]> arguments) {
    String value = Arguments.text(arguments, 3);
    switch (Arguments.word(arguments, 2)) {
      case "LIB-NAME" -> session.library = value;
      case "LIB-VER" -> session.libraryVersion = value;
      default ->
          throw new CommandException(
              "ERR Unrecognized option '%s'".formatted(Arguments.text(arguments, 2)));
    }
    return Reply.OK;
  }

  private static String describe(RedisSession session) {
    long age = (session.clock.wallMillis() - session.openedMillis) / 1000;
    return "id=%d addr=%s laddr=%s:%d fd=0 name=%s age=%d idle=0 flags=N db=0 sub=0 psub=0 ssub=0 multi=-1 qbuf=0 qbuf-free=0 argv-mem=0 multi-mem=0 rbs=0 rbp=0 obl=0 oll=0 omem=0 tot-mem=0 events=r cmd=%s user=default redir=-1 resp=%d lib-name=%s lib-ver=%s tot-cmds=%d"
        .formatted(
            session.id,
            session.address,
            session.cluster.self().host(),
            session.cluster.self().ports().redis(),
            session.name,
            age,
            session.lastCommand(),
            session.protocol,
            session.library,
            session.libraryVersion,
            session.commands);
  }

  private Reply config(RedisSession session, List<byte[]> arguments) {
    String what = Arguments.word(arguments, 1);
    if (what.equals("GET") && arguments.size() > 2) {
      Map<String, String> fixed =
          Map.of(
              "port",
              Integer.toString(session.cluster.self().ports().redis()),
              "cluster-enabled",
              session.isCluster() ? "yes" : "no");
      return parameters.get(arguments, fixed);
    } else if (what.equals("SET") && arguments.size() > 3) {
      return parameters.set(arguments);
    } else if (what.equals("RESETSTAT") && arguments.size() == 2) {
      before = counts();
      return Reply.OK;
    } else if (what.equals("HELP") && arguments.size() == 2) {
      return CommandHelp.of("CONFIG");
    } else if (what.equals("REWRITE")) {
      throw new CommandException("ERR The server is running without a config file");
    }
    throw CommandException.subcommand(
        "CONFIG", arguments, Set.of("GET", "SET", "RESETSTAT", "HELP"));
  }

  /// `INFO`.
  ///
  /// @param keys how many there are, null if nobody knows
  Reply info(RedisSession session, Info info, CountOutcome.@Nullable Count keys) {
    return info.text(session, startedMillis, counts().since(before, sessions.size()), keys);
  }

  private Info.Counts counts() {
    return Info.Counts.of(statistics);
  }

  private static Reply select(RedisSession session, List<byte[]> arguments) {
    long database = Arguments.integer(arguments.get(1));
    if (database == 0) {
      return Reply.OK;
    }
    throw new CommandException(
        session.isCluster()
            ? "ERR SELECT is not allowed in cluster mode"
            : "ERR DB index is out of range");
  }

  private static Reply reset(RedisSession session) {
    session.protocol = 2;
    session.name = "";
    session.level = Level.DEFAULT;
    session.mode.reset();
    return new Reply.Simple("RESET");
  }

  private static Reply time(RedisSession session) {
    long millis = session.clock.wallMillis();
    List<Reply> parts = new ArrayList<>();
    parts.add(Reply.text(Long.toString(millis / 1000)));
    parts.add(Reply.text(Long.toString(millis % 1000 * 1000)));
    return new Reply.Array(parts);
  }

  private static Reply ternLevel(RedisSession session, List<byte[]> arguments) {
    if (arguments.size() == 1) {
      Map<String, Reply> now = new LinkedHashMap<>();
      now.put("R", levelName(session.level.r()));
      now.put("W", levelName(session.level.w()));
      return new Reply.Pairs(now);
    }
    int[] at = {1};
    Level wanted = level(arguments, at, Level.DEFAULT);
    if (at[0] != arguments.size()) {
      throw CommandException.syntax();
    }
    int n = session.keyspace.replicas();
    if (wanted.r() > n || wanted.w() > n) {
      throw new CommandException(
          "ERR r and w lie between 1 and %d, how many replicas a key has, 0 is the default"
              .formatted(n));
    }
    session.level = wanted;
    return Reply.OK;
  }

  private static Reply levelName(int level) {
    return switch (level) {
      case Level.LOCAL_ONE -> Reply.text("LOCAL_ONE");
      case Level.LOCAL_QUORUM -> Reply.text("LOCAL_QUORUM");
      case Level.ATOMIC -> Reply.text("LINEARIZABLE");
      default -> Reply.number(level);
    };
  }

  private static int level(byte[] argument) {
    switch (new String(argument, StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT)) {
      case "LOCAL_ONE" -> {
        return Level.LOCAL_ONE;
      }
      case "LOCAL_QUORUM" -> {
        return Level.LOCAL_QUORUM;
      }
      case "LINEARIZABLE" -> {
        return Level.ATOMIC;
      }
      default -> {
        try {
          long value = Evaluation.integer(argument);
          if (value >= 0 && value <= 255) {
            return (int) value;
          }
        } catch (NumberFormatException e) {
          // As a number that is none of a level.
        }
        throw new CommandException(
            "ERR a level is 1 to n, LOCAL_ONE, LOCAL_QUORUM or LINEARIZABLE; 0 means the default");
      }
    }
  }

  /// Reads `[LINEARIZABLE] [R x] [W y]` from place `at[0]` on and moves it behind them.
  static Level level(List<byte[]> arguments, int[] at, Level from) {
    int r = from.r();
    int w = from.w();
    while (at[0] < arguments.size()) {
      String option = Arguments.word(arguments, at[0]);
      if (option.equals("LINEARIZABLE")) {
        r = Level.ATOMIC;
        w = Level.ATOMIC;
        at[0]++;
        continue;
      }
      if (at[0] + 1 == arguments.size()) {
        break;
      }
      if (!option.equals("R") && !option.equals("W")) {
        break;
      }
      int value = level(arguments.get(at[0] + 1));
      if (option.equals("R")) {
        r = value;
      } else {
        w = value;
      }
      at[0] += 2;
    }
    return new Level(r, w, from.timeoutMillis());
  }

  private static Reply ternMode(RedisSession session, List<byte[]> arguments) {
    switch (Arguments.word(arguments, 1)) {
      case "CLUSTER" -> session.mode.choose(true);
      case "SINGLE" -> session.mode.choose(false);
      default -> throw CommandException.syntax();
    }
    return Reply.OK;
  }
}
