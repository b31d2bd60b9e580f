package dev.tern.cli;

import static java.nio.file.LinkOption.NOFOLLOW_LINKS;

import dev.tern.core.store.StoreLabel;
import dev.tern.core.topology.TopologyCodec;
import dev.tern.core.topology.TopologyState;
import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileReport;
import dev.tern.env.FileSystem;
import dev.tern.env.SmallFile;
import dev.tern.lsm.Inspection;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmOptions;
import dev.tern.runtime.DirectoryFileSystem;
import dev.tern.runtime.SystemClock;
import dev.tern.runtime.Workers;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// The files of a node's data directory, or of a part of it, looked at one by one and as they
/// belong together. Writes nothing.
final class DataDirectory {
  private static final String KNOWN = "topology/known";
  private static final String MANIFEST = "MANIFEST-\\d{6,12}";

  private final Path root;
  private final FileSystem files;

  DataDirectory(Path given) throws IOException {
    // A link is followed: what it leads to is meant.
    this.root = given.toRealPath();
    this.files = DirectoryFileSystem.forReading(root);
  }

  FileSystem files() {
    return files;
  }

  /// All files of all directories; what is wrong with a directory is told of a report of its own.
  List<FileReport> reports() throws IOException {
    List<FileReport> reports = new ArrayList<>();
    walk(root, reports);
    if (reports.isEmpty()) {
      reports.add(problem(".", "there is no file here: no node or store has written to it"));
    }
    boolean isNodes = Files.isDirectory(root.resolve("topology"));
    if (isNodes && !Files.exists(root.resolve("shard-0/CURRENT"))) {
      reports.add(
          problem("shard-0", "there is no store: a node that is started here holds nothing"));
    }
    together(reports);
    return reports;
  }

  /// What is wrong with the parts of a node's directory beside each other: a store that another one
  /// says should be there, and a topology that is missing or is not the stores'.
  private void together(List<FileReport> reports) throws IOException {
    TreeMap<String, StoreLabel> labels = new TreeMap<>();
    for (String store : files.list("")) {
      if (store.matches("shard-\\d{1,3}") && files.exists(store + "/CURRENT")) {
        StoreLabel label = label(store);
        if (label != null) {
          labels.put(store, label);
        }
      }
    }
    if (labels.isEmpty()) {
      return;
    }
    int shards = labels.values().stream().mapToInt(StoreLabel::shards).max().orElse(0);
    for (int shard = 0; shard < shards; shard++) {
      String store = "shard-" + shard;
      if (!files.exists(store + "/CURRENT")) {
        reports.add(
            problem(
                store,
                "there is no store, and %s says that the node has %d shards: restore the whole directory"
                    .formatted(labels.firstKey(), shards)));
      }
    }
    if (!files.exists(KNOWN)) {
      reports.add(
          problem(
              KNOWN,
              "it is missing, and %s is a node's: restore the whole directory"
                  .formatted(labels.firstKey())));
      return;
    }
    TopologyState known = known();
    if (known != null) {
      labels.forEach((store, label) -> compare(store, label, known, reports));
    }
  }

  private static void compare(
      String store, StoreLabel label, TopologyState known, List<FileReport> reports) {
    if (!label.cluster().known()) {
      return;
    }
    if (!known.cluster().equals(label.cluster())) {
      reports.add(
          problem(
              KNOWN,
              "it is of cluster %s, and %s belongs to node %d of cluster %s"
                  .formatted(known.cluster(), store, label.member(), label.cluster())));
    } else if (known.member(label.member()) == null) {
      reports.add(
          problem(
              KNOWN,
              "it knows no member %d, which %s belongs to: it is older than the store, or the member was removed"
                  .formatted(label.member(), store)));
    }
  }

  /// Null if it cannot be read, which is a problem of its own.
  private @Nullable TopologyState known() throws IOException {
    try {
      byte[] bytes = SmallFile.load(files, KNOWN, FileKind.KNOWN_TOPOLOGY);
      return bytes == null ? null : TopologyCodec.state(new ByteReader(bytes));
    } catch (DecodeException e) {
      return null;
    }
  }

  /// What a store says of its node; null if it cannot be opened, which is a problem of its own.
  private @Nullable StoreLabel label(String store) {
    try (Workers workers = new Workers(1);
        Lsm lsm = Lsm.openReadOnly(files, workers, new SystemClock(), store, LsmOptions.DEFAULT)) {
      return StoreLabel.of(lsm, Integer.parseInt(store.substring("shard-".length())));
    } catch (IOException e) {
      return null;
    }
  }

