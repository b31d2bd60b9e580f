package dev.tern.lsm.log;

import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import java.io.IOException;

/// Writes a log, for the tests of other packages.
public final class Logs {
  private final LogFile.Writer writer;

  public Logs(FileLife life, FileSystem.WritableFile file) throws IOException {
    writer = LogFile.Writer.begin(7, life, file);
  }

  /// Gathers a batch.
  public void add(byte[] batch, long lastSequence) {
    writer.add(batch, batch.length, lastSequence);
  }

  /// Hands over what was gathered, and takes it for forced.
  public void force() throws IOException {
    writer.handOver();
    writer.syncedOffset = writer.handedOver;
  }

  public void end() throws IOException {
    writer.end();
  }
}
