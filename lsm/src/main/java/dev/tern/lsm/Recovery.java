package dev.tern.lsm;

import dev.tern.env.FileSystem;
import dev.tern.lsm.file.CorruptionException;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.LogNames;
import dev.tern.lsm.log.NamedLog;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.read.ReadState;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// Opens the tables the manifest names and replays the logs behind them: after it, the store is as
/// if it had been closed cleanly.
///
/// The entries replayed are a prefix of those written: replay ends at the first sequence that is
/// missing, in whichever log. If a log behind the hole knows that it was forced, then so was what
/// is missing, and that is corruption. So is a log that the manifest names and that is missing,
/// shorter than the manifest knows, or of another life. No other log counts.
///
/// What was replayed is written to tables. Where that fails, because the disk is full for instance,
/// it stays in the memtables, its logs stay too, and the store has no log: it can be read, and
/// writes are refused until there is room for those tables. No write ever relies on a log of an
/// earlier opening, whose fsync may have failed. Compactions begin at once, so a store that is
/// opened often does not become one of many small tables.
///
/// @param losses what the logs held behind their ends
record Recovery(
    Tables tables, ReadState state, long lastSequence, LogFile.Writer log, List<LogLoss> losses) {
  /// Told what was found before anything is written.
  interface Found {
    void found(Recovery recovery) throws IOException;
  }

  /// @param readOnly nothing is written: what is replayed stays in memory
  /// @param told unless there is no store yet; may refuse it
  static Recovery run(Tools tools, boolean readOnly, Found told) throws IOException {
    FileSystem files = tools.files();
    String directory = tools.directory();
    Manifest.Current named = Manifest.current(files, directory);
    String current = named == null ? null : named.name();
    Manifest.State manifest =
        named == null
            ? new Manifest.State()
            : Manifest.load(files, directory, named, (offset, edit) -> FamilyOptions.check(edit));
    if (current == null) {
      refuseForeign(files, directory);
      if (readOnly) {
        throw new IOException("there is no store in " + directory);
      }
    }
    LogNames names = new LogNames(manifest.logs, tools.lives());
    Tables tables = new Tables(tools, nextNumber(files, directory, manifest), names);
    ReadState.@Nullable Family[] families = tables.load(manifest);
    Recovery made = null;
    try {
      Replay replay = new Replay(tools, manifest, families);
      long last = replay.run();
      ReadState state = new ReadState(families, manifest.flushedSequence);
      manifest.logs.stream()
          .map(NamedLog::number)
          .filter(number -> !replay.replayed.contains(number))
          .forEach(names::voided);
      List<LogLoss> losses = List.copyOf(replay.losses);
      LogFile.Writer log = LogFile.Writer.missing("the store is open read-only");
      if (current != null) {
        told.found(new Recovery(tables, state, last, log, losses));
      }
      Set<Long> done = archivable(tools, manifest, replay);
      log = readOnly ? log : newLog(tools, tables, replay, current, done);
      made = new Recovery(tables, state, last, log, losses);
      made = readOnly ? made : made.settled(tools, current, done);
      tables.holders.retain(made.state);
      return made;
    } catch (IOException | RuntimeException | Error e) {
      tables.abandonAll();
      tables.close();
      if (made != null) {
        made.log.close();
      }
      throw e;
    }
  }

  /// The logs that an archive may not have taken yet: those that were replayed, and those before
  /// them whose entries are in tables.
  private static Set<Long> archivable(Tools tools, Manifest.State manifest, Replay replay)
      throws IOException {
    Set<Long> found = new TreeSet<>();
    if (tools.options().archive() != LogArchive.NONE
        && !tools.planted(LsmBug.REPLAYED_LOGS_NOT_ARCHIVED)) {
      found.addAll(replay.replayed);
      for (long number : StoreFiles.logs(tools.files(), tools.directory())) {
        String path = StoreFiles.logPath(tools.directory(), number);
        if (number < manifest.firstLog && LogFile.isBegun(tools.files(), path)) {
          found.add(number);
        }
      }
    }
    return found;
  }

  /// @param done logs that stay for an archive
  private static LogFile.Writer newLog(
      Tools tools, Tables tables, Replay replay, @Nullable String current, Set<Long> done)
      throws IOException {
    FileSystem files = tools.files();
    String directory = tools.directory();
    // What is relied on from here on was perhaps read from a cache that a power cut empties.
    for (long number : replay.replayed) {
      files.force(StoreFiles.logPath(directory, number));
    }
    boolean isNamedAnew = current != null && isNamedAnew(tools, tables, current);
    files.forceDirectory(directory);
    Predicate<String> named = tables.named(current);
    removeUnnamed(
        files,
        directory,
        tools.planted(LsmBug.FOREIGN_FILES_DELETED),
        name ->
            name.endsWith(".log")
                ? done.contains(number(name))
                    || (isNamedAnew
                        ? replay.replayed.contains(number(name))
                        : replay.isNamed(number(name)))
                : named.test(name));
    files.forceDirectory(directory);
    if (!tools.options().hasLog()) {
      return LogFile.Writer.nowhere(tables.newNumber());
    }
    try {
      return WriteLog.create(files, directory, tables.logs, tables.newNumber());
    } catch (IOException e) {
      if (current == null) {
        throw e;
      }
      return LogFile.Writer.missing(String.valueOf(e.getMessage()));
    }
  }

  /// Writes the state to a new manifest before anything is deleted that it does not name: an fsync
  /// of the one that was found says nothing if an earlier fsync of it failed. The new one does not
  /// name logs behind a hole, so that they go while they count as never written. False if there is
  /// no room for it: then what the one that was found does not name makes room.
  private static boolean isNamedAnew(Tools tools, Tables tables, String current)
      throws IOException {
    try {
      tables.nameAnew();
      return true;
    } catch (IOException e) {
      tools.files().force(tools.directory() + "/" + current);
      return false;
    }
  }

  /// What was replayed in tables, if that can be done; else as it is, and without a log: what is
  /// written behind it must not be more durable than it.
  private Recovery settled(Tools tools, @Nullable String current, Set<Long> done)
      throws IOException {
    if (log.isMissing()) {
      return this;
    }
    ReadState flushed;
    try {
      flushed = new Flushes(tools, tables).recovered(state, lastSequence, log.number);
    } catch (IOException e) {
      if (current == null) {
        throw e;
      }
      log.close();
      LogFile.Writer none = LogFile.Writer.missing(String.valueOf(e.getMessage()));
      return new Recovery(tables, state, lastSequence, none, losses);
    }
    Recovery settled = new Recovery(tables, flushed, lastSequence, log, losses);
    try {
      Predicate<String> named = tables.named(current);
      removeUnnamed(
          tools.files(),
          tools.directory(),
          false,
          name -> named.test(name) || name.endsWith(".log") && done.contains(number(name)));
    } catch (IOException e) {
      // The tables are named: what is left over goes at the next opening.
      return settled;
    }
    return settled;
  }

  private static long number(String log) {
    return Long.parseLong(log.substring(0, log.length() - ".log".length()));
  }

  /// Without a manifest there can be no table and no entry of a log: `CURRENT` is durable before
  /// the first of them.
  private static void refuseForeign(FileSystem files, String directory) throws IOException {
    boolean tables = !StoreFiles.tables(files, directory).isEmpty();
    boolean logs = false;
    for (long number : StoreFiles.logs(files, directory)) {
      logs |= LogFile.isBegun(files, StoreFiles.logPath(directory, number));
    }
    if (tables || logs) {
      throw new CorruptionException(
          directory + "/CURRENT", 0, "it is missing, and tables or logs are here");
    }
  }

  /// Numbers have twelve digits at the most. A file with a higher one than this has it from
  /// somebody else: if no manifest names it, it goes before a file is made, and no number follows
  /// it.
  private static final long MOST_NUMBER = 99_999_999_999L;

  private static long nextNumber(FileSystem files, String directory, Manifest.State manifest)
      throws IOException {
    long next = manifest.nextFile;
    for (String name : files.list(directory)) {
      long number = StoreFiles.isOurs(name) ? Long.parseLong(name.replaceAll("\\D", "")) : 0;
      if (number <= MOST_NUMBER) {
        next = Math.max(next, number + 1);
      }
    }
    return next;
  }

  /// @param foreign a planted mistake
  private static void removeUnnamed(
      FileSystem files, String directory, boolean foreign, Predicate<String> kept)
      throws IOException {
    for (String name : files.list(directory)) {
      boolean planted = foreign && name.startsWith("MANIFEST.");
      if (planted || StoreFiles.isOurs(name) && !kept.test(name)) {
        removeUnnamed(files, directory + "/" + name);
      }
    }
  }

  private static void removeUnnamed(FileSystem files, String path) {
    try {
      files.delete(path);
    } catch (IOException e) {
      // A directory of that name, for instance. It counts as nothing, and no new file gets its
      // name.
      return;
    }
  }
}