  private void walk(Path at, List<FileReport> reports) throws IOException {
    String name = root.relativize(at).toString();
    List<Path> directories;
    try (Stream<Path> all = Files.list(at)) {
      directories = all.filter(each -> Files.isDirectory(each, NOFOLLOW_LINKS)).sorted().toList();
    } catch (AccessDeniedException e) {
      reports.add(problem(name, "it may not be read by this user: " + e.getMessage()));
      return;
    }
    directory(name, reports);
    for (Path directory : directories) {
      walk(directory, reports);
    }
  }

  private static FileReport problem(String path, String what) {
    return new FileReport(path, 0).problem(what);
  }

  private void directory(String directory, List<FileReport> reports) throws IOException {
    boolean store = false;
    boolean log = false;
    List<String> names = files.list(directory);
    List<String> others = new ArrayList<>();
    if (!names.contains("CURRENT") && names.stream().anyMatch(each -> each.matches(MANIFEST))) {
      reports.add(problem(directory, "CURRENT is missing: the store would be opened as a new one"));
    }
    for (String name : names) {
      String path = directory.isEmpty() ? name : directory + "/" + name;
      boolean isStores = name.equals("CURRENT") || name.matches("\\d{6,12}\\.(log|table)");
      store |= isStores;
      log |= name.endsWith(".raftlog");
      boolean isElse = !isStores && !name.equals("LOCK") && !name.matches(MANIFEST);
      if (isElse && Files.isRegularFile(root.resolve(path))) {
        others.add(path);
      }
    }
    if (store) {
      reports.addAll(Inspection.directory(files, directory));
    }
    for (String path : others) {
      reports.add(file(path));
    }
    String problem = log ? dev.tern.raft.log.Inspection.log(files, directory) : null;
    if (problem != null) {
      reports.add(problem(directory, "the log cannot be opened: " + problem));
    }
  }

  /// A file, by what it begins with; that its name says something else is a problem.
  FileReport file(String path) throws IOException {
    FileReport report = byContent(path);
    FileHeader header = report.header();
    FileKind named = named(path.substring(path.lastIndexOf('/') + 1));
    if (header != null && named != null && header.kind() != named) {
      report.problem("its name is that of a file of another kind: " + named.noun());
    }
    return report;
  }

  /// The kind that files of a name are of; null if the name says nothing.
  private static @Nullable FileKind named(String name) {
    return switch (name.substring(name.lastIndexOf('.') + 1)) {
      case "log" -> FileKind.LOG;
      case "table" -> FileKind.TABLE;
      case "raftlog" -> FileKind.RAFT_SEGMENT;
      case "snapshot" -> FileKind.SNAPSHOT;
      case "known" -> FileKind.KNOWN_TOPOLOGY;
      case "forgetful" -> FileKind.FORGETFUL;
      case "generation" -> FileKind.GENERATION;
      default -> name.matches(MANIFEST) ? FileKind.MANIFEST : null;
    };
  }

  private FileReport byContent(String path) throws IOException {
    FileHeader header = path.endsWith("CURRENT") ? null : FileReport.of(files, path).header();
    if (header == null) {
      boolean unfinished = path.matches(".*\\.(new|tmp|partial|own)");
      FileReport report =
          path.endsWith("CURRENT") ? Inspection.file(files, path) : FileReport.of(files, path);
      return unfinished ? report.fact("left over", "it was not finished") : report;
    }
    return switch (header.kind()) {
      case LOG, TABLE, MANIFEST -> Inspection.file(files, path);
      case RAFT_SEGMENT -> dev.tern.raft.log.Inspection.segment(files, path);
      case SNAPSHOT ->
          dev.tern.raft.log.Inspection.snapshot(
              files, path, (snapshot, report) -> topology(new ByteReader(snapshot), report));
      case KNOWN_TOPOLOGY, FORGETFUL, GENERATION -> small(header, path);
    };
  }

  private FileReport small(FileHeader header, String path) throws IOException {
    FileReport report = FileReport.of(files, path);
    if (!report.problems().isEmpty()) {
      return report;
    }
    try {
      byte[] bytes = SmallFile.load(files, path, header.kind());
      ByteReader in = new ByteReader(bytes == null ? new byte[0] : bytes);
      switch (header.kind()) {
        case KNOWN_TOPOLOGY -> topology(in, report);
        case GENERATION -> report.fact("starts", in.readLong());
        default -> report.fact("drawn", in.readLong());
      }
      in.expectEnd();
    } catch (DecodeException e) {
      report.problem(String.valueOf(e.getMessage()));
    }
    return report;
  }

  /// Snapshots of the topology log and `topology/known` hold a state each.
  private static void topology(ByteReader in, FileReport report) {
    TopologyState state = TopologyCodec.state(in);
    report.fact("cluster", state.cluster()).fact("epoch", state.epoch());
    report.fact("members", state.members().size());
  }
}
