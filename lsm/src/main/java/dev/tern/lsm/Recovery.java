package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Opens the tables the manifest names and replays the logs behind them: after it, the store is as
/// if it had been closed cleanly.
///
/// The entries replayed are a prefix of those written: replay ends at the first sequence that is
/// missing, in whichever log. If a log behind the hole knows that it was forced, then so was what
/// is missing, and that is corruption. The first log is there always: its name is durable before a
/// manifest names it.
///
/// What was replayed is written to tables. Where that fails, because the disk is full for instance,
/// it stays in the memtables, its logs stay too, and so does a store without a log that could be
/// made: it can be read, and writes are refused until there is room. Compactions begin at once, so
/// a store that is opened often does not become one of many small tables.
record Recovery(Tables tables, ReadState state, long lastSequence, LogFile.Writer log) {
  static String logPath(String directory, long number) {
    return "%s/%06d.log".formatted(directory, number);
  }

  static String tablePath(String directory, long number) {
    return "%s/%06d.table".formatted(directory, number);
  }

  /// @param readOnly nothing is written: what is replayed stays in memory
  static Recovery run(Tables.Tools tools, boolean readOnly) throws IOException {
    FileSystem files = tools.files();
    String directory = tools.directory();
    String current = Manifest.current(files, directory);
    Manifest.State manifest =
        current == null
            ? new Manifest.State()
            : Manifest.load(files, directory + "/" + current, (offset, edit) -> {});
    List<Long> logs = numbers(files, directory, ".log");
    if (current == null) {
      refuseForeign(directory, numbers(files, directory, ".table"));
    }
    if (current != null && !logs.contains(manifest.firstLog)) {
      throw new CorruptionException(
          logPath(directory, manifest.firstLog),
          0,
          "the manifest names this log and it is missing");
    }
    Tables tables = new Tables(tools, nextNumber(files, directory, manifest));
    ReadState.@Nullable Family[] families = tables.load(manifest);
    Recovery made = null;
    try {
      List<Long> replayed = new ArrayList<>();
      long last = replay(files, directory, manifest, logs, families, replayed);
      ReadState state = new ReadState(tables, families, manifest.flushedSequence);
      made =
          readOnly
              ? new Recovery(tables, state, last, missing("the store is open read-only"))
              : writable(tools, tables, state, last, replayed, current);
      tables.retain(made.state);
      return made;
    } catch (IOException | RuntimeException | Error e) {
      tables.abandonAll();
      tables.close();
      if (made != null) {
        made.log.file.close();
      }
      throw e;
    }
  }

  private static LogFile.Writer missing(String why) {
    return new LogFile.Writer(0, new NoFile(why));
  }

  /// @param replayed the logs that hold what was replayed, or are empty
  private static Recovery writable(
      Tables.Tools tools,
      Tables tables,
      ReadState state,
      long last,
      List<Long> replayed,
      @Nullable String current)
      throws IOException {
    FileSystem files = tools.files();
    String directory = tools.directory();
    // What is relied on from here on was perhaps read from a cache that a power cut empties.
    if (current != null) {
      files.force(directory + "/" + current);
    }
    for (long number : replayed) {
      files.force(logPath(directory, number));
    }
    files.forceDirectory(directory);
    removeUnnamed(files, directory, name -> isKept(name, tables, replayed, current));
    files.forceDirectory(directory);
    LogFile.Writer log;
    try {
      log = WriteLog.create(files, directory, tables.newNumber());
    } catch (IOException e) {
      if (current == null) {
        throw e;
      }
      return new Recovery(tables, state, last, missing(String.valueOf(e.getMessage())));
    }
    try {
      return new Recovery(tables, settled(tools, tables, state, last, log, current), last, log);
    } catch (IOException | RuntimeException | Error e) {
      log.file.close();
      throw e;
    }
  }

  private static boolean isKept(
      String name, Tables tables, List<Long> replayed, @Nullable String current) {
    boolean dropped =
        name.endsWith(".log")
            && !replayed.contains(Long.parseLong(name.substring(0, name.length() - 4)));
    return !dropped && tables.isNamed(name, current);
  }

