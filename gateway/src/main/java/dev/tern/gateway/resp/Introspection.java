package dev.tern.gateway.resp;

import dev.tern.gateway.resp.CommandTable.Command;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/// `COMMAND` and its subcommands: the table, as clients want to read it.
final class Introspection {
  private Introspection() {}

  static Reply command(List<byte[]> arguments) {
    if (arguments.size() == 1) {
      return new Reply.Array(CommandTable.all().stream().map(Introspection::describe).toList());
    }
    return switch (Arguments.word(arguments, 1)) {
      case "COUNT" -> {
        if (arguments.size() != 2) {
          throw CommandException.arity("command|count");
        }
        yield Reply.number(CommandTable.all().size());
      }
      case "LIST" -> list(arguments);
      case "HELP" -> CommandHelp.of("COMMAND");
      case "INFO" -> info(arguments);
      case "DOCS" -> docs(arguments);
      case "GETKEYS" -> keys(arguments);
      default -> throw CommandException.subcommand("COMMAND", arguments, Set.of());
    };
  }

  /// `COMMAND LIST [FILTERBY MODULE name | ACLCAT category | PATTERN pattern]`; there are no
  /// modules.
  private static Reply list(List<byte[]> arguments) {
    boolean filtered = arguments.size() == 5 && Arguments.word(arguments, 2).equals("FILTERBY");
    String by = filtered ? Arguments.word(arguments, 3) : "";
    if (arguments.size() != 2 && !List.of("MODULE", "ACLCAT", "PATTERN").contains(by)) {
      throw CommandException.syntax();
    }
    List<Reply> names = new ArrayList<>();
    for (Command command : CommandTable.all()) {
      if (by.equals("ACLCAT")) {
        if (categories(command).contains(Arguments.text(arguments, 4).toLowerCase(Locale.ROOT))) {
          names.add(Reply.text(lower(command)));
        }
        continue;
      }
      List<String> all = new ArrayList<>();
      all.add(lower(command));
      for (String subcommand : CommandTable.subcommands(command)) {
        all.add(lower(command) + "|" + subcommand.toLowerCase(Locale.ROOT));
      }
      for (String name : all) {
        byte[] bytes = name.getBytes(StandardCharsets.US_ASCII);
        if (!filtered || by.equals("PATTERN") && Glob.matches(arguments.get(4), bytes)) {
          names.add(Reply.text(name));
        }
      }
    }
    return new Reply.Array(names);
  }

  /// The access categories that Redis would give a command, as far as they follow from its flags
  /// and group.
  private static Set<String> categories(Command command) {
    Set<String> categories = new HashSet<>();
    boolean reads = command.flags().contains("readonly");
    boolean writes = command.flags().contains("write");
    categories.add(command.flags().contains("fast") ? "fast" : "slow");
    if (reads) {
      categories.add("read");
    }
    if (writes) {
      categories.add("write");
    }
    if (command.group().equals("generic") && (reads || writes)) {
      categories.add("keyspace");
    } else if (command.group().equals("string") || command.group().equals("connection")) {
      categories.add(command.group());
    }
    return categories;
  }

  private static String lower(Command command) {
    return command.name().toLowerCase(Locale.ROOT);
  }

  private static Reply describe(Command command) {
    List<Reply> flags = new ArrayList<>();
    command.flags().forEach(flag -> flags.add(new Reply.Simple(flag)));
    return new Reply.Array(
        List.of(
            Reply.text(lower(command)),
            Reply.number(command.arity()),
            new Reply.Array(flags),
            Reply.number(command.first()),
            Reply.number(command.last()),
            Reply.number(command.step()),
            Reply.EMPTY,
            Reply.EMPTY,
            Reply.EMPTY,
            Reply.EMPTY));
  }

  private static Reply info(List<byte[]> arguments) {
    List<Reply> found = new ArrayList<>();
    for (int i = 2; i < arguments.size(); i++) {
      Command command = CommandTable.find(arguments.get(i));
      found.add(command == null ? Reply.NIL : describe(command));
    }
    return new Reply.Array(found);
  }

  private static Reply docs(List<byte[]> arguments) {
    Map<String, Reply> docs = new LinkedHashMap<>();
    for (Command command : CommandTable.all()) {
      boolean wanted = arguments.size() == 2;
      for (int i = 2; i < arguments.size(); i++) {
        wanted |= Arguments.word(arguments, i).equals(command.name());
      }
      if (wanted) {
        Map<String, Reply> lines = new LinkedHashMap<>();
        lines.put("summary", Reply.text(command.summary()));
        lines.put("since", Reply.text("1.0.0"));
        lines.put("group", Reply.text(command.group()));
        docs.put(lower(command), new Reply.Pairs(lines));
      }
    }
    return new Reply.Pairs(docs);
  }

  private static Reply keys(List<byte[]> arguments) {
    List<byte[]> inner = arguments.subList(2, arguments.size());
    Command command = inner.isEmpty() ? null : CommandTable.find(inner.getFirst());
    if (command == null) {
      throw new CommandException("ERR Invalid command specified");
    }
    if (command.first() == 0) {
      throw new CommandException("ERR The command has no key arguments");
    }
    int arity = command.arity();
    if (arity > 0 ? inner.size() != arity : inner.size() < -arity) {
      throw new CommandException("ERR Invalid number of arguments specified for command");
    }
    List<Reply> keys = new ArrayList<>();
    int last = command.last() < 0 ? inner.size() + command.last() : command.last();
    for (int i = command.first(); i <= last; i += command.step()) {
      keys.add(new Reply.Bulk(inner.get(i)));
    }
    return new Reply.Array(keys);
  }
}
