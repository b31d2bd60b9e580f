package dev.tern.lsm;

/// The few choices of a store.
///
/// @param memtableBytes a flush begins when the memtables of all column families hold this much
/// @param cacheBytes bound of the block cache
/// @param blockBytes data block size before compression
/// @param planted a mistake for tests to find; [LsmBug#NONE] otherwise
public record LsmOptions(long memtableBytes, long cacheBytes, int blockBytes, LsmBug planted) {
  /// 64 MiB of memtable, 128 MiB of cache, 8 KiB blocks.
  public static final LsmOptions DEFAULT =
      new LsmOptions(64 << 20, 128 << 20, 8 << 10, LsmBug.NONE);

  public LsmOptions {
    if (memtableBytes < 1024 || blockBytes < 256 || cacheBytes < 0) {
      throw new IllegalArgumentException(
          "a memtable needs 1 KiB, a block 256 bytes, and the cache is not negative");
    }
  }
}
