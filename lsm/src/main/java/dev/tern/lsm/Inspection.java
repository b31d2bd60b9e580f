package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.util.HexFormat;

/// Prints what the store's files hold, for people. Any thread; blocks.
public final class Inspection {
  private static final int SHOWN_BYTES = 48;

  private Inspection() {}

  /// Every entry of a log, and how it ends.
  ///
  /// @throws CorruptionException if it is broken where it was synced
  public static void log(FileSystem files, String path, Appendable out) throws IOException {
    IOException[] failure = {null};
    LogFile.Ending ending =
        LogFile.read(
            files,
            path,
            null,
            entry -> {
              try {
                entry(entry, out);
              } catch (IOException e) {
                failure[0] = e;
              }
            });
    if (failure[0] != null) {
      throw failure[0];
    }
    out.append(
        ending.clean()
            ? "the log ends cleanly at %d%n".formatted(ending.at())
            : "the log ends at %d in a torn tail of %d bytes, %d whole chunks among them%n"
                .formatted(ending.at(), ending.droppedBytes(), ending.droppedChunks()));
  }

  private static void entry(ByteReader entry, Appendable out) throws IOException {
    StringBuilder text = new StringBuilder("group\n");
    WriteBatch.Entries entries = new WriteBatch.Entries();
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
                    shown(entries.array, entries.keyAt, entries.keyLength),
                    entries.valueLength));
      }
    }
    out.append(text);
  }

  /// Every entry of a table, its properties, and whether all checksums match.
  public static void table(FileSystem files, String path, Appendable out) throws IOException {
    Epochs epochs = new Epochs();
    NativeMemory buffers = new NativeMemory();
    Table table = Table.open(files, path, 0, new BlockCache(0, epochs), buffers);
    RunCursor cursor = new RunCursor(epochs, new Table[] {table}, false);
    for (cursor.seek(null); cursor.valid; cursor.next()) {
      byte[] key = cursor.keyCopy();
      out.append(
          "  %s %d %s value of %d bytes%n"
              .formatted(
                  shown(key, 0, key.length),
                  cursor.sequence,
                  Kind.name(cursor.kind),
                  cursor.valueLength()));
    }
    cursor.close();
    for (RangeTombstones.Range range : table.tombstones.ranges()) {
      out.append(
          "  %s to %s %d range delete%n"
              .formatted(
                  shown(range.from(), 0, range.from().length),
                  shown(range.to(), 0, range.to().length),
                  range.sequence()));
    }
    TableProperties properties = table.properties;
    table.verify();
    out.append(
        "%d entries (%d deletes), %d range deletes, %d bytes (%d of keys, %d of values), %s%n"
            .formatted(
                properties.entries(),
                properties.deletes(),
                properties.rangeDeletes(),
                table.sizeBytes,
                properties.keyBytes(),
                properties.valueBytes(),
                properties.compression()));
    out.append(
        "sequences %d to %d; filter and index in memory %d bytes; all checksums match%n"
            .formatted(
                properties.smallestSequence(),
                properties.largestSequence(),
                table.residentBytes()));
    table.close();
  }

  /// Every edit of a manifest, and the column families and tables they add up to.
  public static void manifest(FileSystem files, String path, Appendable out) throws IOException {
    StringBuilder edits = new StringBuilder();
    Manifest.State state =
        Manifest.decode(
            path,
            Table.readAll(files, path),
            (offset, edit) -> edits.append("edit at %d: %s%n".formatted(offset, edit)));
    out.append(edits);
    out.append(
        "next file %d, first log %d, flushed up to sequence %d%n"
            .formatted(state.nextFile, state.firstLog, state.flushedSequence));
    out.append("logs %s%n".formatted(state.logs));
    for (ColumnFamily family : state.families) {
      out.append("  family %d %s %s%n".formatted(family.id(), family.name(), family.options()));
      for (int level = 0; level < Levels.COUNT; level++) {
        if (!state.level(family.id(), level).isEmpty()) {
          out.append("    level %d: tables %s%n".formatted(level, state.level(family.id(), level)));
        }
      }
    }
  }

  private static String shown(byte[] array, int offset, int length) {
    String hex = HexFormat.of().formatHex(array, offset, offset + Math.min(length, SHOWN_BYTES));
    return length > SHOWN_BYTES ? hex + "..." : hex;
  }
}
