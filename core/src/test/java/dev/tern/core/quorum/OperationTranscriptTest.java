package dev.tern.core.quorum;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What happens in the scenes of `core/src/test/resources/operations`, word for word (after the
/// interaction tests of etcd-io/raft): a block is a command, `----`, and what comes of it.
/// `-Drewrite` writes the files anew.
class OperationTranscriptTest {
  private static final Path DIRECTORY = Path.of("src/test/resources/operations");

  static Stream<String> scenes() throws IOException {
    try (Stream<Path> files = Files.list(DIRECTORY)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
    }
  }

  @ParameterizedTest
  @MethodSource("scenes")
  void goesAsWritten(String scene) throws IOException {
    Path file = DIRECTORY.resolve(scene);
    String expected = Files.readString(file);
    String actual = play(expected.lines().toList());
    if (System.getProperty("rewrite") != null) {
      Files.writeString(file, actual);
    } else {
      assertEquals(expected, actual);
    }
  }

  /// Comments and commands stay, what comes of them is what comes of them now.
  private static String play(List<String> lines) {
    Playground playground = new Playground();
    List<String> out = new ArrayList<>();
    boolean result = false;
    boolean begun = false;
    for (String line : lines) {
      if (line.isEmpty()) {
        result = false;
      } else if (line.startsWith("#")) {
        result = false;
        if (begun) {
          out.add("");
          begun = false;
        }
        out.add(line);
      } else if (line.equals("----")) {
        result = true;
      } else if (!result) {
        if (begun) {
          out.add("");
        }
        out.add(line);
        out.add("----");
        playground.run(line).lines().forEach(out::add);
        begun = true;
      }
    }
    return String.join("\n", out) + "\n";
  }

  @ParameterizedTest
  @MethodSource("scenes")
  void playsAlikeTwice(String scene) throws IOException {
    List<String> lines = Files.readAllLines(DIRECTORY.resolve(scene));
    assertTrue(lines.size() > 5);
    assertEquals(play(lines), play(lines));
  }
}
