package dev.tern.lsm;

import dev.tern.env.DecodeException;
import dev.tern.lsm.manifest.Manifest;

/// The choices of a column family, fixed when it is created.
///
/// @param style how its tables are merged
/// @param compression of its blocks
/// @param ttlMillis FIFO: tables whose newest entry is older are dropped; 0 for never
/// @param maxBytes FIFO: the oldest tables are dropped beyond this size; 0 for no bound
public record FamilyOptions(
    CompactionStyle style, Compression compression, long ttlMillis, long maxBytes) {
  /// Leveled, LZ4.
  public static final FamilyOptions DEFAULT = of(CompactionStyle.LEVELED);

  public FamilyOptions {
    java.util.Objects.requireNonNull(style);
    java.util.Objects.requireNonNull(compression);
    if (ttlMillis < 0 || maxBytes < 0) {
      throw new IllegalArgumentException("a time to live and a bound are not negative");
    }
    if (style != CompactionStyle.FIFO && (ttlMillis > 0 || maxBytes > 0)) {
      throw new IllegalArgumentException(
          "only a FIFO family drops tables by age or size; use WriteBatch.put with an expiry");
    }
  }

  /// The options that a manifest says.
  ///
  /// @throws DecodeException if there are none such
  static FamilyOptions of(Manifest.Family named) {
    try {
      return new FamilyOptions(
          choice(CompactionStyle.values(), named.style()),
          choice(Compression.values(), named.compression()),
          named.ttlMillis(),
          named.maxBytes());
    } catch (IllegalArgumentException e) {
      throw new DecodeException(String.valueOf(e.getMessage()));
    }
  }

  private static <T> T choice(T[] values, int ordinal) {
    if (ordinal >= values.length) {
      throw new DecodeException("a choice numbered " + ordinal + ", which is not known here");
    }
    return values[ordinal];
  }

  /// Refuses column families of an edit whose options are none.
  ///
  /// @throws DecodeException if there is one
  static void check(Manifest.Edit edit) {
    edit.families().forEach(FamilyOptions::of);
  }

  /// A style with LZ4 and no bounds.
  public static FamilyOptions of(CompactionStyle style) {
    return new FamilyOptions(style, Compression.LZ4, 0, 0);
  }
}
