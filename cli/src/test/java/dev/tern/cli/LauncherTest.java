package dev.tern.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The script `tern` takes the JDK that `JAVA_HOME` names, in whatever form it is installed.
class LauncherTest {
  private static final Path JDK = Path.of(System.getProperty("java.home"));

  @TempDir Path directory;

  /// What the script's search for a JDK finds.
  private static String found(Path javaHome) throws IOException, InterruptedException {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("tern"))) {
      root = root.getParent();
    }
    List<String> lines = Files.readAllLines(root.resolve("tern"));
    int from = lines.indexOf("is25() {");
    int to = lines.indexOf("JAVA_HOME=$(find_jdk)");
    String search = String.join("\n", lines.subList(from, to)) + "\nfind_jdk\n";
    ProcessBuilder bash = new ProcessBuilder("bash", "-euc", search).redirectErrorStream(true);
    bash.environment().put("JAVA_HOME", javaHome.toString());
    Process process = bash.start();
    String output = new String(process.getInputStream().readAllBytes(), UTF_8).strip();
    assertEquals(0, process.waitFor(), output);
    return output;
  }

  private Path linked() throws IOException {
    Path home = directory.resolve("a jdk of links");
    Files.createDirectories(home.resolve("bin"));
    for (String tool : List.of("java", "javac")) {
      Files.createSymbolicLink(home.resolve("bin").resolve(tool), JDK.resolve("bin").resolve(tool));
    }
    return home;
  }

  @Test
  void aJdkThatNamesItsVersionIsTaken() throws Exception {
    assertEquals(JDK.toString(), found(JDK));
  }

  @Test
  void aFolderOfLinksIsAskedForItsVersion() throws Exception {
    Path home = linked();
    assertEquals(home.toString(), found(home));
  }

  @Test
  void aJdkOfAnotherVersionIsPassedOver() throws Exception {
    Path home = linked();
    Files.writeString(home.resolve("release"), "JAVA_VERSION=\"17.0.15\"\n");
    assertNotEquals(home.toString(), found(home));
  }
}
