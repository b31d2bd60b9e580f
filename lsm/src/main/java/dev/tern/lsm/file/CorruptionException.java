package dev.tern.lsm.file;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A file holds what cannot have been written: the message names the file and the offset.
public final class CorruptionException extends IOException {
  private static final long serialVersionUID = 1;

  private final byte @Nullable [] readableFrom;

  public CorruptionException(String file, long offset, String what) {
    super("%s is corrupt at offset %d: %s".formatted(file, offset, what));
    this.readableFrom = null;
  }

  private CorruptionException(CorruptionException cause, byte[] readableFrom) {
    super(cause.getMessage(), cause);
    this.readableFrom = readableFrom;
  }

  /// The same, of a block after which a walk can go on.
  public CorruptionException readableFrom(byte[] key) {
    return new CorruptionException(this, key);
  }

  /// Where a forward walk over a column family that this ended may go on: the unreadable block
  /// holds no key from there on. Null if that is not known.
  public byte @Nullable [] readableFrom() {
    return readableFrom;
  }
}
