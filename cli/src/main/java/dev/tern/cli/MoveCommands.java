package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// Commands about moves of replicas: what moves, what would, and to hold, let go and cancel it.
final class MoveCommands {
  private MoveCommands() {}

  /// What moves.
  @Command(
      name = "moves",
      description = "The moves of replicas that are under way, and how many are to come.",
      mixinStandardHelpOptions = true)
  static final class Moves implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Override
    public Integer call() throws Exception {
      JsonNode moves = asking.get("/cluster/moves");
      if (asking.printed(moves)) {
        return 0;
      }
      System.out.printf(
          "%d partitions to move; under way: %d filling, %d switched, %d fenced%s%n",
          moves.path("toCome").asInt(),
          moves.path("filling").asInt(),
          moves.path("switched").asInt(),
          moves.path("fenced").asInt(),
          moves.path("held").asBoolean() ? "; HELD: no other begins" : "");
      if (moves.path("underWay").isEmpty()) {
        return 0;
      }
      TextTable table = new TextTable("set", "partition", "phase", "from", "to");
      for (JsonNode move : moves.path("underWay")) {
        boolean returns = move.path("returns").asBoolean();
        table.row(
            move.path("set").asInt(),
            move.path("partition").asInt(),
            returns ? "cancelled" : move.path("phase").asText(),
            members(move.path("from")),
            members(move.path("to")));
      }
      table.print(System.out);
      return 0;
    }

    private static String members(JsonNode list) {
      return list.valueStream().map(JsonNode::asText).collect(Collectors.joining(" "));
    }
  }

  /// Lets the plan happen.
  @Command(
      name = "rebalance",
      description = {
        "Shows what will move, and lets it: what was held or cancelled begins again. Moves that"
            + " nobody holds begin without this."
      },
      mixinStandardHelpOptions = true)
  static final class Rebalance implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Option(names = "--plan-only", description = "shows what would move, changes nothing")
    private boolean planOnly;

    @Option(names = "--yes", description = "asks for no confirmation")
    private boolean yes;

    @Override
    public Integer call() throws Exception {
      JsonNode plan = asking.get("/cluster/plan");
      if (planOnly) {
        if (!asking.printed(plan)) {
          ClusterCommand.print(plan);
        }
        return 0;
      }
      if (!asking.json) {
        ClusterCommand.print(plan);
      }
      if (!yes && !confirmed()) {
        System.err.println("nothing was changed; --yes confirms");
        return 1;
      }
      asking.post("/cluster/resume", AdminPage.body(), "moves go on");
      return 0;
    }

    private static boolean confirmed() {
      java.io.Console console = java.util.Objects.requireNonNull(System.console());
      return console.isTerminal() && "yes".equals(console.readLine("Move this? (yes or no) "));
    }
  }

  /// Holds moves.
  @Command(
      name = "pause",
      description = "Holds moves: none begins until resume. Those under way go on.",
      mixinStandardHelpOptions = true)
  static final class Pause implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Override
    public Integer call() throws Exception {
      asking.post("/cluster/pause", AdminPage.body(), "moves are held");
      return 0;
    }
  }

  /// Lets moves go on.
  @Command(
      name = "resume",
      description = "Lets moves begin that were held.",
      mixinStandardHelpOptions = true)
  static final class Resume implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Override
    public Integer call() throws Exception {
      asking.post("/cluster/resume", AdminPage.body(), "moves go on");
      return 0;
    }
  }

  /// Takes moves back.
  @Command(
      name = "cancel",
      description = {
        "Cancels each move that is not fenced yet, and holds moves until resume. Fenced ones end."
      },
      mixinStandardHelpOptions = true)
  static final class Cancel implements Callable<Integer> {
    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Override
    public Integer call() throws Exception {
      JsonNode answer = AdminPage.post(asking.admin, "/cluster/cancel", AdminPage.body());
      if (!asking.printed(answer)) {
        System.out.printf(
            "%d moves cancelled, %d are fenced and end; moves are held (the topology is at epoch"
                + " %d)%n",
            answer.path("cancelled").asInt(),
            answer.path("fenced").asInt(),
            answer.path("epoch").asLong());
      }
      return 0;
    }
  }
}
