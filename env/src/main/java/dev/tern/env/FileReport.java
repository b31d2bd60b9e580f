package dev.tern.env;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What an inspection found in a file. Nothing is written; one thread.
public final class FileReport {
  /// One thing that a file says.
  ///
  /// @param name what it is, in words
  /// @param value how much, or which
  public record Fact(String name, String value) {}

  private final String path;
  private final long bytes;
  private final List<Fact> facts = new ArrayList<>();
  private final List<String> problems = new ArrayList<>();
  private @Nullable FileHeader header;

  /// Of a file of that length.
  public FileReport(String path, long bytes) {
    this.path = path;
    this.bytes = bytes;
  }

  /// Begins with the header at the start of a file: a problem if there is none.
  ///
  /// @throws java.io.IOException if the file cannot be read
  public static FileReport of(FileSystem files, String path) throws java.io.IOException {
    try (FileSystem.ReadableFile file = files.open(path)) {
      FileReport report = new FileReport(path, file.size());
      java.nio.ByteBuffer lead = java.nio.ByteBuffer.allocate(FileHeader.BYTES);
      while (lead.hasRemaining() && file.read(lead.position(), lead) > 0) {
        // Until all is there.
      }
      try {
        FileHeader found = FileHeader.decode(lead.array(), lead.position());
        report.header = found;
        if (found.format() != found.kind().format()) {
          report.problem(FileHeader.refusal(found.kind(), found.format()));
        }
      } catch (DecodeException e) {
        report.problem(String.valueOf(e.getMessage()));
      }
      return report;
    }
  }

  /// Adds what the file says.
  public FileReport fact(String name, Object value) {
    facts.add(new Fact(name, String.valueOf(value)));
    return this;
  }

  /// Adds what is wrong with the file.
  public FileReport problem(String what) {
    problems.add(what);
    return this;
  }

  /// Where the file lies.
  public String path() {
    return path;
  }

  /// How long the file is.
  public long bytes() {
    return bytes;
  }

  /// The file's header, null if there is none or it is damaged.
  public @Nullable FileHeader header() {
    return header;
  }

  /// What the file says, in order.
  public List<Fact> facts() {
    return List.copyOf(facts);
  }

  /// What is wrong with the file; empty if nothing is.
  public List<String> problems() {
    return List.copyOf(problems);
  }
}
