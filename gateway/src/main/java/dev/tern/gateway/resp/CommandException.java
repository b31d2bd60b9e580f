package dev.tern.gateway.resp;

import java.util.List;
import java.util.Locale;
import java.util.Set;

/// A request that is answered with an error and nothing else.
final class CommandException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param reply prefix and words
  CommandException(String reply) {
    super(reply, null, false, false);
  }

  static CommandException syntax() {
    return new CommandException("ERR syntax error");
  }

  static CommandException arity(String command) {
    return new CommandException(
        "ERR wrong number of arguments for '" + command.toLowerCase(Locale.ROOT) + "' command");
  }

  /// The second word is none of `known`, or what follows it is not what it takes.
  static CommandException subcommand(String command, List<byte[]> arguments, Set<String> known) {
    String what = Arguments.word(arguments, 1);
    return known.contains(what)
        ? arity(command + "|" + what)
        : new CommandException(
            "ERR unknown subcommand '%s'. Try %s HELP."
                .formatted(Arguments.text(arguments, 1), command));
  }

  static CommandException notAnInteger() {
    return new CommandException("ERR value is not an integer or out of range");
  }
}
