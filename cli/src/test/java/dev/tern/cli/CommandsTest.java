package dev.tern.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
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
import java.util.Set;
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
    assertEquals(List.of(), LocalNodes.held(dir.resolve("missing")));
    assertEquals(List.of(), LocalNodes.held(dir));
    Files.createDirectories(dir.resolve("node-1"));
    Files.createDirectories(dir.resolve("node-3"));
    Files.createDirectories(dir.resolve("node-30.old"));
    assertEquals(List.of(1, 2, 3), LocalNodes.held(dir));
    for (int other : new int[] {1, 5}) {
      Throwable refused = assertThrows(IOException.class, () -> nodes(other, dir, 0).start());
      assertHas("holds a cluster of 3: start it with --nodes 3", String.valueOf(refused));
    }
    assertTrue(Files.notExists(dir.resolve("node-2")), "something was made");
  }

  /// To read what all commands take costs each start of a node a third of a second of its
  /// processor.
  @Test
  void aCommandThatIsNamedIsTheOnlyOneThatIsRead() {
    assertEquals(Set.of("server"), Main.line("server", "--help").getSubcommands().keySet());
    Set<String> all = Main.line().getSubcommands().keySet();
    assertTrue(all.containsAll(Set.of("playground", "server", "keyspace", "train")), all::toString);
    assertEquals(all, Main.line("--help").getSubcommands().keySet());
    assertEquals(all, Main.line("plaground").getSubcommands().keySet());
    assertHas("tern server", Main.line("server").getSubcommands().get("server").getUsageMessage());
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
    assertHas("or never, not soon", refusal("server", file, "--away-after", "soon"));
    assertHas("not 999999999999d", refusal("server", file, "--away-after=999999999999d"));
    assertHas("not 0 and 0", refusal("server", "--data=x", "--fill-floor", "0"));
    assertHas("not 8 and 7", refusal("server", "--data=x", "--fill-floor=8", "--fill-ceiling=7"));
    assertHas("not 2 and -1", refusal("server", "--data=x", "--fill-ceiling=-1"));
    assertHas("after 5000 ms", refusal("server", "--data=x", "--away-after", "5s"));
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

  /// A value that was not understood would leave a flag at its default: without its seeds, a node
  /// founds a cluster of its own.
  @Test
  void aValueOfTheFileThatIsNoneIsRefused(@TempDir Path dir) throws IOException {
    Path config = dir.resolve("tern.yaml");
    String file = "--config=" + config;
    for (String none :
        List.of("data:", "durability:", "data: [a, b]", "seeds: []", "seeds: {a: 1}")) {
      Files.writeString(config, none);
      String key = none.substring(0, none.indexOf(':'));
      assertHas(config + ": " + key + " has ", refusal("server", file));
    }
    Files.writeString(config, "seeds:\n- host: 7071\n");
    assertHas(config + ": seeds has ", refusal("server", file));
    Files.writeString(config, "data: a\ndata: b\n");
    assertHas(config + ": Duplicate field 'data'", refusal("server", file));
    Files.writeString(config, "seeds: a:7071\nmembers: b:7071\n");
    assertHas("--seeds or --members is given twice", refusal("server", file));
  }

  /// The refusal of a seed tells that it was taken.
  @Test
  void aListOfSeedsIsTaken(@TempDir Path dir) throws IOException {
    Path config = dir.resolve("tern.yaml");
    Files.writeString(
        config, "data: %s%nseeds:%n- 127.0.0.1:7071%n- nobody:0%n".formatted(dir.resolve("data")));
    assertHas("not nobody:0", refusal("server", "--config=" + config));
  }

  /// In a JVM of its own: that of the tests has assertions on.
  @Test
  void aSimulationChecksAssertions() throws Exception {
    Process process =
        new ProcessBuilder(
                ProcessHandle.current().info().command().orElse("java"),
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "simulate",
                "--raft",
                "--seeds",
                "1")
            .redirectErrorStream(true)
            .start();
    String told = new String(process.getInputStream().readAllBytes(), UTF_8);
    assertEquals(0, process.waitFor(), told);
    assertHas("1 seeds clean, assertions on", told);
  }

  @Test
  void theHelpOfANewKeyspaceSaysWhatIsUsual() {
    CommandLine keyspace = Main.line().getSubcommands().get("keyspace");
    String help = keyspace.getSubcommands().get("create").setUsageHelpWidth(200).getUsageMessage();
    for (String usual : List.of("lww", "sync", "spread", "leveled", "0", "5s")) {
      assertHas("(usual: " + usual + ")", help);
    }
  }

  @Test
  void helpIsACommandToo() {
    StringWriter told = new StringWriter();
    CommandLine line =
        Main.line("help", "server").setOut(new PrintWriter(told, /* autoFlush= */ true));
    assertEquals(0, line.execute("help", "server"));
    assertHas("--internode-port", told.toString());
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
  void eachOptionHasAWord() {
    wordless(Main.line(), "tern");
  }

  private static void wordless(CommandLine command, String name) {
    command
        .getCommandSpec()
        .options()
        .forEach(
            option ->
                assertTrue(
                    option.description().length > 0 && !option.description()[0].isBlank(),
                    () -> name + " " + option.longestName()));
    command.getSubcommands().forEach((sub, line) -> wordless(line, name + " " + sub));
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
        boolean refused = command.equals("alter") && property.isKept();
        String flag = property.flag();
        assertEquals(!refused, help.contains(flag + "=<"), flag + " in " + help);
        assertHas("`" + property.flag() + "`", manual);
      }
    }
  }
}
