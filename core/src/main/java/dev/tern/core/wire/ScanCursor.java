package dev.tern.core.wire;

/// A place in the order of all keys of a keyspace: slot, then the 32-bit hash of the key. Being a
/// place and not a state, it outlives nodes. It takes 46 bits: clients that keep cursors as
/// floating-point numbers return the same one.
public final class ScanCursor {
  /// Past the last slot.
  public static final long END = 16384L << Integer.SIZE;

  private ScanCursor() {}

  /// @param hash unsigned
  public static long of(int slot, long hash) {
    return (long) slot << Integer.SIZE | hash;
  }

  /// The place behind all keys of a hash.
  ///
  /// @param hash unsigned
  public static long after(int slot, long hash) {
    return of(slot, hash) + 1;
  }

  public static int slot(long cursor) {
    return (int) (cursor >>> Integer.SIZE);
  }

  /// As the bits of an int.
  public static int hash(long cursor) {
    return (int) cursor;
  }
}
