package dev.tern.lsm;

/// What a writer should do before the next write.
///
/// @param nanosPerByte a write should wait so long for each of its bytes; 0 for not at all. Rises
///   smoothly while flushes and compactions are behind
/// @param retryAfterMillis if positive, do not write: refuse, and say when to try again
/// @param memory how much of the memtables' room is taken behind the half that causes no pressure,
///   0 to 1; 1 also where the log takes nothing
public record WritePressure(double nanosPerByte, long retryAfterMillis, double memory) {
  static final WritePressure NONE = new WritePressure(0, 0, 0);

  /// What a write takes besides its keys and values, about.
  private static final int OVERHEAD_BYTES = 64;

  public boolean refused() {
    return retryAfterMillis > 0;
  }

  /// How long a write of so many bytes should wait.
  public long delayNanos(long bytes) {
    return (long) (nanosPerByte * (bytes + OVERHEAD_BYTES));
  }
}
