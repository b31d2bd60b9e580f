package dev.tern.lsm.log;

import dev.tern.env.FileSystem;
import java.nio.ByteBuffer;

/// The file of a store that keeps no log. Nothing is written to it.
final class Nowhere implements FileSystem.WritableFile {
  @Override
  public void append(ByteBuffer bytes) {
    throw new IllegalStateException("a log that is not kept gathers nothing");
  }

  @Override
  public void reserve(long bytes) {
    // There is nothing to make room for.
  }

  @Override
  public long position() {
    return 0;
  }

  @Override
  public void force() {
    throw new IllegalStateException("a log that is not kept is not forced");
  }

  @Override
  public void close() {
    // There is nothing to close.
  }
}
