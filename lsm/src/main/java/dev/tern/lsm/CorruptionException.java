package dev.tern.lsm;

import java.io.IOException;

/// A file holds what cannot have been written: the message names the file and the offset.
public final class CorruptionException extends IOException {
  private static final long serialVersionUID = 1;

  CorruptionException(String file, long offset, String what) {
    super("%s is corrupt at offset %d: %s".formatted(file, offset, what));
  }
}
