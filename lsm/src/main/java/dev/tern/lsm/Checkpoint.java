package dev.tern.lsm;

import dev.tern.env.CoverageMarks;
import dev.tern.env.FileSystem;
import dev.tern.lsm.file.StoreFiles;
import dev.tern.lsm.log.NamedLog;
import dev.tern.lsm.manifest.Manifest;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;

/// Copies a store while it is used: tables, which never change, get a second name; the logs behind
/// them are copied; a manifest of its own names both. Copies keep the lives of their files, as
/// nothing is ever written to them again.
final class Checkpoint {
  private static final int COPY_BYTES = 1 << 20;

  private Checkpoint() {}

  static void make(Lsm lsm, Tools tools, String path) throws IOException {
    FileSystem files = tools.files();
    files.createDirectories(path);
    if (!files.list(path).isEmpty()) {
      throw new IOException("a checkpoint needs an empty directory, and " + path + " is not");
    }
    if (tools.options().hasLog()) {
      lsm.flushLog();
      lsm.syncLog();
    } else {
      lsm.flush();
    }
    assert !lsm.busy() || CoverageMarks.reach(LsmMark.CHECKPOINT_BESIDE_JOB);
    List<String> made = new ArrayList<>();
    try {
      lsm.tables.frozen((whole, tables) -> copy(lsm, tools, path, whole, tables, made));
      StoreDirectory.forceAbove(files, path);
    } catch (IOException | RuntimeException | Error e) {
      remove(files, made, e);
      throw e;
    }
  }

  /// @param made gets the files that the directory may have now, the first to be made first
  private static void copy(
      Lsm lsm, Tools tools, String path, Manifest.Edit whole, List<Table> tables, List<String> made)
      throws IOException {
    FileSystem files = tools.files();
    // Not those that follow while this one is copied: they would begin behind a hole.
    SortedMap<Long, Long> extents = lsm.log().extents();
    long lastLog = extents.lastKey();
    if (lastLog == 0 && tools.options().hasLog()) {
      throw new IOException("the store has no log to copy: its disk is full");
    }
    for (Table table : tables) {
      made.add(StoreFiles.tablePath(path, table.number));
      files.link(table.path, made.getLast());
    }
    List<NamedLog> logs =
        tools.planted(LsmBug.CHECKPOINT_WITHOUT_LOG)
            ? List.of()
            : whole.logs().stream().filter(log -> log.number() <= lastLog).toList();
    for (NamedLog log : logs) {
      made.add(StoreFiles.logPath(path, log.number()));
      copy(
          files,
          StoreFiles.logPath(tools.directory(), log.number()),
          made.getLast(),
          extents.getOrDefault(log.number(), Long.MAX_VALUE));
    }
    made.add(Manifest.path(path, whole.nextFile()));
    made.add(path + "/CURRENT.tmp");
    made.add(path + "/CURRENT");
    Manifest manifest = new Manifest(files, path, tools.lives());
    manifest.roll(whole.with(logs, List.of()), whole.nextFile());
    manifest.close();
  }

  /// Removes what a checkpoint that failed has made: links would keep the room of tables, and the
  /// directory could not be used again. The name of the manifest goes first, so that what stays
  /// where that fails is no store.
  private static void remove(FileSystem files, List<String> made, Throwable why) {
    for (String path : made.reversed()) {
      try {
        if (files.exists(path)) {
          files.delete(path);
        }
      } catch (IOException e) {
        why.addSuppressed(new IOException(path + " stays, and can be deleted", e));
      }
    }
  }

  /// @param length to copy, bytes; to the end if the file is shorter
  private static void copy(FileSystem files, String from, String to, long length)
      throws IOException {
    try (FileSystem.ReadableFile in = files.open(from);
        FileSystem.WritableFile out = files.create(to)) {
      ByteBuffer buffer = ByteBuffer.allocate(COPY_BYTES);
      long at = 0;
      buffer.limit((int) Math.min(COPY_BYTES, length));
      while (buffer.hasRemaining() && in.read(at, buffer) > 0) {
        at += buffer.position();
        out.append(buffer.flip());
        buffer.clear();
        buffer.limit((int) Math.min(COPY_BYTES, length - at));
      }
      out.force();
    }
  }
}
