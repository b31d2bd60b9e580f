package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.util.JavacTask;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Links of comments resolve, by the checks of the documentation tool.
///
/// A flag of the compiler in the build would not do: inside of Maven javac does not find its reader
/// of Markdown, and passes over every link.
class DocumentationLinksTest {
  private static Path root() {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("tern"))) {
      root = root.getParent();
    }
    return root;
  }

  /// The main sources of all modules.
  private static List<Path> sources() throws IOException {
    try (Stream<Path> paths = Files.walk(root(), 16)) {
      return paths
          .filter(path -> path.toString().endsWith(".java"))
          .filter(path -> path.toString().contains("/src/main/java/dev/tern/"))
          .filter(path -> !root().relativize(path).startsWith("clients"))
          .toList();
    }
  }

  private static List<String> broken(List<Path> sources) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(found, null, StandardCharsets.UTF_8)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null,
                  files,
                  found,
                  List.of(
                      "-proc:none",
                      "-Xlint:none",
                      "-Xdoclint:reference/private",
                      "-XDshould-stop.ifError=FLOW"),
                  null,
                  files.getJavaFileObjectsFromPaths(sources));
      task.analyze();
    }
    return found.getDiagnostics().stream()
        .filter(problem -> problem.getKind() == Diagnostic.Kind.ERROR)
        .map(DocumentationLinksTest::text)
        .toList();
  }

  private static String text(Diagnostic<? extends JavaFileObject> problem) {
    JavaFileObject source = problem.getSource();
    return "%s:%d %s"
        .formatted(
            source == null ? "" : source.getName(),
            problem.getLineNumber(),
            problem.getMessage(null));
  }

  @Test
  void brokenLinksAreFound(@TempDir Path directory) throws IOException {
    Path source = directory.resolve("Linked.java");
    Files.writeString(
        source,
        """
        /// See [String#length], [Missing] and [String#missing].
        final class Linked {
          /// What [#gone] was, and `[code]`.
          private int field;
        }
        """);
    assertEquals(3, broken(List.of(source)).size());
  }

  @Test
  void allLinksResolve() throws IOException {
    List<Path> sources = sources();
    assertTrue(sources.size() > 400, "the sources are not where this test looks");
    assertEquals(List.of(), broken(sources));
  }
}
