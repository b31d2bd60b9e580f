package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.tern.server.TernServer;
import java.io.IOException;
import java.io.StringWriter;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The Java of README and of the two libraries' documents: each block compiles, with the imports
/// that the document names, and runs against a node.
@Timeout(120)
class ExamplesTest {
  private static final List<String> PAGES = List.of("README.md", "docs/client.md", "docs/lsm.md");
  private static final Pattern BLOCK = Pattern.compile("(?s)```java\n(.*?)```");
  private static final Pattern IMPORT = Pattern.compile("(?m)^import .*;\n");

  private static Path root() {
    Path directory = Path.of("").toAbsolutePath();
    return Files.exists(directory.resolve("README.md"))
        ? directory
        : java.util.Objects.requireNonNull(directory.getParent());
  }

  @Test
  void theExamplesOfTheDocumentsRun(@TempDir Path directory) throws Exception {
    List<TernServer> servers = Servers.start(directory.resolve("nodes"), 1);
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {directory.toUri().toURL()}, getClass().getClassLoader())) {
      int port = servers.getFirst().port("riak");
      for (String name : compiled(directory, "127.0.0.1:" + port)) {
        loader.loadClass(name).getMethod("run").invoke(null);
      }
    } finally {
      for (TernServer server : servers) {
        server.close();
      }
    }
  }

  private static String source(String name, String imports, String text) {
    return """
        %s
        public class %s {
          static void use(Object key, Object value) {
            java.util.Objects.requireNonNull(key);
          }

          public static void run() throws Exception {
            byte[] key = {1};
            byte[] value = {2};
            byte[] other = {3};
            %s
          }
        }
        """
        .formatted(imports, name, text);
  }

  /// The names of the blocks' classes, below the directory.
  private static List<String> compiled(Path directory, String address) throws IOException {
    List<String> names = new ArrayList<>();
    List<Path> sources = new ArrayList<>();
    for (String page : PAGES) {
      Matcher block = BLOCK.matcher(Files.readString(root().resolve(page)));
      int before = names.size();
      while (block.find()) {
        String name = "Example" + names.size();
        StringBuilder imports = new StringBuilder();
        IMPORT.matcher(block.group(1)).results().forEach(found -> imports.append(found.group()));
        String text =
            IMPORT
                .matcher(block.group(1))
                .replaceAll("")
                .replace("127.0.0.1:8087", address)
                .replace("Path.of(\"data\")", "Path.of(\"" + directory.resolve(name) + "\")");
        Path source = directory.resolve(name + ".java");
        Files.writeString(source, source(name, imports.toString(), text));
        names.add(name);
        sources.add(source);
      }
      assertTrue(names.size() > before, page + " has no example");
    }
    compile(directory, sources);
    return names;
  }

  private static void compile(Path directory, List<Path> sources) throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    StringWriter told = new StringWriter();
    try (StandardJavaFileManager files =
        compiler.getStandardFileManager(null, null, StandardCharsets.UTF_8)) {
      boolean compiled =
          compiler
              .getTask(
                  told,
                  files,
                  null,
                  List.of("-proc:none", "-d", directory.toString()),
                  null,
                  files.getJavaFileObjectsFromPaths(sources))
              .call();
      assertEquals(true, compiled, told.toString());
    }
  }
}
