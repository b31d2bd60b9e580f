package dev.tern.cli;

import java.nio.file.FileSystemException;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Where every `./tern` command begins.
@Command(
    name = "tern",
    description = "A distributed key-value store.",
    mixinStandardHelpOptions = true,
    footer = {
      "",
      "  ./tern test     runs the whole test suite (with -pl MODULE a part of it)",
      "  ./tern install  puts client and engine into the local Maven repository",
      "",
      "Begin with `./tern playground`; README.md goes on from there."
    },
    version = "tern 0.1.0")
public final class Main {
  private static final String KEYSPACE = "keyspace";
  private static final String HELP = "help";

  /// By name, in the order of the help text.
  private static final Map<String, Class<?>> COMMANDS = new LinkedHashMap<>();

  static {
    COMMANDS.put("playground", PlaygroundCommand.class);
    COMMANDS.put("server", ServerCommand.class);
    COMMANDS.put("cluster", ClusterCommand.class);
    COMMANDS.put(KEYSPACE, KeyspaceCommand.class);
    COMMANDS.put("simulate", SimulateCommand.class);
    COMMANDS.put("bench", BenchCommand.class);
    COMMANDS.put("inspect", InspectCommand.class);
    COMMANDS.put("train", TrainCommand.class);
    COMMANDS.put(HELP, CommandLine.HelpCommand.class);
  }

  private Main() {}

  /// What an error says. The message of many errors of files is a path and nothing else: what
  /// happened to the file is their class's name.
  static String message(Exception e) {
    String message = e.getMessage();
    if (e instanceof FileSystemException file && file.getReason() == null) {
      String name = e.getClass().getSimpleName().replaceAll("Exception$", "");
      String words = name.replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
      return message + ": " + words;
    }
    return message == null ? e.toString() : message;
  }

  /// Runs one command and ends the process with its exit code.
  public static void main(String[] arguments) {
    int code = line(arguments).execute(arguments);
    if (code != 0 || arguments.length == 0 || !arguments[0].equals("server")) {
      System.exit(code);
    }
  }

  /// The commands; what they throw is told in one line.
  ///
  /// @param arguments if the first names a command, the others are left out: to read what all of
  ///   them take costs a third of a second of processor time, and each node would pay it
  static CommandLine line(String... arguments) {
    CommandLine line = new CommandLine(new Main());
    String first = arguments.length == 0 ? "" : arguments[0];
    COMMANDS.forEach(
        (name, command) -> {
          if (name.equals(first) || first.equals(HELP) || !COMMANDS.containsKey(first)) {
            line.addSubcommand(name, command);
          }
        });
    if (line.getSubcommands().containsKey(KEYSPACE)) {
      KeyspaceCommand.addProperties(line);
    }
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          String message = message(e);
          command.getErr().println("tern: " + message);
          return 1;
        });
    return line;
  }
}
