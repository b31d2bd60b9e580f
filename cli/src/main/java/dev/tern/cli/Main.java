package dev.tern.cli;

import java.nio.file.FileSystemException;
import java.util.Locale;
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
    version = "tern 0.1.0",
    subcommands = {
      PlaygroundCommand.class,
      ServerCommand.class,
      ClusterCommand.class,
      KeyspaceCommand.class,
      SimulateCommand.class,
      BenchCommand.class,
      InspectCommand.class,
      TrainCommand.class
    })
public final class Main {
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
    int code = line().execute(arguments);
    if (code != 0 || arguments.length == 0 || !arguments[0].equals("server")) {
      System.exit(code);
    }
  }

  /// All commands; what they throw is told in one line.
  static CommandLine line() {
    CommandLine line = new CommandLine(new Main());
    KeyspaceCommand.addProperties(line);
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          String message = message(e);
          command.getErr().println("tern: " + message);
          return 1;
        });
    return line;
  }
}
