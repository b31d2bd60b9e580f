package dev.tern.lsm;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Walks the versions of one source, ordered by key, then newest first.
interface Cursor {
  /// To the first version of the first key at or after `key`; null for the start.
  void seek(byte @Nullable [] key) throws IOException;

  boolean valid();

  void next() throws IOException;

  byte[] key();

  long sequence();

  int kind();

  byte[] value();
}
