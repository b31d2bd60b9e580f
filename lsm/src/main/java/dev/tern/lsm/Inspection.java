package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileHeader;
import dev.tern.env.FileReport;
import dev.tern.env.FileSystem;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.RangeTombstones;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.NamedLog;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.table.BlockLookup;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.OpenTables;
import dev.tern.lsm.table.RunCursor;
import dev.tern.lsm.table.Table;
import dev.tern.lsm.table.TableProperties;
import java.io.IOException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/// Looks at the store's files, for people: reports what each holds and what is wrong with it, and
/// writes nothing. A store that is open changes under the look. Any thread; blocks.
public final class Inspection {
  private static final int SHOWN_BYTES = 48;

  private Inspection() {}

  /// The files of a store: each is looked at, and whether the manifest means it.
  ///
  /// @param directory relative to the root of the files; empty for the root
  /// @throws IOException if the directory cannot be read; a file that cannot is reported
  public static List<FileReport> directory(FileSystem files, String directory) throws IOException {
    TreeMap<String, FileReport> reports = new TreeMap<>();
    for (String name : files.list(directory)) {
      if (name.equals("CURRENT") || StoreFiles.isOurs(name)) {
        reports.put(name, report(files, in(directory, name)));
      }
    }
    try {
      Manifest.Current current = Manifest.current(files, directory);
      if (current == null) {
        reports
            .computeIfAbsent("CURRENT", name -> new FileReport(in(directory, name), 0))
            .problem("it is missing");
        return List.copyOf(reports.values());
      }
      Manifest.State state =
          Manifest.load(files, directory, current, (offset, edit) -> FamilyOptions.check(edit));
      compare(files, directory, current, state, reports);
    } catch (IOException | OutOfMemoryError e) {
      FileReport report = java.util.Objects.requireNonNull(reports.get("CURRENT"));
      report.problem("the store cannot be opened: " + e.getMessage());
    }
    return List.copyOf(reports.values());
  }

  /// A file that cannot be read, a directory under a file's name for instance, or that memory is
  /// too small for, is a problem of its own: the others are looked at all the same.
  private static FileReport report(FileSystem files, String path) {
    try {
      return file(files, path);
    } catch (IOException | RuntimeException | OutOfMemoryError e) {
      return new FileReport(path, 0).problem("it cannot be looked at: " + e);
    }
  }

  private static String in(String directory, String name) {
    return directory.isEmpty() ? name : directory + "/" + name;
  }

  private static void compare(
      FileSystem files,
      String directory,
      Manifest.Current current,
      Manifest.State state,
      Map<String, FileReport> reports)
      throws IOException {
    TreeSet<String> unnamed = new TreeSet<>(reports.keySet());
    unnamed.remove("CURRENT");
    unnamed.remove(current.name());
    for (NamedLog log : state.logs) {
      String path = StoreFiles.logPath(directory, log.number());
      String name = path.substring(path.lastIndexOf('/') + 1);
      unnamed.remove(name);
      FileReport report = reports.computeIfAbsent(name, n -> missing(in(directory, n)));
      report.fact("forced at least", log.forcedBytes());
      FileHeader header = report.header();
      if (header != null && !header.life().equals(log.life())) {
        report.problem(FileHeader.foreign(header.life(), log.life(), "the manifest"));
      }
      if (header != null && report.bytes() < log.forcedBytes()) {
        report.problem("%d bytes of it were forced".formatted(log.forcedBytes()));
      }
    }
    for (Manifest.Family family : state.families) {
      for (int level = 0; level < Levels.COUNT; level++) {
        for (Manifest.Named named : state.level(family.id(), level)) {
          String path = StoreFiles.tablePath(directory, named.number());
          String name = path.substring(path.lastIndexOf('/') + 1);
          unnamed.remove(name);
          FileReport report = reports.computeIfAbsent(name, n -> missing(in(directory, n)));
          report.fact("family", family.name()).fact("level", level);
          compare(files, named, report);
        }
      }
    }
    for (Manifest.Staged staged : state.staged) {
      String path = StoreFiles.tablePath(directory, staged.table().number());
      String name = path.substring(path.lastIndexOf('/') + 1);
      unnamed.remove(name);
      FileReport report = reports.computeIfAbsent(name, n -> missing(in(directory, n)));
      report.fact("family", state.families.get(staged.family()).name());
      report.fact("staged as", staged.label());
      compare(files, staged.table(), report);
    }
    for (String name : unnamed) {
      FileReport report = java.util.Objects.requireNonNull(reports.get(name));
      report.fact("left over", "no manifest names it; the next opening removes it");
    }
  }

