package dev.tern.lsm;

import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Walks the live keys of a column family forward, as they were when it was made. Pins tables and
/// memtables until closed. One thread, which may be held up by reads.
public final class LsmIterator implements AutoCloseable {
  private final Cursor cursor;
  private final long maxSequence;
  private final Runnable unpin;
  private byte @Nullable [] key;

  LsmIterator(Cursor cursor, long maxSequence, Runnable unpin) {
    this.cursor = cursor;
    this.maxSequence = maxSequence;
    this.unpin = unpin;
  }

  /// To the first key at or after this one.
  public void seek(byte[] from) throws IOException {
    cursor.seek(from);
    settle(null);
  }

  public void seekToFirst() throws IOException {
    cursor.seek(null);
    settle(null);
  }

  public boolean valid() {
    return key != null;
  }

  public void next() throws IOException {
    settle(key());
  }

  /// Moves to the newest visible version of the first key after `passed` that is not deleted.
  private void settle(byte @Nullable [] passed) throws IOException {
    byte[] skip = passed;
    while (cursor.valid()) {
      byte[] here = cursor.key();
      if (cursor.sequence() > maxSequence || skip != null && Arrays.equals(here, skip)) {
        cursor.next();
      } else if (cursor.kind() == WriteBatch.DELETE) {
        skip = here;
        cursor.next();
      } else {
        key = here;
        return;
      }
    }
    key = null;
  }

  /// The key the iterator stands on.
  public byte[] key() {
    if (key == null) {
      throw new IllegalStateException("the iterator stands on no key");
    }
    return key;
  }

  public byte[] value() {
    key();
    return cursor.value();
  }

  @Override
  public void close() {
    unpin.run();
  }
}