  /// What readers see: what was replayed, in tables, if that can be done. Left in the logs that it
  /// came from it would rely on a force of these: where one has failed before this opening, the
  /// next succeeds without writing what the cache had lost.
  private static ReadState settled(
      Tables.Tools tools,
      Tables tables,
      ReadState state,
      long last,
      LogFile.Writer log,
      @Nullable String current)
      throws IOException {
    try {
      ReadState flushed = tables.recovered(state, last, log.number);
      removeUnnamed(tools.files(), tools.directory(), name -> tables.isNamed(name, current));
      return flushed;
    } catch (IOException e) {
      if (current == null) {
        throw e;
      }
      return state;
    }
  }

  /// Without a manifest there can be no table: `CURRENT` is durable before the first one.
  private static void refuseForeign(String directory, List<Long> tables)
      throws CorruptionException {
    if (!tables.isEmpty()) {
      throw new CorruptionException(
          directory + "/CURRENT", 0, "it is missing, and tables are here");
    }
  }

  private static long nextNumber(FileSystem files, String directory, Manifest.State manifest)
      throws IOException {
    long next = manifest.nextFile;
    for (String suffix : List.of(".log", ".table")) {
      for (long number : numbers(files, directory, suffix)) {
        next = Math.max(next, number + 1);
      }
    }
    for (String name : files.list(directory)) {
      if (name.matches("MANIFEST-\\d{6,12}")) {
        next = Math.max(next, Long.parseLong(name.substring(9)) + 1);
      }
    }
    return next;
  }

  /// The numbers of the logs of a directory, in order.
  static List<Long> logs(FileSystem files, String directory) throws IOException {
    return numbers(files, directory, ".log");
  }

  private static List<Long> numbers(FileSystem files, String directory, String suffix)
      throws IOException {
    List<Long> numbers = new ArrayList<>();
    for (String name : files.list(directory)) {
      if (name.endsWith(suffix) && name.matches("\\d{6,12}\\.[a-z]+")) {
        numbers.add(Long.parseLong(name.substring(0, name.length() - suffix.length())));
      }
    }
    numbers.sort(null);
    return numbers;
  }

  private static long replay(
      FileSystem files,
      String directory,
      Manifest.State manifest,
      List<Long> logs,
      ReadState.@Nullable Family[] families,
      List<Long> replayed)
      throws IOException {
    long[] last = {manifest.flushedSequence};
    boolean[] hole = {false};
    String before = logPath(directory, manifest.firstLog);
    long endBefore = 0;
    for (long number : logs) {
      if (number < manifest.firstLog) {
        continue;
      }
      String path = logPath(directory, number);
      boolean whole = !hole[0];
      LogFile.Ending ending;
      try {
        ending =
            LogFile.read(
                files,
                path,
                number,
                entry -> {
                  while (entry.remaining() > 0 && !hole[0]) {
                    long next = replay(entry, last[0], manifest.flushedSequence, families);
                    hole[0] = next < 0;
                    last[0] = Math.max(last[0], next - 1);
                  }
                });
      } catch (DecodeException e) {
        throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
      }
      if (hole[0] && ending.synced()) {
        throw new CorruptionException(
            before,
            endBefore,
            "%s was forced and goes on after sequence %d".formatted(path, last[0]));
      }
      if (whole && !hole[0]) {
        before = path;
        endBefore = ending.at();
        replayed.add(number);
      }
    }
    return last[0];
  }

  /// Replays one batch; the sequence after it, -1 if some are missing before it.
  private static long replay(
      ByteReader in, long last, long flushed, ReadState.@Nullable Family[] families) {
    long first = new ByteReader(in.array(), in.position(), in.remaining()).readLong();
    if (first > last + 1) {
      return -1;
    }
    WriteBatch.Entries entries = new WriteBatch.Entries();
    entries.begin(in);
    while (entries.next()) {
      int family = entries.family;
      ReadState.Family target = family >= 0 && family < families.length ? families[family] : null;
      if (target == null) {
        throw new DecodeException("an entry of column family " + family);
      }
      if (entries.sequence > flushed) {
        target.active().apply(entries);
      }
    }
    return entries.sequence + 1;
  }

  /// Whether a file of that name can be one of a store; no other is ever removed.
  static boolean isOurs(String name) {
    return name.matches("\\d{6,12}\\.(log|table)|MANIFEST-\\d{6,12}");
  }

  private static void removeUnnamed(
      FileSystem files, String directory, java.util.function.Predicate<String> kept)
      throws IOException {
    for (String name : files.list(directory)) {
      if (isOurs(name) && !kept.test(name)) {
        files.delete(directory + "/" + name);
      }
    }
  }
}
