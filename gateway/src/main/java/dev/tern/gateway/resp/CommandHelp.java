package dev.tern.gateway.resp;

import java.util.List;
import java.util.Map;

/// What `HELP` of commands with subcommands says, in Redis's form.
final class CommandHelp {
  private static final String HEAD = " <subcommand> [<arg> [value] [opt] ...]. Subcommands are:";

  private static final Map<String, List<String>> LINES =
      Map.of(
          "CLIENT",
          List.of(
              "GETNAME",
              "    Return the name of the current connection.",
              "ID",
              "    Return the ID of the current connection.",
              "INFO",
              "    Return information about the current client connection.",
              "LIST [TYPE <type> | ID <id> ...]",
              "    Return information about client connections.",
              "SETINFO <LIB-NAME|LIB-VER> <value>",
              "    Tell the library in use.",
              "SETNAME <name>",
              "    Assign the name <name> to the current connection."),
          "CLUSTER",
          List.of(
              "COUNTKEYSINSLOT <slot>",
              "    Return the number of keys in <slot>.",
              "INFO",
              "    Return information about the cluster.",
              "KEYSLOT <key>",
              "    Return the hash slot of <key>.",
              "MYID",
              "    Return the node's id.",
              "NODES",
              "    Return the members and the slots that each leads, one member a line.",
              "SHARDS",
              "    Return the members and the slots that each leads.",
              "SLOTS",
              "    Return ranges of slots, each with the member that leads it."),
          "COMMAND",
          List.of(
              "(no subcommand)",
              "    Return details about all commands.",
              "COUNT",
              "    Return the total number of commands.",
              "DOCS [<command-name> ...]",
              "    Return documentation of the commands named, or of all.",
              "GETKEYS <full-command>",
              "    Return the keys of a command.",
              "INFO [<command-name> ...]",
              "    Return details about the commands named.",
              "LIST [FILTERBY (ACLCAT <category>|PATTERN <pattern>|MODULE <module>)]",
              "    Return the names of all commands."),
          "CONFIG",
          List.of(
              "GET <pattern> [<pattern> ...]",
              "    Return parameters that match the glob-like patterns, and their values.",
              "RESETSTAT",
              "    Begin anew with what INFO counts.",
              "SET <directive> <value> [<directive> <value> ...]",
              "    Set parameters that clients and tools set; see the documentation of this door."),
          "OBJECT",
          List.of(
              "ENCODING <key>",
              "    Return the encoding that Redis would use for the value of <key>."));

  private CommandHelp() {}

  /// @param container a command with subcommands, in capitals
  static Reply of(String container) {
    java.util.ArrayList<Reply> lines = new java.util.ArrayList<>();
    lines.add(new Reply.Simple(container + HEAD));
    for (String line : java.util.Objects.requireNonNull(LINES.get(container))) {
      lines.add(new Reply.Simple(line));
    }
    lines.add(new Reply.Simple("HELP"));
    lines.add(new Reply.Simple("    Print this help."));
    return new Reply.Array(lines);
  }
}
