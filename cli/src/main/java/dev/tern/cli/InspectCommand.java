package dev.tern.cli;

import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileReport;
import dev.tern.lsm.Inspection;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// Shows what the files of a data directory hold, and what is wrong with them.
@Command(
    name = "inspect",
    description = {
      "Shows what a file, or each file of a data directory, holds and whether it is whole. Writes"
          + " nothing. Files of a running node change under the look.",
      "Exit code 1 if anything is wrong."
    },
    mixinStandardHelpOptions = true)
final class InspectCommand implements Callable<Integer> {
  @Parameters(index = "0", description = "a file or a directory")
  private Path path = Path.of("");

  @Option(names = "--json", description = "one JSON document in place of text")
  private boolean json;

  @Option(names = "--entries", description = "of one log or table: each entry too, as text")
  private boolean entries;

  @Option(
      names = "--keyspace",
      paramLabel = "NAME",
      description = "of a node's data directory: the records of a keyspace, decoded")
  private @Nullable String keyspace;

  @Option(
      names = "--key",
      paramLabel = "KEY",
      description = "with --keyspace: the record of one key; \\xNN is a byte")
  private @Nullable String key;

  @Override
  public Integer call() throws Exception {
    Path absolute = path.toAbsolutePath().normalize();
    if (!Files.exists(absolute)) {
      throw new IllegalArgumentException("there is no " + absolute);
    }
    if (entries && (json || keyspace != null || Files.isDirectory(absolute))) {
      throw new IllegalArgumentException(
          "--entries prints those of one file as text: it goes neither with --json or --keyspace"
              + " nor with a directory");
    }
    if (keyspace != null) {
      return new StoredKeys(absolute, System.out, json).show(keyspace, key) == 0 ? 0 : 1;
    }
    if (key != null) {
      throw new IllegalArgumentException("--key needs --keyspace");
    }
    if (Files.isDirectory(absolute)) {
      return show(new DataDirectory(absolute).reports());
    }
    Path parent = java.util.Objects.requireNonNull(absolute.getParent(), "a file is needed");
    DataDirectory directory = new DataDirectory(parent);
    String name = String.valueOf(absolute.getFileName());
    FileReport report = directory.file(name);
    if (entries) {
      FileHeader header = report.header();
      if (header == null || header.kind() != FileKind.LOG && header.kind() != FileKind.TABLE) {
        throw new IllegalArgumentException("--entries needs a log or a table of a store");
      }
      // Records by keyspace and key come here: a KeyText that knows the record keys.
      Inspection.entries(directory.files(), name, (family, key) -> Inspection.hex(key), System.out);
    }
    return show(List.of(report));
  }

  private int show(List<FileReport> reports) throws IOException {
    if (json) {
      System.out.println(
          reports.stream().map(InspectCommand::json).collect(Collectors.joining(",\n ", "[", "]")));
    } else {
      reports.forEach(report -> print(report, System.out));
      long wrong = reports.stream().filter(report -> !report.problems().isEmpty()).count();
      System.out.printf("%d files, %d with problems%n", reports.size(), wrong);
    }
    return reports.stream().allMatch(report -> report.problems().isEmpty()) ? 0 : 1;
  }

  private static void print(FileReport report, PrintStream out) {
    FileHeader header = report.header();
    out.printf("%s: %d bytes", report.path(), report.bytes());
    if (header != null) {
      out.printf(", %s, format %d", header.kind().noun(), header.format());
      out.printf(", life %s", header.life());
    }
    out.println();
    report.facts().forEach(fact -> out.printf("  %s: %s%n", fact.name(), fact.value()));
    report.problems().forEach(problem -> out.printf("  PROBLEM: %s%n", problem));
  }

  static String json(FileReport report) {
    FileHeader header = report.header();
    StringBuilder out = new StringBuilder("{");
    out.append("\"path\":").append(quoted(report.path()));
    out.append(",\"bytes\":").append(report.bytes());
    if (header != null) {
      out.append(",\"kind\":").append(quoted(header.kind().noun()));
      out.append(",\"format\":").append(header.format());
      out.append(",\"life\":").append(quoted(header.life().toString()));
    }
    out.append(
        report.facts().stream()
            .map(f -> "[%s,%s]".formatted(quoted(f.name()), quoted(f.value())))
            .collect(Collectors.joining(",", ",\"holds\":[", "]")));
    out.append(
        report.problems().stream()
            .map(InspectCommand::quoted)
            .collect(Collectors.joining(",", ",\"problems\":[", "]}")));
    return out.toString();
  }

  private static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    text.chars()
        .forEach(
            c -> {
              if (c == '"' || c == '\\') {
                out.append('\\').append((char) c);
              } else if (c < ' ') {
                out.append("\\u%04x".formatted(c));
              } else {
                out.append((char) c);
              }
            });
    return out.append('"').toString();
  }
}
