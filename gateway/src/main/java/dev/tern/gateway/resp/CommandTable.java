package dev.tern.gateway.resp;

import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The commands there are, in Redis's terms.
public final class CommandTable {
  /// What a command does to its keys.
  enum Kind {
    /// Touches no key.
    LOCAL,
    READ,
    /// May write without looking.
    PUT,
    /// Reads, then writes.
    UPDATE,
    /// Several keys or the whole keyspace: alone on its connection while it runs.
    MANY
  }

  /// One command.
  ///
  /// @param index its place in the table
  /// @param name in capitals
  /// @param arity arguments with the name; negative for at least so many
  /// @param kind what it does to its keys
  /// @param flags as `COMMAND` tells them
  /// @param first place of the first key, 0 for none
  /// @param last place of the last key, -1 for the last argument
  /// @param step between keys
  /// @param group as `COMMAND DOCS` tells it
  /// @param summary one line
  record Command(
      int index,
      String name,
      int arity,
      Kind kind,
      List<String> flags,
      int first,
      int last,
      int step,
      String group,
      String summary) {}

  private static final Map<String, Command> COMMANDS = new LinkedHashMap<>();

  private CommandTable() {}

  private static void key(String name, int arity, Kind kind, String group, String summary) {
    List<String> flags =
        switch (kind) {
          case READ -> List.of("readonly", "fast");
          case PUT -> List.of("write", "denyoom");
          default -> List.of("write", "denyoom", "fast");
        };
    key(name, arity, kind, flags, group, summary);
  }

  /// Writes, and needs no room for it.
  private static void touch(String name, int arity, String group, String summary) {
    key(name, arity, Kind.UPDATE, List.of("write", "fast"), group, summary);
  }

  private static void key(
      String name, int arity, Kind kind, List<String> flags, String group, String summary) {
    COMMANDS.put(
        name, new Command(COMMANDS.size(), name, arity, kind, flags, 1, 1, 1, group, summary));
  }

  private static void many(
      String name,
      int arity,
      List<String> flags,
      int last,
      int step,
      String group,
      String summary) {
    int first = last == 0 ? 0 : 1;
    COMMANDS.put(
        name,
        new Command(
            COMMANDS.size(), name, arity, Kind.MANY, flags, first, last, step, group, summary));
  }

  private static void local(String name, int arity, String group, String summary) {
    List<String> flags = List.of("loading", "stale", "fast");
    COMMANDS.put(
        name,
        new Command(COMMANDS.size(), name, arity, Kind.LOCAL, flags, 0, 0, 0, group, summary));
  }

