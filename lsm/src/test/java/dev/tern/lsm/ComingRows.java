package dev.tern.lsm;

import dev.tern.env.Randomness;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;

/// Rows that come into a column family by an ingest, in one file or two.
///
/// @param family its place in the model
/// @param rows two at least
record ComingRows(int family, NavigableMap<byte[], Row> rows, int files) {
  /// A row of a table from outside.
  ///
  /// @param expiresMillis 0 for never
  record Row(byte[] value, long expiresMillis) {}

  /// The first key.
  byte[] from() {
    return rows.firstKey();
  }

  /// The key behind the last one.
  byte[] to() {
    return Arrays.copyOf(rows.lastKey(), rows.lastKey().length + 1);
  }

  /// Writes one of the files.
  void write(Bed bed, Randomness random, String path, FamilyOptions options, int file)
      throws IOException {
    List<byte[]> keys = List.copyOf(rows.keySet());
    int from = file == 0 ? 0 : keys.size() / 2;
    int to = file == files - 1 ? keys.size() : keys.size() / 2;
    try (TableFileWriter writer =
        TableFileWriter.create(bed.disk, bed.clock, random, path, options)) {
      for (byte[] key : keys.subList(from, to)) {
        Row row = rows.get(key);
        if (row.expiresMillis > 0) {
          writer.put(key, row.value, row.expiresMillis);
        } else {
          writer.put(key, row.value);
        }
      }
      writer.finish();
    }
  }
}
