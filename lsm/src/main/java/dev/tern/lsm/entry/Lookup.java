package dev.tern.lsm.entry;

import org.jspecify.annotations.Nullable;

/// What a point lookup has found so far; reused, so that a lookup allocates nothing but its result.
/// Sources that lie in native memory have a lookup of their own beside it. One thread.
public class Lookup {
  /// Nothing in this source.
  public static final int ABSENT = 0;

  /// An entry: its kind, and its value if it has one, are in the fields.
  public static final int FOUND = 1;

  /// A block would have to be read.
  public static final int NOT_CACHED = 2;

  private static final byte[] EMPTY = {};

  public byte[] key = EMPTY;
  public long hash;
  public long maxSequence;

  /// The newest sequence that deleted a range with the key, in the sources looked at; 0 for none.
  public long covered;

  public int kind;
  public long sequence;

  /// The array in which the value lies; null if it lies elsewhere.
  public byte @Nullable [] array;

  public long valueAt;
  public int valueLength;

  /// Begins to look for a key up to a sequence.
  ///
  /// @param newHash of the key, by [Keys#hash]
  public void begin(byte[] newKey, long newHash, long newMaxSequence) {
    key = newKey;
    hash = newHash;
    maxSequence = newMaxSequence;
    covered = 0;
    array = null;
  }

  /// Lets go of everything, so that an idle reader holds nothing.
  public void end() {
    key = EMPTY;
    array = null;
  }
}
