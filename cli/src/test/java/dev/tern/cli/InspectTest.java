package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileReport;
import dev.tern.server.TernServer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/// `tern inspect` on the data directory of a node that was stopped.
class InspectTest {
  private static Path stopped(Path data) throws IOException {
    List<TernServer> servers = Servers.start(data, 1);
    for (TernServer server : servers) {
      server.close();
    }
    return data.resolve("node-0");
  }

  private static List<FileReport> problems(Path root) throws IOException {
    return new DataDirectory(root)
        .reports().stream().filter(report -> !report.problems().isEmpty()).toList();
  }

  private static Map<String, byte[]> contents(Path root) throws IOException {
    TreeMap<String, byte[]> contents = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.filter(Files::isRegularFile).toList()) {
        contents.put(path.toString(), Files.readAllBytes(path));
      }
    }
    return contents;
  }

  private static String out(int exit, Path path, String... options) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    PrintStream before = System.out;
    System.setOut(new PrintStream(bytes, true, StandardCharsets.UTF_8));
    try {
      String[] arguments = Arrays.copyOf(options, options.length + 1);
      arguments[options.length] = path.toString();
      assertEquals(exit, new CommandLine(new InspectCommand()).execute(arguments));
    } finally {
      System.setOut(before);
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Test
  void everyFileOfANodeIsNamedAndNothingIsWritten(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    Map<String, byte[]> before = contents(node);
    TreeSet<FileKind> kinds = new TreeSet<>();
    TreeSet<String> lives = new TreeSet<>();
    int headers = 0;
    for (FileReport report : new DataDirectory(node).reports()) {
      assertEquals(List.of(), report.problems(), report.path());
      assertFalse(report.facts().isEmpty(), report.path());
      FileHeader header = report.header();
      if (header != null) {
        kinds.add(header.kind());
        lives.add(header.life().toString());
        headers++;
      }
    }
    assertTrue(
        kinds.containsAll(
            List.of(
                FileKind.LOG,
                FileKind.MANIFEST,
                FileKind.RAFT_SEGMENT,
                FileKind.KNOWN_TOPOLOGY,
                FileKind.GENERATION)),
        kinds.toString());
    assertEquals(headers, lives.size(), "two files of one life");
    assertTrue(out(0, node).contains(" 0 with problems"));
    String json = out(0, node, "--json");
    assertTrue(json.startsWith("[{\"path\":") && json.contains("\"problems\":[]"), json);
    Map<String, byte[]> after = contents(node);
    assertEquals(before.keySet(), after.keySet());
    before.forEach((path, bytes) -> assertTrue(Arrays.equals(bytes, after.get(path)), path));
  }

  /// Each file is damaged in its middle, cut in half, and taken away.
  @Test
  void whatIsWrongIsSaid(@TempDir Path data) throws IOException {
    Path node = stopped(data);
    assertEquals(List.of(), problems(node));
    for (String name : contents(node).keySet()) {
      Path path = Path.of(name);
      if (name.endsWith("LOCK")) {
        continue;
      }
      byte[] right = Files.readAllBytes(path);
      byte[] damaged = right.clone();
      damaged[4] ^= 1;
      Files.write(path, damaged);
      assertFalse(problems(node).isEmpty(), "damaged " + name);
      assertTrue(out(1, path).contains("PROBLEM"), "damaged " + name);
      if (!name.endsWith(".raftlog")) {
        Files.write(path, Arrays.copyOf(right, 20));
        assertFalse(problems(node).isEmpty(), "cut " + name);
      }
      Files.delete(path);
      boolean mayBeMissing =
          name.endsWith("known") || name.contains("gossip") || name.endsWith(".raftlog");
      assertTrue(mayBeMissing || !problems(node).isEmpty(), "taken away " + name);
      Files.write(path, right);
      assertEquals(List.of(), problems(node));
    }
  }
}
