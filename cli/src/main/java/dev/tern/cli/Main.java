package dev.tern.cli;

import picocli.CommandLine;
import picocli.CommandLine.Command;

/// Where every `./tern` command begins.
@Command(
    name = "tern",
    description = "A distributed key-value store.",
    mixinStandardHelpOptions = true,
    version = "tern 0.1.0",
    subcommands = {
      PlaygroundCommand.class,
      ServerCommand.class,
      ClusterCommand.class,
      KeyspaceCommand.class,
      SimulateCommand.class,
      BenchCommand.class,
      InspectCommand.class
    })
public final class Main {
  private Main() {}

  /// Runs one command and ends the process with its exit code.
  public static void main(String[] arguments) {
    CommandLine line = new CommandLine(new Main());
    line.setExecutionExceptionHandler(
        (e, command, parsed) -> {
          String message = e.getMessage() == null ? e.toString() : e.getMessage();
          command.getErr().println("tern: " + message);
          return 1;
        });
    int code = line.execute(arguments);
    if (code != 0 || arguments.length == 0 || !arguments[0].equals("server")) {
      System.exit(code);
    }
  }
}
