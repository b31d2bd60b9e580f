package dev.tern.lsm;

/// What a writer should do before the next write.
///
/// @param delayNanos wait this long, 0 for not at all
/// @param retryAfterMillis if positive, do not write: refuse, and say when to try again
public record WritePressure(long delayNanos, long retryAfterMillis) {
  static final WritePressure NONE = new WritePressure(0, 0);

  public boolean refused() {
    return retryAfterMillis > 0;
  }
}
