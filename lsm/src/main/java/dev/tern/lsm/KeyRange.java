package dev.tern.lsm;

import dev.tern.lsm.entry.Keys;
import java.util.Objects;

/// Keys of a column family; the arrays must not be changed any more.
///
/// @param from the first
/// @param to behind the last: it is not in the range
@SuppressWarnings("ArrayRecordComponent") // Compared by nobody.
public record KeyRange(ColumnFamily family, byte[] from, byte[] to) {
  /// @throws IllegalArgumentException if it ends before it begins
  public KeyRange {
    Objects.requireNonNull(family, "family");
    if (Keys.compare(from, to) >= 0) {
      throw new IllegalArgumentException("a range that ends before it begins");
    }
  }
}
