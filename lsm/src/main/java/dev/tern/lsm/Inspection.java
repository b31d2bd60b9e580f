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
    long number = Long.parseLong(path.replaceFirst(".*/", "").replace(".log", ""));
    IOException[] failure = {null};
    boolean clean =
        LogFile.read(
            files,
            path,
            number,
            entry -> {
              try {
                entry(entry, out);
                return true;
              } catch (IOException e) {
                failure[0] = e;
                return false;
              }
            });
    if (failure[0] != null) {
      throw failure[0];
    }
    out.append(clean ? "the log ends cleanly\n" : "the log ends in a torn tail\n");
  }

  private static void entry(ByteReader entry, Appendable out) throws IOException {
    StringBuilder text = new StringBuilder("group\n");
    while (entry.remaining() > 0) {
      text.append(" batch\n");
      WriteBatch.visit(
          entry,
          (family, sequence, kind, array, key, value) ->
              text.append(
                  "  %d %s family %d key %s value of %d bytes%n"
                      .formatted(
                          sequence,
                          kind == WriteBatch.PUT ? "put" : "delete",
                          family,
                          shown(array, key.offset, key.length),
                          value.length)));
    }
    out.append(text);
  }

  /// Every entry of a table; each block's checksum is verified on the way.
  public static void table(FileSystem files, String path, Appendable out) throws IOException {
    Table table = Table.open(files, path, 0, new BlockCache(0));
    Cursor cursor = table.cursor();
    long entries = 0;
    for (cursor.seek(null); cursor.valid(); cursor.next()) {
      byte[] key = cursor.key();
      out.append(
          "  %s %d %s value of %d bytes%n"
              .formatted(
                  shown(key, 0, key.length),
                  cursor.sequence(),
                  cursor.kind() == WriteBatch.PUT ? "put" : "delete",
                  cursor.value().length));
      entries++;
    }
    out.append(
        "%d entries, %d bytes, largest sequence %d, all checksums match%n"
            .formatted(entries, table.sizeBytes, table.largestSequence));
    table.close();
  }

  /// The column families and tables a manifest names.
  public static void manifest(FileSystem files, String path, Appendable out) throws IOException {
    Manifest manifest = Manifest.decode(path, Table.readAll(files, path));
    out.append(
        "next file %d, first log %d, flushed up to sequence %d%n"
            .formatted(manifest.nextFile(), manifest.firstLog(), manifest.flushedSequence()));
    for (Manifest.Family family : manifest.families()) {
      out.append(
          "  family %d %s %s: tables %s%n"
              .formatted(
                  family.family().id(),
                  family.family().name(),
                  family.family().style(),
                  family.tables()));
    }
  }

  private static String shown(byte[] array, int offset, int length) {
    String hex = HexFormat.of().formatHex(array, offset, offset + Math.min(length, SHOWN_BYTES));
    return length > SHOWN_BYTES ? hex + "..." : hex;
  }
}
