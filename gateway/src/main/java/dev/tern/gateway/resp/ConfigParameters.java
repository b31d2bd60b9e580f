package dev.tern.gateway.resp;

import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// `CONFIG GET` and `CONFIG SET`: the parameters that clients, tools and test suites of Redis read
/// and set.
///
/// Tern's own settings are given at the start. A parameter of Redis that could change neither an
/// answer nor what is kept is taken and told back, and has no effect. One that asks for what Tern
/// does not do (eviction, notifications, less durability than the keyspace has is fine, more is
/// not) is refused with the reason. Values last as long as the process.
///
/// Threads: any; calls take a lock.
final class ConfigParameters {
  /// Checks a value and gives it the form that is told back; throws [CommandException] with the
  /// reason if it cannot be had.
  private interface Check extends UnaryOperator<String> {}

  private record Parameter(String initial, @Nullable Check check) {}

  private static final Map<String, Parameter> KNOWN = new TreeMap<>();

  private final Map<String, String> values = new TreeMap<>();

  static {
    for (String flag :
        List.of(
            "activedefrag",
            "activerehashing",
            "dynamic-hz",
            "jemalloc-bg-thread",
            "lazyfree-lazy-eviction",
            "lazyfree-lazy-expire",
            "lazyfree-lazy-server-del",
            "lazyfree-lazy-user-del",
            "lazyfree-lazy-user-flush",
            "no-appendfsync-on-rewrite",
            "rdbchecksum",
            "rdbcompression",
            "replica-read-only",
            "stop-writes-on-bgsave-error")) {
      settable(flag, "no", ConfigParameters::flag);
    }
    Map<String, String> numbers =
        Map.ofEntries(
            Map.entry("auto-aof-rewrite-percentage", "100"),
            Map.entry("hash-max-listpack-entries", "128"),
            Map.entry("hash-max-listpack-value", "64"),
            Map.entry("hash-max-ziplist-entries", "128"),
            Map.entry("hash-max-ziplist-value", "64"),
            Map.entry("hz", "10"),
            Map.entry("latency-monitor-threshold", "0"),
            Map.entry("lfu-decay-time", "1"),
            Map.entry("lfu-log-factor", "10"),
            Map.entry("list-compress-depth", "0"),
            Map.entry("list-max-listpack-size", "-2"),
            Map.entry("list-max-ziplist-size", "-2"),
            Map.entry("lua-time-limit", "5000"),
            Map.entry("maxmemory-samples", "5"),
            Map.entry("set-max-intset-entries", "512"),
            Map.entry("slowlog-log-slower-than", "10000"),
            Map.entry("slowlog-max-len", "128"),
            Map.entry("stream-node-max-entries", "100"),
            Map.entry("tcp-keepalive", "300"),
            Map.entry("tracking-table-max-keys", "1000000"),
            Map.entry("zset-max-listpack-entries", "128"),
            Map.entry("zset-max-listpack-value", "64"),
            Map.entry("zset-max-ziplist-entries", "128"),
            Map.entry("zset-max-ziplist-value", "64"));
    numbers.forEach((name, initial) -> settable(name, initial, ConfigParameters::number));
    settable("save", "", ConfigParameters::savePoints);
    settable("appendonly", "yes", ConfigParameters::flag);
    settable("appendfsync", "everysec", ConfigParameters::appendFsync);
    settable("loglevel", "notice", oneOf("debug", "verbose", "notice", "warning"));
    settable("maxmemory-policy", "noeviction", only("noeviction", "nothing is evicted"));
    settable("maxmemory", "0", only("0", "nothing is evicted: memory is given at the start"));
    settable("notify-keyspace-events", "", only("", "notifications are not offered"));
    settable("timeout", "0", only("0", "idle connections are kept"));
    settable("client-output-buffer-limit", "normal 0 0 0", value -> value);
    for (String fixed :
        List.of("bind", "daemonize", "dir", "logfile", "pidfile", "rename-command", "unixsocket")) {
      KNOWN.put(fixed, new Parameter("", null));
    }
    KNOWN.put("databases", new Parameter("1", null));
    KNOWN.put("cluster-enabled", new Parameter("", null));
    KNOWN.put("port", new Parameter("", null));
    KNOWN.put("maxclients", new Parameter("50000", null));
    KNOWN.put("proto-max-bulk-len", new Parameter("536870912", null));
    KNOWN.put("io-threads", new Parameter("1", null));
  }

