package dev.tern.cli;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
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
    private static final int BAR = 30;
    private static final long LOOK_NANOS = 1_000_000_000;

    /// Looks in a row that see nothing to move, before a watch ends: a plan may have a next part.
    private static final int QUIET_LOOKS = 3;

    @Mixin private final ClusterCommand.Asking asking = new ClusterCommand.Asking();

    @Option(names = "--watch", description = "shows how far they are until nothing moves")
    private boolean watch;

    @Override
    public Integer call() throws Exception {
      if (watch) {
        follow();
        return 0;
      }
      JsonNode moves = asking.get("/cluster/moves");
      if (!asking.printed(moves)) {
        print(moves);
      }
      return 0;
    }

    private void follow() throws IOException {
      boolean redraws = ClusterCommand.terminal() != null && !asking.json;
      int quiet = 0;
      boolean none = false;
      while (quiet < QUIET_LOOKS) {
        JsonNode moves = asking.get("/cluster/moves");
        none = moves.path("replicasToMove").asInt() == 0 && moves.path("underWay").isEmpty();
        boolean held = moves.path("held").asBoolean();
        quiet = none || held && moves.path("underWay").isEmpty() ? quiet + 1 : 0;
        if (asking.json) {
          System.out.println(moves);
        } else {
          System.out.print((redraws ? "\r\u001b[K" : "") + bar(moves) + (redraws ? "" : "\n"));
          System.out.flush();
        }
        LockSupport.parkNanos(LOOK_NANOS);
      }
      if (redraws) {
        System.out.println();
      }
      if (!none && !asking.json) {
        System.out.println("moves are held; tern cluster resume lets them go on");
      }
    }

    private static void print(JsonNode moves) {
      System.out.printf(
          "%d partitions to move; under way: %d filling, %d switched, %d fenced%s%n",
          moves.path("toCome").asInt(),
          moves.path("filling").asInt(),
          moves.path("switched").asInt(),
          moves.path("fenced").asInt(),
          moves.path("held").asBoolean() ? "; HELD: no other begins" : "");
      if (moves.path("replicasToMove").asInt() > 0) {
        System.out.println(bar(moves));
      }
      if (moves.path("underWay").isEmpty()) {
        return;
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
    }

    /// How far the moves are; bytes are estimates of the node that was asked.
    static String bar(JsonNode moves) {
      int moved = moves.path("replicasMoved").asInt();
      int all = moved + moves.path("replicasToMove").asInt();
      int full = all == 0 ? BAR : (int) ((long) BAR * moved / all);
      long bytes = moves.path("bytesMoved").asLong();
      return "[%s%s] %d of %d replicas, about %s of %s%s%s%s"
          .formatted(
              "#".repeat(full),
              ".".repeat(BAR - full),
              moved,
              all,
              ClusterCommand.bytes(bytes),
              ClusterCommand.bytes(bytes + moves.path("bytesToMove").asLong()),
              moves.path("bytesASecond").asLong() > 0
                  ? ", %s/s".formatted(ClusterCommand.bytes(moves.path("bytesASecond").asLong()))
                  : "",
              moves.has("secondsLeft")
                  ? ", %s left".formatted(ClusterCommand.left(moves.path("secondsLeft").asLong()))
                  : "",
              moves.path("held").asBoolean() ? ", HELD" : "");
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
  static final class Rebalance extends MemberCommands.Change {
    @Override
    String supposed() {
      return "";
    }

    @Override
    @Nullable String needless(JsonNode plan) throws IOException {
      boolean still =
          plan.path("policies").valueStream().allMatch(p -> p.path("moves").asInt() == 0);
      return still && !asking.get("/cluster/moves").path("held").asBoolean()
          ? "nothing has to move"
          : null;
    }

    @Override
    void make() throws IOException {
      asking.post("/cluster/resume", AdminPage.body(), "moves go on");
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
