package dev.tern.lsm;

/// What an opening found in a log behind its end and did not take: the torn end of a crash, or what
/// lies behind such an end. It was never forced as far as the store knows; see docs/lsm.md, "A
/// flipped byte".
///
/// @param file the log
/// @param offset where what was kept of the log ends
/// @param bytes behind that, as far as chunks of this log are found
/// @param wholeChunks those whose checksums match among them, of up to 32 KiB each
public record LogLoss(String file, long offset, long bytes, int wholeChunks) {
  @Override
  public String toString() {
    return "%s: %d bytes behind offset %d were dropped, %d whole chunks among them"
        .formatted(file, bytes, offset, wholeChunks);
  }
}
