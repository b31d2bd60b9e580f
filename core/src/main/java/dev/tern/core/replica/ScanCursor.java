package dev.tern.core.replica;

/// A place in the order of all keys: slot, then a 48-bit hash of the key. Being a place and not a
/// state, it outlives nodes.
public final class ScanCursor {
  /// Past the last slot.
  public static final long END = 16384L << 48;

  private static final long POSITION_MASK = (1L << 48) - 1;

  private ScanCursor() {}

  public static long of(int slot, long position) {
    return position > POSITION_MASK ? (long) (slot + 1) << 48 : (long) slot << 48 | position;
  }

  public static int slot(long cursor) {
    return (int) (cursor >>> 48);
  }

  public static long position(long cursor) {
    return cursor & POSITION_MASK;
  }

  /// FNV-1a over the key, mixed so that the upper 48 bits depend on all of it.
  public static long positionOf(byte[] key) {
    long hash = 0xcbf29ce484222325L;
    for (byte b : key) {
      hash = (hash ^ (b & 0xff)) * 0x100000001b3L;
    }
    hash = (hash ^ (hash >>> 32)) * 0xd6e8feb86659fd93L;
    return (hash ^ (hash >>> 32)) >>> 16;
  }
}
