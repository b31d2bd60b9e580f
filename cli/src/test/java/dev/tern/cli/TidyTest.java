package dev.tern.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.source.tree.ClassTree;
import com.sun.source.tree.CompilationUnitTree;
import com.sun.source.tree.MethodTree;
import com.sun.source.util.JavacTask;
import com.sun.source.util.TreePathScanner;
import com.sun.source.util.Trees;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.lang.model.element.Modifier;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;

/// The style guide where a machine can read it: lengths, left-overs, documentation.
class TidyTest {
  private static final int MAX_METHOD_LINES = 70;
  private static final int MAX_FILE_LINES = 800;
  private static final int MAX_COLUMNS = 100;

  /// Split so that this file does not find itself.
  private static final Pattern LEFT_OVER =
      Pattern.compile("TO" + "DO|FIX" + "ME|XX" + "X|Thread\\." + "sleep|@Dis" + "abled");

  private static final Pattern COMMENTED_OUT = Pattern.compile("^\\s*//[^/].*(;|\\{|\\})\\s*$");

  private static Path root() {
    Path root = Path.of("").toAbsolutePath();
    while (!Files.exists(root.resolve("tern"))) {
      root = root.getParent();
    }
    return root;
  }

  private static List<Path> sources() throws IOException {
    Path root = root();
    List<Path> sources = new ArrayList<>();
    try (Stream<Path> paths = Files.walk(root)) {
      paths
          .filter(path -> path.toString().endsWith(".java"))
          .filter(path -> !path.toString().contains("/target/"))
          .forEach(sources::add);
    }
    assertTrue(sources.size() > 50, "the sources are not where this test looks: " + root);
    return sources;
  }

  @Test
  void linesAreShortAndNothingIsLeftOver() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path source : sources()) {
      List<String> lines = Files.readAllLines(source);
      if (lines.size() > MAX_FILE_LINES) {
        found.add(source + " has " + lines.size() + " lines");
      }
      for (int i = 0; i < lines.size(); i++) {
        String line = lines.get(i);
        boolean isLong = line.length() > MAX_COLUMNS && !line.contains("\"");
        if (isLong || LEFT_OVER.matcher(line).find() || COMMENTED_OUT.matcher(line).find()) {
          found.add(source.getFileName() + ":" + (i + 1) + " " + line.strip());
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void designNotesHaveTheirHeadings() throws IOException {
    List<String> wanted =
        List.of("## Status", "## Context", "## Decision", "## Alternatives", "## Consequences");
    List<String> found = new ArrayList<>();
    int notes = 0;
    try (Stream<Path> paths = Files.list(root().resolve("docs/design"))) {
      for (Path note : paths.filter(path -> path.toString().endsWith(".md")).sorted().toList()) {
        notes++;
        List<String> headings =
            Files.readAllLines(note).stream().filter(line -> line.startsWith("## ")).toList();
        if (!headings.equals(wanted)) {
          found.add(note.getFileName() + " has " + headings);
        }
      }
    }
    assertEquals(List.of(), found);
    assertTrue(notes > 10, "the notes are not where this test looks");
  }

  @Test
  void everyPackageIsDescribed() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path source : sources()) {
      Path folder = source.getParent();
      if (source.toString().contains("/src/main/")
          && !Files.exists(folder.resolve("package-info.java"))) {
        found.add(folder.toString());
      }
    }
    assertEquals(List.of(), found);
  }

  /// A description that names another package than its folder describes that one.
  @Test
  void packagesAreThoseOfTheirFolders() throws IOException {
    List<String> found = new ArrayList<>();
    for (Path source : sources()) {
      String folder = source.getParent().toString().replace(java.io.File.separatorChar, '.');
      for (String line : Files.readAllLines(source)) {
        if (line.startsWith("package ")) {
          String name = line.substring("package ".length(), line.indexOf(';'));
          if (!folder.endsWith(".java." + name)) {
            found.add(source + ": " + line);
          }
          break;
        }
      }
    }
    assertEquals(List.of(), found);
  }

  @Test
  void methodsAreShortAndPublicTypesAreDocumented() throws IOException {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    List<String> found = new ArrayList<>();
    try (StandardJavaFileManager files = compiler.getStandardFileManager(null, null, null)) {
      JavacTask task =
          (JavacTask)
              compiler.getTask(
                  null, files, null, null, null, files.getJavaFileObjectsFromPaths(sources()));
      Trees trees = Trees.instance(task);
      for (CompilationUnitTree unit : task.parse()) {
        new Look(trees, unit, found).scan(unit, null);
      }
    }
    assertEquals(List.of(), found);
  }

  private static final class Look extends TreePathScanner<Void, Void> {
    private final Trees trees;
    private final CompilationUnitTree unit;
    private final List<String> found;

    Look(Trees trees, CompilationUnitTree unit, List<String> found) {
      this.trees = trees;
      this.unit = unit;
      this.found = found;
    }

    private boolean isMain() {
      return unit.getSourceFile().getName().contains("/src/main/");
    }

    @Override
    public Void visitClass(ClassTree type, Void unused) {
      boolean isPublic = type.getModifiers().getFlags().contains(Modifier.PUBLIC);
      if (isMain() && isPublic && trees.getDocComment(getCurrentPath()) == null) {
        found.add(unit.getSourceFile().getName() + ": " + type.getSimpleName() + " undocumented");
      }
      return super.visitClass(type, null);
    }

    @Override
    public Void visitMethod(MethodTree method, Void unused) {
      long start = trees.getSourcePositions().getStartPosition(unit, method);
      long end = trees.getSourcePositions().getEndPosition(unit, method);
      if (start >= 0 && end > start) {
        long lines =
            unit.getLineMap().getLineNumber(end) - unit.getLineMap().getLineNumber(start) + 1;
        if (lines > MAX_METHOD_LINES) {
          found.add(
              "%s: %s has %d lines"
                  .formatted(unit.getSourceFile().getName(), method.getName(), lines));
        }
      }
      return super.visitMethod(method, null);
    }
  }
}
