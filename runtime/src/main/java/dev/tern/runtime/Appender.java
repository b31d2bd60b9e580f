package dev.tern.runtime;

import dev.tern.env.FileSystem.WritableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/// A file written by calls, each at the position behind the last one.
///
/// Copies what is appended into a buffer of [TransferBuffers]. A thread that is interrupted appends
/// and forces first and is interrupted then; only an interrupt in the middle of a force makes that
/// fail, since nobody knows what it did.
///
/// One thread at a time, but for a force.
final class Appender implements WritableFile {
  private final String path;
  private final Path file;
  private final TransferBuffers buffers;
  private volatile FileChannel channel;
  private long position;
  private volatile boolean closed;

  @SuppressWarnings("MustBeClosedChecker") // Closed by close().
  Appender(String path, Path file, StandardOpenOption how, TransferBuffers buffers)
      throws IOException {
    this.path = path;
    this.file = file;
    this.buffers = buffers;
    this.channel = FileChannel.open(file, how, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  /// For what is neither written nor forced; an interrupt may have closed it.
  FileChannel channel() {
    return channel;
  }

  /// Goes on behind bytes that came into the file in another way.
  void skip(int count) {
    position += count;
  }

  @Override
  public void append(ByteBuffer bytes) throws IOException {
    TransferBuffers.Buffer buffer = buffers.take();
    try {
      while (bytes.hasRemaining()) {
        append(bytes, buffer.bytes());
      }
    } finally {
      buffers.give(buffer);
    }
  }

  private void append(ByteBuffer bytes, ByteBuffer direct) throws IOException {
    int count = Math.min(bytes.remaining(), direct.capacity());
    direct.clear().put(bytes.slice().limit(count)).flip();
    try {
      write(direct, position);
    } finally {
      position += direct.position();
      bytes.position(bytes.position() + direct.position());
    }
  }

  /// Writes a direct buffer to a place in the file; after a failure its position says how much.
  void write(ByteBuffer bytes, long at) throws IOException {
    long start = at - bytes.position();
    boolean interrupted = Thread.interrupted();
    try {
      while (bytes.hasRemaining()) {
        int before = bytes.position();
        try {
          channel.write(bytes, start + before);
        } catch (ClosedChannelException e) {
          interrupted |= Thread.interrupted();
          bytes.position(before);
          reopen(e);
        }
      }
    } catch (IOException e) {
      throw new IOException("cannot write " + path + ": " + e.getMessage(), e);
    } finally {
      DirectoryFileSystem.restore(interrupted);
    }
  }

  private void reopen(IOException why) throws IOException {
    if (closed) {
      throw why;
    }
    channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public void force() throws IOException {
    DirectoryFileSystem.force(channel, path);
  }

  @Override
  public void close() throws IOException {
    closed = true;
    channel.close();
  }
}
