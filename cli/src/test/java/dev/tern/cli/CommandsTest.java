package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.core.topology.KeyspaceProperty;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// What commands make of their arguments, before they start anything.
class CommandsTest {
  private static String refusal(String... arguments) {
    StringWriter told = new StringWriter();
    CommandLine line = Main.line().setErr(new PrintWriter(told, /* autoFlush= */ true));
    assertEquals(1, line.execute(arguments), told::toString);
    return told.toString();
  }

  private static void assertHas(String part, String whole) {
    assertTrue(whole.contains(part), whole);
  }

  private static LocalNodes nodes(int count, Path dir, int offset) {
    return new LocalNodes(count, dir, offset, "none", 1, new PrintStream(System.err));
  }

  @Test
  void aPlaygroundKeepsToTheNodesOfItsDirectory(@TempDir Path dir) throws IOException {
    assertEquals(0, LocalNodes.held(dir.resolve("missing")));
    assertEquals(0, LocalNodes.held(dir));
    Files.createDirectories(dir.resolve("node-1"));
    Files.createDirectories(dir.resolve("node-3"));
    Files.createDirectories(dir.resolve("node-30.old"));
    assertEquals(3, LocalNodes.held(dir));
    for (int other : new int[] {1, 5}) {
      Throwable refused = assertThrows(IOException.class, () -> nodes(other, dir, 0).start());
      assertHas("holds a cluster of 3: start it with --nodes 3", String.valueOf(refused));
    }
    assertTrue(Files.notExists(dir.resolve("node-2")), "something was made");
  }

  @Test
  void anOffsetLeavesPortsForAllNodes(@TempDir Path dir) {
    Throwable refused =
        assertThrows(IllegalArgumentException.class, () -> nodes(3, dir, 60_000).start());
    assertHas("--port-offset is at most 57248 here", String.valueOf(refused));
  }

  @Test
  void aPlaygroundOfNoDurabilityMakesNothing(@TempDir Path dir) {
    Path data = dir.resolve("data");
    String told = refusal("playground", "--dir", data.toString(), "--durability", "fsync");
    assertHas("--durability is none, os or sync, not fsync", told);
    assertTrue(Files.notExists(data), "something was made");
  }

  /// The refusal of a value tells which one was taken.
  @Test
  void flagsWinOverTheFile(@TempDir Path dir) throws IOException {
    Path config = dir.resolve("tern.yaml");
    Files.writeString(
        config,
        "data: %s%ndurability: none%ninternode-port: 70000%n".formatted(dir.resolve("data")));
    String file = "--config=" + config;
    assertHas("not 70000", refusal("server", file));
    assertHas("not 70001", refusal("server", file, "--internode-port", "70001"));
    assertHas("not 70002", refusal("server", "--internode-port=70002", file));
    assertHas("not fsync", refusal("server", file, "--durability", "fsync"));
  }

  @Test
  void aFileOfWrongSettingsIsNamed(@TempDir Path dir) throws IOException {
    Path config = dir.resolve("tern.yaml");
    String file = "--config=" + config;
    assertHas("cannot be read", refusal("server", file));
    for (String unknown : List.of("redis-prt: 6379", "config: other.yaml", "x: 1")) {
      Files.writeString(config, unknown);
      String key = unknown.substring(0, unknown.indexOf(':'));
      assertHas(config + ": there is no setting " + key, refusal("server", file));
    }
    for (String senseless : List.of("redis-port: many", "- 1", "just words", "a: [", "data: ''")) {
      Files.writeString(config, senseless);
      String told = refusal("server", file);
      assertTrue(told.contains(config.toString()) || told.contains("--data DIR"), told);
    }
    Files.writeString(config, "");
    assertHas("a data directory is needed", refusal("server", file));
  }

  @Test
  void aPathAloneIsNoReason() {
    assertEquals("/x: no such file", Main.message(new NoSuchFileException("/x")));
    assertEquals("/x: access denied", Main.message(new AccessDeniedException("/x")));
    assertEquals(
        "/x: because", Main.message(new AccessDeniedException("/x", /* other= */ null, "because")));
    assertEquals("java.io.IOException", Main.message(new IOException()));
  }

  @Test
  void durationsAreToldAsTheyAreTyped() {
    for (String text : List.of("1ms", "500ms", "90s", "15m", "12h", "30d", "61m", "25h")) {
      assertEquals(text, KeyspaceCommand.duration(KeyspaceCommand.millis(text)));
    }
    assertEquals("1m", KeyspaceCommand.duration(KeyspaceCommand.millis("60s")));
  }

  @Test
  void eachOptionOfTheServerHasAWord() {
    CommandLine server = Main.line().getSubcommands().get("server");
    server
        .getCommandSpec()
        .options()
        .forEach(option -> assertTrue(option.description().length > 0, option::longestName));
  }

  /// The flags of a keyspace's properties come from one list: help and manual have them all.
  @Test
  void eachPropertyOfKeyspacesIsInTheHelpAndInTheManual() throws IOException {
    CommandLine keyspace = Main.line().getSubcommands().get("keyspace");
    Path root = Path.of("").toAbsolutePath().getParent();
    String manual = Files.readString(root.resolve("docs/administration.md"));
    for (String command : List.of("create", "alter")) {
      String help = keyspace.getSubcommands().get(command).getUsageMessage();
      for (KeyspaceProperty<?> property : KeyspaceProperty.ALL) {
        assertHas(property.flag() + "=<", help);
        assertHas("`" + property.flag() + "`", manual);
      }
    }
  }
}
