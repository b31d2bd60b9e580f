package dev.tern.lsm;

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

  /// A style with LZ4 and no bounds.
  public static FamilyOptions of(CompactionStyle style) {
    return new FamilyOptions(style, Compression.LZ4, 0, 0);
  }
}