  static {
    key("GET", 2, Kind.READ, "string", "Get the value of a key");
    key("SET", -3, Kind.PUT, "string", "Set the value of a key");
    key("SETEX", 4, Kind.PUT, "string", "Set the value and expiration of a key");
    key("PSETEX", 4, Kind.PUT, "string", "Set the value and expiration in milliseconds of a key");
    key("SETNX", 3, Kind.UPDATE, "string", "Set the value of a key, only if it does not exist");
    key("GETSET", 3, Kind.UPDATE, "string", "Set the value of a key and return its old value");
    touch("GETDEL", 2, "string", "Get the value of a key and delete the key");
    touch("GETEX", -2, "string", "Get the value of a key and set its expiration");
    key("APPEND", 3, Kind.UPDATE, "string", "Append a value to a key");
    key("STRLEN", 2, Kind.READ, "string", "Get the length of the value of a key");
    key("INCR", 2, Kind.UPDATE, "string", "Increment the integer value of a key by one");
    key("INCRBY", 3, Kind.UPDATE, "string", "Increment the integer value of a key");
    key("DECR", 2, Kind.UPDATE, "string", "Decrement the integer value of a key by one");
    key("DECRBY", 3, Kind.UPDATE, "string", "Decrement the integer value of a key");
    key("INCRBYFLOAT", 3, Kind.UPDATE, "string", "Increment the decimal value of a key");
    key("TYPE", 2, Kind.READ, "generic", "Determine the type stored at a key");
    touch("EXPIRE", -3, "generic", "Set a key's time to live in seconds");
    touch("PEXPIRE", -3, "generic", "Set a key's time to live in milliseconds");
    touch("EXPIREAT", -3, "generic", "Set the expiration of a key as a Unix time");
    touch("PEXPIREAT", -3, "generic", "Set the expiration as a Unix time in ms");
    key("TTL", 2, Kind.READ, "generic", "Get the time to live of a key in seconds");
    key("PTTL", 2, Kind.READ, "generic", "Get the time to live of a key in milliseconds");
    touch("PERSIST", 2, "generic", "Remove the expiration of a key");
    many(
        "MGET",
        -2,
        List.of("readonly", "fast"),
        -1,
        1,
        "string",
        "Get the values of all the given keys");
    many(
        "MSET",
        -3,
        List.of("write", "denyoom"),
        -1,
        2,
        "string",
        "Set multiple keys to multiple values");
    many(
        "EXISTS",
        -2,
        List.of("readonly", "fast"),
        -1,
        1,
        "generic",
        "Determine how many of the keys exist");
    many("DEL", -2, List.of("write"), -1, 1, "generic", "Delete keys");
    many("UNLINK", -2, List.of("write", "fast"), -1, 1, "generic", "Delete keys");
    many("SCAN", -2, List.of("readonly"), 0, 0, "generic", "Iterate over the keys");
    many("KEYS", 2, List.of("readonly"), 0, 0, "generic", "Find all keys that match a pattern");
    many("DBSIZE", 1, List.of("readonly", "fast"), 0, 0, "server", "Return the number of keys");
    COMMANDS.put(
        "OBJECT",
        new Command(
            COMMANDS.size(),
            "OBJECT",
            -2,
            Kind.MANY,
            List.of("readonly"),
            2,
            2,
            1,
            "generic",
            "Inspect the value of a key"));
    local("PING", -1, "connection", "Ping the server");
    local("ECHO", 2, "connection", "Echo the given string");
    local("HELLO", -1, "connection", "Handshake with Redis");
    local("AUTH", -2, "connection", "Authenticate to the server");
    local("CLIENT", -2, "connection", "Client connection commands");
    local("COMMAND", -1, "server", "Details about all commands");
    local("CONFIG", -2, "server", "Server configuration");
    local("INFO", -1, "server", "Information and statistics about the server");
    local("SELECT", 2, "connection", "Change the selected database");
    local("CLUSTER", -2, "cluster", "Cluster commands");
    local("READONLY", 1, "cluster", "Allow reads from replicas (always so)");
    local("READWRITE", 1, "cluster", "Undo READONLY");
    local("ASKING", 1, "cluster", "Sent after an ASK redirect (never needed)");
    local("QUIT", -1, "connection", "Close the connection");
    local("RESET", 1, "connection", "Reset the connection");
    local("TIME", 1, "server", "Return the server time");
    local("TERN.LEVEL", -1, "connection", "How many replicas answer: [R x] [W y]");
    local("TERN.MODE", 2, "connection", "CLUSTER or SINGLE: whose keys SCAN and DBSIZE mean");
    COMMANDS.put(
        "TERN.WITH",
        new Command(
            COMMANDS.size(),
            "TERN.WITH",
            -4,
            Kind.MANY,
            List.of("movablekeys"),
            0,
            0,
            0,
            "generic",
            "R x W y command: one command at a level"));
  }

  private static final Map<String, List<String>> SUBCOMMANDS =
      Map.of(
          "CLIENT",
          List.of(
              "GETNAME",
              "HELP",
              "ID",
              "INFO",
              "LIST",
              "NO-EVICT",
              "NO-TOUCH",
              "SETINFO",
              "SETNAME"),
          "CLUSTER",
          List.of("COUNTKEYSINSLOT", "HELP", "INFO", "KEYSLOT", "MYID", "NODES", "SHARDS", "SLOTS"),
          "COMMAND",
          List.of("COUNT", "DOCS", "GETKEYS", "HELP", "INFO", "LIST"),
          "CONFIG",
          List.of("GET", "HELP", "RESETSTAT", "REWRITE", "SET"),
          "OBJECT",
          List.of("ENCODING", "HELP"));

  /// The subcommands of a command, in capitals; none for most.
  static List<String> subcommands(Command command) {
    return SUBCOMMANDS.getOrDefault(command.name(), List.of());
  }

  /// How many there are: one more than the greatest index.
  static int count() {
    return COMMANDS.size();
  }

  /// The command of that name in any case, null if there is none.
  static @Nullable Command find(byte[] name) {
    return COMMANDS.get(new String(name, StandardCharsets.ISO_8859_1).toUpperCase(Locale.ROOT));
  }

  static Collection<Command> all() {
    return COMMANDS.values();
  }
}