  ConfigParameters() {
    KNOWN.forEach((name, parameter) -> values.put(name, parameter.initial()));
  }

  private static void settable(String name, String initial, Check check) {
    KNOWN.put(name, new Parameter(initial, check));
  }

  private static String flag(String value) {
    String lower = value.toLowerCase(Locale.ROOT);
    if (!lower.equals("yes") && !lower.equals("no")) {
      throw new CommandException("argument must be 'yes' or 'no'");
    }
    return lower;
  }

  private static String number(String value) {
    try {
      return Long.toString(Long.parseLong(value));
    } catch (NumberFormatException e) {
      throw new CommandException("argument couldn't be parsed into an integer");
    }
  }

  /// Pairs of seconds and changes. Every write is in the log whatever they say.
  private static String savePoints(String value) {
    String[] words = value.isBlank() ? new String[0] : value.strip().split("\\s+");
    boolean whole = words.length % 2 == 0;
    for (String word : words) {
      whole &= word.matches("[0-9]{1,9}");
    }
    if (!whole) {
      throw new CommandException("Invalid save parameters");
    }
    return String.join(" ", words);
  }

  private static String appendFsync(String value) {
    String wanted = oneOf("everysec", "always", "no").apply(value);
    if (wanted.equals("always")) {
      throw new CommandException(
          "durability belongs to the keyspace: give it with ./tern keyspace, or at the start");
    }
    return wanted;
  }

  private static Check oneOf(String... allowed) {
    List<String> list = List.of(allowed);
    return value -> {
      String lower = value.toLowerCase(Locale.ROOT);
      if (!list.contains(lower)) {
        throw new CommandException(
            "argument(s) must be one of the following: " + String.join(", ", list));
      }
      return lower;
    };
  }

  private static Check only(String allowed, String reason) {
    return value -> {
      if (!value.equalsIgnoreCase(allowed)) {
        throw new CommandException(reason);
      }
      return allowed;
    };
  }

  /// `CONFIG GET pattern ...`
  ///
  /// @param fixed what this node says of parameters that are not the same everywhere
  synchronized Reply get(List<byte[]> arguments, Map<String, String> fixed) {
    Map<String, Reply> found = new LinkedHashMap<>();
    for (int i = 2; i < arguments.size(); i++) {
      byte[] pattern =
          Arguments.text(arguments, i).toLowerCase(Locale.ROOT).getBytes(StandardCharsets.UTF_8);
      values.forEach(
          (name, value) -> {
            if (Glob.matches(pattern, name.getBytes(StandardCharsets.UTF_8))) {
              found.put(name, Reply.text(fixed.getOrDefault(name, value)));
            }
          });
    }
    return new Reply.Pairs(found);
  }

  /// `CONFIG SET name value ...`: all or none.
  synchronized Reply set(List<byte[]> arguments) {
    if (arguments.size() % 2 != 0) {
      throw CommandException.arity("config|set");
    }
    Map<String, String> wanted = new LinkedHashMap<>();
    for (int i = 2; i < arguments.size(); i += 2) {
      String name = Arguments.text(arguments, i).toLowerCase(Locale.ROOT);
      Parameter parameter = KNOWN.get(name);
      if (parameter == null) {
        throw new CommandException(
            "ERR Unknown option or number of arguments for CONFIG SET - '%s'"
                .formatted(Arguments.text(arguments, i)));
      }
      if (wanted.containsKey(name)) {
        throw failed(name, "duplicate parameter");
      }
      if (parameter.check() == null) {
        throw failed(name, "can't set immutable config");
      }
      try {
        wanted.put(name, parameter.check().apply(Arguments.text(arguments, i + 1)));
      } catch (CommandException e) {
        throw failed(name, String.valueOf(e.getMessage()));
      }
    }
    values.putAll(wanted);
    return Reply.OK;
  }

  private static CommandException failed(String name, String why) {
    return new CommandException(
        "ERR CONFIG SET failed (possibly related to argument '%s') - %s".formatted(name, why));
  }
}
