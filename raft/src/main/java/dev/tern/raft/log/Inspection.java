package dev.tern.raft.log;

import dev.tern.env.DecodeException;
import dev.tern.env.FileReport;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// Looks at the files of Raft groups, for people: reports what each holds and what is wrong with
/// it, and writes nothing. Any thread; blocks.
public final class Inspection {
  private Inspection() {}

  /// A segment of a log.
  ///
  /// @throws IOException if the file cannot be read
  public static FileReport segment(FileSystem files, String path) throws IOException {
    FileReport report = FileReport.of(files, path);
    if (!report.problems().isEmpty()) {
      return report;
    }
    try {
      byte[] bytes = Segment.readAll(files, path);
      Segment.Start start = Segment.start(path, bytes);
      if (start == null) {
        return report.fact("holds", "nothing: it was never completely begun");
      }
      LogRecord.Header header = start.header();
      report.fact("log", header.log()).fact("first segment needed", header.firstNeeded());
      if (header.before() > 0) {
        report.fact(
            "goes on from",
            "segment %d, life %s, at %d"
                .formatted(header.before(), header.lifeBefore(), header.bytesBefore()));
      }
      groups(path, bytes, start, report);
    } catch (RaftLogException e) {
      report.problem(String.valueOf(e.getMessage()));
    }
    return report;
  }

  private static void groups(String path, byte[] bytes, Segment.Start start, FileReport report)
      throws RaftLogException {
    TreeMap<Integer, long[]> entries = new TreeMap<>();
    int[] writes = {0};
    int end =
        Segment.read(
            path,
            bytes,
            start.life(),
            -1,
            record -> {
              if (record instanceof LogRecord.Write write) {
                writes[0]++;
                if (!write.entries().isEmpty()) {
                  long[] range = entries.computeIfAbsent(write.group(), g -> new long[3]);
                  range[0] += write.entries().size();
                  long first = write.entries().getFirst().index();
                  range[1] = range[1] == 0 ? first : Math.min(range[1], first);
                  range[2] = Math.max(range[2], write.entries().getLast().index());
                }
              }
            });
    report.fact("groups at its start", start.header().checkpoint().size());
    report.fact("writes", writes[0]);
    entries.forEach(
        (group, range) ->
            report.fact(
                "group " + group,
                "%d entries, index %d to %d".formatted(range[0], range[1], range[2])));
    report.fact(
        "ends",
        end == bytes.length
            ? "at " + end
            : "at %d in a torn tail of %d bytes".formatted(end, bytes.length - end));
  }

  /// Reads what the state machine wrote in a snapshot.
  public interface Content {
    /// Adds what the bytes say.
    ///
    /// @throws DecodeException if they cannot be read
    void read(byte[] snapshot, FileReport report);
  }

  /// A snapshot.
  ///
  /// @param content of it; not asked if the file is not what was written
  /// @throws IOException if the file cannot be read
  public static FileReport snapshot(FileSystem files, String path, Content content)
      throws IOException {
    FileReport report = FileReport.of(files, path);
    if (!report.problems().isEmpty()) {
      return report;
    }
    try (FileSystem.ReadableFile file = files.open(path)) {
      SnapshotFiles.Lead lead = SnapshotFiles.verify(file, path);
      report.fact("group", lead.group()).fact("index", lead.index()).fact("term", lead.term());
      String name = "g%d-%d-%d.snapshot".formatted(lead.group(), lead.index(), lead.term());
      if (!path.endsWith(name)) {
        report.problem("another snapshot under this name: it is " + name);
      }
      content.read(SnapshotFiles.content(file, path), report);
    } catch (RaftLogException | DecodeException e) {
      report.problem(String.valueOf(e.getMessage()));
    }
    return report;
  }

  /// Why the log of a directory cannot be opened, null if it can.
  ///
  /// @throws IOException if a file cannot be read
  public static @Nullable String log(FileSystem files, String directory) throws IOException {
    try {
      Recovery.look(files, directory, new TreeMap<>(), new TreeMap<>());
      return null;
    } catch (RaftLogException e) {
      return e.getMessage();
    }
  }
}
