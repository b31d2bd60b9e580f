package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Each known gap says what can happen, when, how bad that is, and what to do; the worst of a
/// section stands first.
class KnownGapsTest {
  private static final Path ROOT = Path.of("..");
  private static final List<String> SEVERITIES = List.of("high", "medium", "low");
  private static final Pattern TITLE =
      Pattern.compile("- \\*\\*[^*]+\\.\\*\\* Severity: (high|medium|low)\\.");
  private static final List<String> PARTS =
      List.of("  - When: ", "  - Effect: ", "  - Workaround: ");

  private static void check(String entry) {
    List<String> lines = entry.lines().toList();
    assertTrue(TITLE.matcher(lines.getFirst()).matches(), lines.getFirst());
    List<String> parts =
        lines.stream()
            .filter(line -> line.startsWith("  - "))
            .map(line -> line.substring(0, line.indexOf(": ") + 2))
            .toList();
    assertEquals(PARTS, parts, lines.getFirst());
  }

  @Test
  void eachGapHasItsFormAndTheWorstStandsFirst() throws IOException {
    String text = Files.readString(ROOT.resolve("docs/known-gaps.md"));
    String[] sections = text.split("(?m)^(?=## )");
    int gaps = 0;
    for (String section : List.of(sections).subList(1, sections.length)) {
      int before = 0;
      String[] entries = section.split("(?m)^(?=- )");
      for (String entry : List.of(entries).subList(1, entries.length)) {
        check(entry);
        Matcher title = TITLE.matcher(entry);
        assertTrue(title.lookingAt());
        int rank = SEVERITIES.indexOf(title.group(1));
        assertTrue(rank >= before, "it stands behind a lesser one: " + title.group());
        before = rank;
        gaps++;
      }
    }
    assertTrue(gaps > 50, gaps + " gaps");
  }

  @Test
  void theReadmeNamesThem() throws IOException {
    String readme = Files.readString(ROOT.resolve("README.md"));
    assertTrue(readme.contains("[known gaps](docs/known-gaps.md)"));
  }
}
