package dev.tern.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.tern.server.TernServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The commands about moves, against a node.
@Timeout(120)
class MoveCommandsTest {
  @TempDir private static Path data;
  private static TernServer server;

  @BeforeAll
  static void start() throws IOException {
    server = TernServer.start(Servers.alone(data), Servers.BROKEN);
  }

  @AfterAll
  static void stop() throws IOException {
    server.close();
  }

  /// What a command prints.
  private static String out(int code, String... arguments) {
    String[] all = new String[arguments.length + 3];
    all[0] = "cluster";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    all[all.length - 2] = "--admin";
    all[all.length - 1] = "127.0.0.1:" + server.port("admin");
    PrintStream before = System.out;
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    System.setOut(new PrintStream(out, true, UTF_8));
    try {
      assertEquals(code, Main.line().execute(all), out::toString);
    } finally {
      System.setOut(before);
    }
    return out.toString(UTF_8);
  }

  private static JsonNode json(String... arguments) throws IOException {
    return new ObjectMapper().readTree(out(0, arguments));
  }

  @Test
  void movesAreHeldCancelledAndLetGo() throws IOException {
    assertTrue(out(0, "pause").startsWith("moves are held (the topology is at epoch "));
    assertTrue(out(0, "pause").startsWith("nothing to change"));
    assertTrue(json("moves", "--json").path("held").asBoolean());
    assertTrue(out(0, "moves").contains("HELD"));
    assertTrue(out(0, "resume").startsWith("moves go on"));
    assertTrue(out(0, "cancel").startsWith("0 moves cancelled, 0 are fenced and end"));
    assertEquals(0, json("cancel", "--json").path("cancelled").asInt(-1));
    assertTrue(json("moves", "--json").path("held").asBoolean());
    String plan = out(0, "rebalance", "--plan-only");
    assertTrue(plan.contains("0 replicas to move"), plan);
    assertTrue(json("rebalance", "--plan-only", "--json").has("policies"));
    assertTrue(json("moves", "--json").path("held").asBoolean());
    // Nobody is there to be asked.
    out(1, "rebalance");
    assertTrue(json("moves", "--json").path("held").asBoolean());
    assertTrue(out(0, "rebalance", "--yes").contains("moves go on"));
    assertFalse(json("moves", "--json").path("held").asBoolean());
    assertTrue(out(0, "rebalance").contains("nothing has to move"));
    assertEquals("unchanged", json("resume", "--json").path("outcome").asText());
  }

  @Test
  void aChangeIsShownAndNotMadeWithoutAWord() throws IOException {
    assertEquals(100, weight());
    assertTrue(out(0, "weight", "1", "50", "--plan-only").contains("replicas to move"));
    assertTrue(json("weight", "1", "50", "--plan-only", "--json").has("policies"));
    out(1, "weight", "1", "50");
    assertEquals(100, weight());
    assertTrue(out(0, "weight", "1", "50", "--yes").contains("member 1 weighs 50"));
    assertEquals(50, weight());
    assertEquals("changed", json("weight", "1", "100", "--yes", "--json").path("outcome").asText());
    assertTrue(out(0, "zone", "1", "here", "--yes").contains("member 1 stands in here"));
  }

  private static int weight() throws IOException {
    return json("status", "--json").path("members").get(0).path("weight").asInt();
  }

  @Test
  void statusTellsRedundancyAndMovesHowFarTheyAre() throws IOException {
    // A node alone cannot have three replicas of anything.
    assertTrue(out(0, "status").contains("of 64 partitions have fewer than n live replicas"));
    JsonNode redundancy = json("status", "--json").path("redundancy");
    assertEquals(64, redundancy.path("fewer").asInt(-1));
    assertEquals(0, redundancy.path("none").asInt(-1));
    assertEquals(0, redundancy.path("catchingUp").asInt(-1));
    assertEquals(0, json("moves", "--json").path("replicasToMove").asInt(-1));
    assertTrue(out(0, "moves", "--watch").contains("0 of 0 replicas"));
    assertTrue(out(0, "join", "--zone", "rack-4").contains("--zone rack-4 --seeds 127.0.0.1:"));
    assertTrue(json("join", "--json").has("policies"));
  }

  @Test
  void aBarTellsWhatIsKnown() throws IOException {
    JsonNode moves =
        new ObjectMapper()
            .readTree(
                """
                {"replicasMoved": 10, "replicasToMove": 30, "bytesMoved": 1048576,
                 "bytesToMove": 3145728, "bytesASecond": 524288, "secondsLeft": 6}""");
    assertEquals(
        "[#######.......................] 10 of 40 replicas, about 1.0 MiB of 4.0 MiB,"
            + " 512.0 KiB/s, 6 s left",
        MoveCommands.Moves.bar(moves));
    assertEquals("119 s", ClusterCommand.left(119));
    assertEquals("2 min", ClusterCommand.left(120));
    assertEquals("3 h", ClusterCommand.left(10_000));
  }

  @Test
  void theManualHasEachCommand() throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    String manual = Files.readString(root.resolve("docs/administration.md"));
    for (String command :
        new String[] {
          "moves",
          "rebalance",
          "pause",
          "resume",
          "cancel",
          "join",
          "leave",
          "replace",
          "weight",
          "zone",
          "remove"
        }) {
      assertTrue(manual.contains("`tern cluster " + command), command);
    }
  }
}
