package dev.tern.lsm.file;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// A file holds what cannot have been written: the message names the file and the offset, and says
/// what to do where that is known.
public final class CorruptionException extends IOException {
  private static final long serialVersionUID = 1;

  private final String file;
  private final long offset;
  private final String what;
  private final byte @Nullable [] readableFrom;

  public CorruptionException(String file, long offset, String what) {
    super(message(file, offset, what));
    this.file = file;
    this.offset = offset;
    this.what = what;
    this.readableFrom = null;
  }

  private CorruptionException(
      CorruptionException cause, String file, String advice, byte @Nullable [] readableFrom) {
    super(message(file, cause.offset, cause.what) + advice, cause);
    this.file = file;
    this.offset = cause.offset;
    this.what = cause.what;
    this.readableFrom = readableFrom;
  }

  private static String message(String file, long offset, String what) {
    return "%s is corrupt at offset %d: %s".formatted(file, offset, what);
  }

  /// The same, with a sentence that says what to do, in the place of an earlier one.
  public CorruptionException advise(String sentence) {
    return advise(file, sentence);
  }

  /// As [#advise(String)], of a file that the caller knows by another path.
  public CorruptionException advise(String path, String sentence) {
    return new CorruptionException(this, path, ". " + sentence, readableFrom);
  }

  /// The same, of a block after which a walk can go on.
  public CorruptionException readableFrom(byte[] key) {
    String advice = String.valueOf(getMessage()).substring(message(file, offset, what).length());
    return new CorruptionException(this, file, advice, key);
  }

  /// Where a forward walk over a column family that this ended may go on: the unreadable block
  /// holds no key from there on. Null if that is not known.
  public byte @Nullable [] readableFrom() {
    return readableFrom;
  }
}
