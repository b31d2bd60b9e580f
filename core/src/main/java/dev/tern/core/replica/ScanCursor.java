package dev.tern.core.replica;

/// A place in the order of all keys: slot, then a 39-bit hash of the key. Being a place and not a
/// state, it outlives nodes. It takes 53 bits at most: clients that keep cursors as floating-point
/// numbers return the same one.
public final class ScanCursor {
  private static final int POSITION_BITS = 39;

  /// Past the last slot.
  public static final long END = 16384L << POSITION_BITS;

  private static final long POSITION_MASK = (1L << POSITION_BITS) - 1;

  private ScanCursor() {}

  public static long of(int slot, long position) {
    return position > POSITION_MASK
        ? (long) (slot + 1) << POSITION_BITS
        : (long) slot << POSITION_BITS | position;
  }

  public static int slot(long cursor) {
    return (int) (cursor >>> POSITION_BITS);
  }

  public static long position(long cursor) {
    return cursor & POSITION_MASK;
  }

  /// FNV-1a over the key, mixed so that the upper bits depend on all of it.
  public static long positionOf(byte[] key) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : key) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
    return (hash ^ (hash >>> 32)) >>> Long.SIZE - POSITION_BITS;
  }
}
