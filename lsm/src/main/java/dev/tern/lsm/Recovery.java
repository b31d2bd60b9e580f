package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Opens the tables the manifest names, replays the logs behind them into tables of their own, and
/// removes what nobody names: after it, the store is as if it had been closed cleanly.
///
/// The entries replayed are a prefix of those written: replay ends at the first sequence that is
/// missing, in whichever log.
///
/// @param tables the tables
/// @param state what readers see
/// @param lastSequence the last sequence recovered
record Recovery(Tables tables, ReadState state, long lastSequence) {

  static String logPath(String directory, long number) {
    return "%s/%06d.log".formatted(directory, number);
  }

  static String tablePath(String directory, long number) {
    return "%s/%06d.table".formatted(directory, number);
  }

  static Recovery run(FileSystem files, String directory, LsmOptions options, BlockCache cache)
      throws IOException {
    Manifest manifest = Manifest.load(files, directory);
    if (manifest == null) {
      manifest = new Manifest(1, 0, 0, List.of());
    }
    List<Long> logs = numbers(files, directory, ".log");
    long largest = manifest.nextFile();
    for (String suffix : List.of(".log", ".table")) {
      for (long number : numbers(files, directory, suffix)) {
        largest = Math.max(largest, number + 1);
      }
    }
    Tables tables = new Tables(files, directory, options, cache, largest);
    ReadState.@Nullable Family[] families = tables.load(manifest);
    long last = replay(files, directory, manifest, logs, families);
    ReadState state = new ReadState(families, manifest.flushedSequence());
    ReadState flushed = tables.recovered(state, last);
    tables.retain(flushed);
    removeUnnamed(files, directory, tables.named());
    return new Recovery(tables, flushed, last);
  }

  private static List<Long> numbers(FileSystem files, String directory, String suffix)
      throws IOException {
    List<Long> numbers = new ArrayList<>();
    for (String name : files.list(directory)) {
      if (name.endsWith(suffix) && name.chars().limit(6).allMatch(c -> c >= '0' && c <= '9')) {
        numbers.add(Long.parseLong(name.substring(0, name.length() - suffix.length())));
      }
    }
    numbers.sort(null);
    return numbers;
  }

  private static long replay(
      FileSystem files,
      String directory,
      Manifest manifest,
      List<Long> logs,
      ReadState.@Nullable Family[] families)
      throws IOException {
    long[] last = {manifest.flushedSequence()};
    for (long number : logs) {
      if (number < manifest.firstLog()) {
        continue;
      }
      String path = logPath(directory, number);
      boolean[] hole = {false};
      try {
        LogFile.read(
            files,
            path,
            number,
            entry -> {
              while (entry.remaining() > 0 && !hole[0]) {
                long next = replay(entry, last[0], manifest.flushedSequence(), families);
                hole[0] = next < 0;
                last[0] = Math.max(last[0], next - 1);
              }
              return !hole[0];
            });
      } catch (DecodeException e) {
        throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
      }
      if (hole[0]) {
        break;
      }
    }
    return last[0];
  }

  /// Replays one batch; the sequence after it, -1 if some are missing before it.
  private static long replay(
      ByteReader in, long last, long flushed, ReadState.@Nullable Family[] families) {
    long first = new ByteReader(in.array(), in.position(), 8).readLong();
    if (first > last + 1) {
      return -1;
    }
    return WriteBatch.visit(
        in,
        (family, sequence, kind, array, key, value) -> {
          ReadState.Family target = family < families.length ? families[family] : null;
          if (target == null) {
            throw new DecodeException("an entry of column family " + family);
          }
          if (sequence > flushed) {
            target.active().add(array, key, value, sequence, kind);
          }
        });
  }

  private static void removeUnnamed(FileSystem files, String directory, List<String> named)
      throws IOException {
    for (String name : files.list(directory)) {
      boolean ours =
          name.endsWith(".log") || name.endsWith(".table") || name.startsWith("MANIFEST");
      if (ours && !named.contains(name)) {
        files.delete(directory + "/" + name);
      }
    }
  }
}
