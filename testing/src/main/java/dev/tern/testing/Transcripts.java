package dev.tern.testing;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/// The scenes of a directory of a module's `src/test/resources`, word for word (after the
/// interaction tests of etcd-io/raft): a block is a command, `----`, and what comes of it.
/// `-Drewrite` writes the files anew.
public final class Transcripts {
  private final Path directory;
  private final Supplier<UnaryOperator<String>> playgrounds;

  /// @param name of the directory
  /// @param playgrounds for each scene a new place that carries out its commands in order and tells
  ///   what comes of each
  public Transcripts(String name, Supplier<UnaryOperator<String>> playgrounds) {
    this.directory = Path.of("src/test/resources", name);
    this.playgrounds = playgrounds;
  }

  /// The names of the scenes, sorted.
  public Stream<String> scenes() throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.map(file -> file.getFileName().toString()).sorted().toList().stream();
    }
  }

  /// A scene comes to what is written.
  public void goesAsWritten(String scene) throws IOException {
    Path file = directory.resolve(scene);
    String expected = Files.readString(file);
    String actual = play(expected.lines().toList());
    if (System.getProperty("rewrite") != null) {
      Files.writeString(file, actual);
    } else {
      assertEquals(expected, actual);
    }
  }

  /// A scene comes to the same twice.
  public void playsAlikeTwice(String scene) throws IOException {
    List<String> lines = Files.readAllLines(directory.resolve(scene));
    assertTrue(lines.size() > 5);
    assertEquals(play(lines), play(lines));
  }

  /// Comments and commands stay, what comes of them is what comes of them now.
  private String play(List<String> lines) {
    UnaryOperator<String> playground = playgrounds.get();
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
        playground.apply(line).lines().forEach(out::add);
        begun = true;
      }
    }
    return String.join("\n", out) + "\n";
  }
}