  private static FileReport missing(String path) {
    return new FileReport(path, 0).problem("the manifest names it and it is missing");
  }

  private static void compare(FileSystem files, Manifest.Named named, FileReport report)
      throws IOException {
    if (report.header() == null) {
      return;
    }
    try (Opened opened = new Opened(files, report.path())) {
      String problem = named.problem(opened.table);
      if (problem != null) {
        report.problem(problem);
      }
    } catch (IOException e) {
      report.problem(String.valueOf(e.getMessage()));
    }
  }

  /// A file of a store: a log, table, manifest or `CURRENT`. All of it is read.
  ///
  /// @throws IOException if the file cannot be read
  public static FileReport file(FileSystem files, String path) throws IOException {
    if (path.endsWith("CURRENT")) {
      return current(files, path);
    }
    FileReport report = FileReport.of(files, path);
    FileHeader header = report.header();
    try {
      switch (header == null ? null : header.kind()) {
        case LOG -> log(files, path, report);
        case TABLE -> table(files, path, report);
        case MANIFEST -> manifest(files, path, report);
        case null, default -> report.fact("holds", "nothing that a store wrote");
      }
    } catch (CorruptionException | DecodeException e) {
      report.problem(String.valueOf(e.getMessage()));
    }
    return report;
  }

  private static FileReport current(FileSystem files, String path) throws IOException {
    FileReport report = new FileReport(path, files.size(path));
    try {
      byte[] bytes = Manifest.readCurrent(files, path);
      Manifest.Current current = Manifest.decodeCurrent(path, bytes);
      report.fact("names", current.name()).fact("of life", String.valueOf(current.life()));
    } catch (CorruptionException e) {
      report.problem(String.valueOf(e.getMessage()));
    }
    return report;
  }

  private static void log(FileSystem files, String path, FileReport report) throws IOException {
    long[] counts = new long[5];
    BatchEntries entries = new BatchEntries();
    LogFile.Ending ending =
        LogFile.read(
            files,
            path,
            null,
            group -> {
              counts[0]++;
              while (group.remaining() > 0) {
                counts[1]++;
                entries.begin(group);
                while (entries.next()) {
                  counts[2]++;
                  counts[3] = counts[3] == 0 ? entries.sequence : counts[3];
                  counts[4] = entries.sequence;
                }
              }
            });
    report.fact("groups", counts[0]).fact("batches", counts[1]).fact("entries", counts[2]);
    report.fact("sequences", "%d to %d".formatted(counts[3], counts[4]));
    report.fact(
        "ends",
        ending.clean()
            ? "cleanly at %d".formatted(ending.at())
            : "at %d in a torn tail of %d bytes, %d whole chunks among them"
                .formatted(ending.at(), ending.droppedBytes(), ending.droppedChunks()));
  }

  /// A table that is open for a look.
  private static final class Opened implements AutoCloseable {
    final Epochs<BlockLookup> epochs = new Epochs<>(BlockLookup::new);
    final BlockCache cache = new BlockCache(0, epochs);
    final NativeMemory buffers = new NativeMemory();
    final Table table;

    Opened(FileSystem files, String path) throws IOException {
      table = Table.open(new OpenTables(files, cache, buffers, epochs, 1, 0), path, 0);
    }

    @Override
    public void close() throws IOException {
      table.close();
      cache.close();
      buffers.close();
    }
  }

  private static void table(FileSystem files, String path, FileReport report) throws IOException {
    try (Opened opened = new Opened(files, path)) {
      Table table = opened.table;
      TableProperties has = table.properties;
      report.fact("entries", has.entries()).fact("deletes", has.deletes());
      report.fact("range deletes", has.rangeDeletes());
      report.fact("key bytes", has.keyBytes()).fact("value bytes", has.valueBytes());
      report.fact("from key", shown(has.smallest(), 0, has.smallest().length));
      report.fact("up to key", shown(has.upper(), 0, has.upper().length));
      report.fact("sequences", "%d to %d".formatted(has.smallestSequence(), has.largestSequence()));
      report.fact("compression", Compression.values()[has.compression()]);
      report.fact("resident bytes", table.residentBytes());
      table.verify();
    }
  }

