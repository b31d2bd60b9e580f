package dev.tern.lsm.entry;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Walks the entries of one source, ordered by key, then newest first. Where it stands is told by
/// fields, so that a merge compares without calls; whoever moves a cursor must look at [#valid]
/// first. The key's bytes are borrowed: they change with the next move.
public abstract class Cursor {
  public boolean valid;
  public byte[] key = {};
  public int keyOffset;
  public int keyLength;
  public long sequence;
  public int kind;

  /// To the first entry of the first key at or after `target`; null for the start.
  public abstract void seek(byte @Nullable [] target) throws IOException;

  /// To the last entry of the last key before `target`; null for the end.
  public abstract void seekBefore(byte @Nullable [] target) throws IOException;

  public abstract void next() throws IOException;

  public abstract void prev() throws IOException;

  public abstract int valueLength();

  /// Copies the value to `target` from `at` on.
  public abstract void copyValue(byte[] target, int at);

  /// The value's first eight bytes as a number; the value is at least as long.
  public abstract long valueHead();

  /// Lets go of what it holds.
  public void close() {}

  /// Sequences of the source are not larger: what deletes a range at a larger one deletes all of
  /// it.
  public long largestSequence() {
    return Long.MAX_VALUE;
  }

  /// Entries that were stepped over because nothing lives there, told now and then.
  public void skipped(int count) {}

  public final byte[] keyCopy() {
    return java.util.Arrays.copyOfRange(key, keyOffset, keyOffset + keyLength);
  }

  public final byte[] valueCopy() {
    byte[] value = new byte[valueLength()];
    copyValue(value, 0);
    return value;
  }

  public final int compareKey(byte[] other, int length) {
    return Keys.compare(key, keyOffset, keyLength, other, 0, length);
  }
}
