package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Subjects of commits read `area: imperative`, in at most 72 characters.
class CommitSubjectsTest {
  private static final int MAX_CHARACTERS = 72;

  /// The last commit to which the rule does not apply.
  private static final String BEFORE = "32f7300c545278fe697a956af894ade843b85401";

  /// One area or several, then a verb in lower case. A verb in the past or in progress is refused;
  /// the words in front are those that only look like one.
  private static final Pattern SUBJECT =
      Pattern.compile(
          "[a-z][a-z0-9-]*(, [a-z][a-z0-9-]*)*: "
              + "(?:(?:bring|embed|exceed|feed|heed|need|ping|proceed|seed|shed|speed|string)"
              + "|(?![a-z]+(?:ed|ing)\\b)[a-z][a-z-]*)(?: .*[^.\\s])?");

  private static boolean isGood(String subject) {
    return subject.length() <= MAX_CHARACTERS && SUBJECT.matcher(subject).matches();
  }

  private static Path root() {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("tern"))) {
      root = root.getParent();
    }
    return root;
  }

  private record Output(int exitCode, List<String> lines) {}

  private static Output git(Path directory, String... arguments)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("git", "-c", "safe.directory=*"));
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectError(ProcessBuilder.Redirect.to(new File("/dev/null")))
            .start();
    String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Output(process.waitFor(), text.lines().toList());
  }

  /// The subjects of the commits behind `before`. A shallow clone that does not reach back so far
  /// has only commits behind it. A directory without git, and one of another history, has none.
  private static List<String> subjects(Path directory, String before)
      throws IOException, InterruptedException {
    Output shallow;
    try {
      shallow = git(directory, "rev-parse", "--is-shallow-repository");
    } catch (IOException e) {
      return List.of(); // no git on this machine
    }
    boolean known = git(directory, "merge-base", "--is-ancestor", before, "HEAD").exitCode() == 0;
    if (!known && !shallow.lines().equals(List.of("true"))) {
      return List.of();
    }
    String range = known ? before + "..HEAD" : "HEAD";
    return git(directory, "log", "--no-merges", "--format=%s", range).lines();
  }

  @Test
  void theRuleTellsGoodSubjectsFromBadOnes() {
    assertTrue(isGood("lsm: split the memtable"));
    assertTrue(isGood("core, gateway: need no lock for reads"));
    assertFalse(isGood("Shorter lines"));
    assertFalse(isGood("Lsm: split the memtable"));
    assertFalse(isGood("lsm: Split the memtable"));
    assertFalse(isGood("lsm: split the memtable."));
    assertFalse(isGood("lsm: added a memtable"));
    assertFalse(isGood("lsm: splitting the memtable"));
    assertFalse(isGood("lsm: " + "a".repeat(MAX_CHARACTERS)));
  }

  @Test
  void commitsBehindTheNamedOneAreFound(@TempDir Path directory) throws Exception {
    if (git(directory, "init", "-q").exitCode() != 0) {
      return;
    }
    List<String> hashes = new ArrayList<>();
    for (String subject : List.of("Old one", "docs: say more", "Bad one")) {
      git(
          directory,
          "-c",
          "user.name=a",
          "-c",
          "user.email=a@b",
          "commit",
          "-q",
          "--allow-empty",
          "-m",
          subject);
      hashes.add(git(directory, "rev-parse", "HEAD").lines().getFirst());
    }
    assertEquals(List.of("Bad one", "docs: say more"), subjects(directory, hashes.getFirst()));
    assertEquals(List.of(), subjects(directory, BEFORE));
    Path shallow = directory.resolve("shallow");
    git(directory, "clone", "-q", "--depth", "1", directory.toUri().toString(), shallow.toString());
    assertEquals(List.of("Bad one"), subjects(shallow, hashes.getFirst()));
  }

  @Test
  void subjectsSayWhereAndWhat() throws Exception {
    List<String> bad =
        subjects(root(), BEFORE).stream().filter(subject -> !isGood(subject)).toList();
    assertEquals(List.of(), bad);
  }
}
