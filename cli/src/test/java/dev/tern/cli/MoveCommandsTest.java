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
    assertEquals("unchanged", json("resume", "--json").path("outcome").asText());
  }

  @Test
  void theManualHasEachCommand() throws IOException {
    Path root = Path.of("").toAbsolutePath().getParent();
    String manual = Files.readString(root.resolve("docs/administration.md"));
    for (String command : new String[] {"moves", "rebalance", "pause", "resume", "cancel"}) {
      assertTrue(manual.contains("`tern cluster " + command), command);
    }
  }
}
