package dev.tern.lsm.log;

import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;

/// The log of a store that has none: a read-only one, or one that was opened on a full disk.
final class NoFile implements FileSystem.WritableFile {
  private final String why;

  /// @param why there is no file
  NoFile(String why) {
    this.why = why;
  }

  @Override
  public void append(ByteBuffer bytes) throws IOException {
    throw new IOException(why);
  }

  @Override
  public void reserve(long bytes) throws IOException {
    throw new IOException(why);
  }

  @Override
  public long position() {
    return 0;
  }

  @Override
  public void force() {
    // There is nothing to force.
  }

  @Override
  public void close() {
    // There is nothing to close.
  }
}