  private static void manifest(FileSystem files, String path, FileReport report)
      throws IOException {
    int[] edits = {0};
    Manifest.State state =
        Manifest.decode(
            path,
            Manifest.read(files, path),
            (offset, edit) -> {
              FamilyOptions.check(edit);
              edits[0]++;
            });
    report.fact("edits", edits[0]).fact("next file", state.nextFile);
    report.fact("first log", state.firstLog).fact("flushed sequence", state.flushedSequence);
    for (NamedLog log : state.logs) {
      report.fact(
          "log",
          "%06d.log life %s forced %d".formatted(log.number(), log.life(), log.forcedBytes()));
    }
    for (Manifest.Family family : state.families) {
      report.fact(
          "family", "%d %s %s".formatted(family.id(), family.name(), FamilyOptions.of(family)));
      for (int level = 0; level < Levels.COUNT; level++) {
        for (Manifest.Named table : state.level(family.id(), level)) {
          report.fact("table of level " + level, text(table));
        }
      }
    }
    for (Manifest.Staged staged : state.staged) {
      report.fact(
          "staged as " + staged.label(),
          "family %d, %s".formatted(staged.family(), text(staged.table())));
    }
  }

  private static String text(Manifest.Named table) {
    String text =
        "%06d.table life %s bytes %d checksum %08x"
            .formatted(table.number(), table.life(), table.bytes(), table.crc());
    return table.sequence() == 0 ? text : text + " sequence " + table.sequence();
  }

  /// Puts an entry's key in words.
  public interface KeyText {
    /// @param family the number of the entry's column family, -1 if the file does not say
    String of(int family, byte[] key);
  }

  /// A key in hexadecimal digits.
  public static String hex(byte[] key) {
    return shown(key, 0, key.length);
  }

  /// Prints every entry of a log or a table.
  ///
  /// @throws CorruptionException if the file is damaged
  public static void entries(FileSystem files, String path, KeyText keys, Appendable out)
      throws IOException {
    FileHeader header = FileReport.of(files, path).header();
    switch (header == null ? null : header.kind()) {
      case LOG -> logEntries(files, path, keys, out);
      case TABLE -> tableEntries(files, path, keys, out);
      case null, default -> out.append("no entries\n");
    }
  }

  private static void logEntries(FileSystem files, String path, KeyText keys, Appendable out)
      throws IOException {
    IOException[] failure = {null};
    LogFile.read(
        files,
        path,
        null,
        entry -> {
          try {
            entry(entry, keys, out);
          } catch (IOException e) {
            failure[0] = e;
          }
        });
    if (failure[0] != null) {
      throw failure[0];
    }
  }

  private static void entry(ByteReader entry, KeyText keys, Appendable out) throws IOException {
    StringBuilder text = new StringBuilder("group\n");
    BatchEntries entries = new BatchEntries();
    while (entry.remaining() > 0) {
      text.append(" batch\n");
      entries.begin(entry);
      while (entries.next()) {
        text.append(
            "  %d %s family %d key %s value of %d bytes%n"
                .formatted(
                    entries.sequence,
                    Kind.name(entries.kind),
                    entries.family,
                    keys.of(entries.family, entries.key()),
                    entries.valueLength));
      }
    }
    out.append(text);
  }

  private static void tableEntries(FileSystem files, String path, KeyText keys, Appendable out)
      throws IOException {
    try (Opened opened = new Opened(files, path)) {
      Table table = opened.table;
      RunCursor cursor = new RunCursor(opened.epochs, new Table[] {table}, false);
      for (cursor.seek(null); cursor.valid; cursor.next()) {
        out.append(
            "  %d %s key %s value of %d bytes%n"
                .formatted(
                    cursor.sequence,
                    Kind.name(cursor.kind),
                    keys.of(-1, cursor.keyCopy()),
                    cursor.valueLength()));
      }
      cursor.close();
      for (RangeTombstones.Range range : table.tombstones.ranges()) {
        out.append(
            "  %d range delete from %s to %s%n"
                .formatted(range.sequence(), keys.of(-1, range.from()), keys.of(-1, range.to())));
      }
    }
  }

  private static String shown(byte[] array, int offset, int length) {
    String hex = HexFormat.of().formatHex(array, offset, offset + Math.min(length, SHOWN_BYTES));
    return length > SHOWN_BYTES ? hex + "..." : hex;
  }
}
