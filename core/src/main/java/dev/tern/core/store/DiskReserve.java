package dev.tern.core.store;

import org.jspecify.annotations.Nullable;

/// The part of a node's disk that is kept free of what clients and moves write. Compactions, which
/// give room back, and what the cluster decides, still have room then: a disk without any takes
/// neither.
///
/// Threads: any; measured by one.
public final class DiskReserve {
  /// Keeps nothing free.
  public static final DiskReserve NONE = new DiskReserve(0);

  /// Of a small disk less is kept free: one part of so many.
  private static final int PARTS = 16;

  private final long wantedBytes;
  private volatile @Nullable String low;

  /// @param wantedBytes to be kept free; 0 for nothing
  public DiskReserve(long wantedBytes) {
    if (wantedBytes < 0) {
      throw new IllegalArgumentException("%d bytes to be kept free".formatted(wantedBytes));
    }
    this.wantedBytes = wantedBytes;
  }

  /// The disk was looked at. Writes that were refused are taken again when there is a quarter more
  /// than the reserve, so that they are not refused again at once.
  ///
  /// @param usableBytes that may still be written
  /// @param storedBytes that the node's stores take
  public void measured(long usableBytes, long storedBytes) {
    long kept = Math.min(wantedBytes, (usableBytes + storedBytes) / PARTS);
    boolean isLow = usableBytes < (low == null ? kept : kept + kept / 4);
    low =
        isLow
            ? "%d MiB of the disk are free, and %d MiB are kept free"
                .formatted(usableBytes >> 20, kept >> 20)
            : null;
  }

  /// Why nothing more may be written, null if more may be.
  public @Nullable String low() {
    return low;
  }
}
