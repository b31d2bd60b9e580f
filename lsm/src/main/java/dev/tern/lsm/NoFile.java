package dev.tern.lsm;

import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;

/// The log of a read-only store: nothing is written to it.
final class NoFile implements FileSystem.WritableFile {
  @Override
  public void append(ByteBuffer bytes) throws IOException {
    throw new IOException("the store is open read-only");
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
