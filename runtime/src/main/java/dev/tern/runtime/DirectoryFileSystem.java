package dev.tern.runtime;

import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.List;
import java.util.stream.Stream;

/// Files below a directory of this machine. Any thread.
///
/// Reads and writes of bytes on the heap go through at most a megabyte outside the heap, and 256
/// KiB more for each thread beyond the fourth that reads or writes at the same moment.
public final class DirectoryFileSystem implements FileSystem {
  private final Path root;
  private final TransferBuffers buffers = new TransferBuffers();

  /// Makes the directory if it is not there.
  ///
  /// @throws IOException if it cannot be made or written
  public DirectoryFileSystem(Path root) throws IOException {
    this(root, /* writes= */ true);
  }

  private DirectoryFileSystem(Path root, boolean writes) throws IOException {
    this.root = writes ? made(root) : root.toRealPath();
  }

  /// A directory that is only read; its disk may be mounted so.
  ///
  /// @throws IOException if it is not there
  public static DirectoryFileSystem forReading(Path root) throws IOException {
    return new DirectoryFileSystem(root, /* writes= */ false);
  }

  private static Path made(Path root) throws IOException {
    Path real;
    try {
      real = Files.createDirectories(root).toRealPath();
    } catch (FileSystemException e) {
      String why = Files.exists(root) ? "it is no directory" : why(e);
      throw new IOException("the directory %s cannot be made: %s".formatted(root, why), e);
    }
    if (!Files.isWritable(real)) {
      throw new IOException("the directory " + root + " cannot be written");
    }
    return real;
  }

  private static String why(FileSystemException e) {
    if (e.getReason() != null) {
      return e.getReason();
    }
    return e instanceof AccessDeniedException
        ? "access to %s is denied".formatted(e.getFile())
        : "nothing can be made in %s".formatted(Path.of(e.getFile()).toAbsolutePath().getParent());
  }

  private Path path(String path) throws IOException {
    Path resolved = root.resolve(path).normalize();
    if (!resolved.startsWith(root)) {
      throw new IOException("the path " + path + " leaves the directory " + root);
    }
    return resolved;
  }

  @Override
  public WritableFile create(String path) throws IOException {
    return new Appender(path, path(path), StandardOpenOption.CREATE_NEW, buffers);
  }

  @Override
  public WritableFile createLog(String path) throws IOException {
    return log(path, StandardOpenOption.CREATE_NEW);
  }

  @Override
  public WritableFile overwrite(String path) throws IOException {
    return log(path, StandardOpenOption.WRITE);
  }

  private MappedLog log(String path, StandardOpenOption option) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      return new MappedLog(path, path(path), option, buffers);
    } finally {
      restore(interrupted);
    }
  }

  @Override
  public ReadableFile open(String path) throws IOException {
    return new Reader(path, path(path), buffers);
  }

  @Override
  public boolean exists(String path) throws IOException {
    return Files.exists(path(path));
  }

  @Override
  public long size(String path) throws IOException {
    return Files.size(path(path));
  }

  @Override
  public void rename(String from, String to) throws IOException {
    Files.move(
        path(from), path(to), StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  @Override
  public void delete(String path) throws IOException {
    Files.delete(path(path));
  }

  @Override
  public void link(String existing, String link) throws IOException {
    Files.createLink(path(link), path(existing));
  }

  @Override
  public void createDirectories(String path) throws IOException {
    Files.createDirectories(path(path));
  }

  @Override
  public List<String> list(String directory) throws IOException {
    Path path = path(directory);
    if (!Files.isDirectory(path)) {
      return List.of();
    }
    try (Stream<Path> names = Files.list(path)) {
      return names.map(name -> String.valueOf(name.getFileName())).sorted().toList();
    }
  }

  @Override
  public void force(String path) throws IOException {
    try (FileChannel channel = FileChannel.open(path(path), StandardOpenOption.WRITE)) {
      force(channel, path);
    }
  }

  /// A thread that is interrupted forces first and is interrupted then.
  @Override
  public void forceDirectory(String directory) throws IOException {
    boolean interrupted = Thread.interrupted();
    try (FileChannel channel = FileChannel.open(path(directory), StandardOpenOption.READ)) {
      channel.force(true);
    } catch (FileSystemException e) {
      throw e;
    } catch (IOException e) {
      throw new IOException("cannot force directory " + directory + ": " + e.getMessage(), e);
    } finally {
      restore(interrupted);
    }
  }

  @Override
  public long usableBytes() throws IOException {
    return Files.getFileStore(root).getUsableSpace();
  }

  @Override
  public AutoCloseable lock(String path) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      return DirectoryLock.take(path(path));
    } finally {
      restore(interrupted);
    }
  }

  /// fdatasync: it skips time stamps, but not a changed length, without which the bytes could not
  /// be read back. A thread that is interrupted forces first and is interrupted then.
  static void force(FileChannel channel, String path) throws IOException {
    boolean interrupted = Thread.interrupted();
    try {
      channel.force(false);
    } catch (IOException e) {
      throw new IOException("cannot force " + path + ": " + e.getMessage(), e);
    } finally {
      restore(interrupted);
    }
  }

  /// Gives a thread the interrupt back that was kept from a channel.
  static void restore(boolean interrupted) {
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /// Opens its file again when a thread that reads is interrupted: the JDK then closes the channel
  /// under all of them.
  private static final class Reader implements ReadableFile {
    private final String path;
    private final Path file;
    private final TransferBuffers buffers;
    private volatile FileChannel channel;
    private volatile boolean closed;

    Reader(String path, Path file, TransferBuffers buffers) throws IOException {
      this.path = path;
      this.file = file;
      this.buffers = buffers;
      // To open a pipe waits for somebody who writes to it.
      if (!Files.readAttributes(file, BasicFileAttributes.class).isRegularFile()) {
        throw new IOException(path + " is no regular file");
      }
      this.channel = FileChannel.open(file, StandardOpenOption.READ);
    }

    @Override
    public int read(long position, ByteBuffer target) throws IOException {
      if (target.isDirect()) {
        return readDirect(position, target);
      }
      TransferBuffers.Buffer buffer = buffers.take();
      try {
        return readThrough(buffer.bytes(), position, target);
      } finally {
        buffers.give(buffer);
      }
    }

    private int readThrough(ByteBuffer direct, long position, ByteBuffer target)
        throws IOException {
      int total = 0;
      boolean more = true;
      while (more && target.hasRemaining()) {
        direct.clear().limit(Math.min(direct.capacity(), target.remaining()));
        more = readDirect(position + total, direct) > 0 && !direct.hasRemaining();
        total += direct.position();
        target.put(direct.flip());
      }
      return total == 0 && target.hasRemaining() ? -1 : total;
    }

    private int readDirect(long position, ByteBuffer target) throws IOException {
      int total = 0;
      boolean interrupted = false;
      try {
        while (target.hasRemaining()) {
          FileChannel from = channel;
          try {
            int count = from.read(target, position + total);
            if (count < 0) {
              break;
            }
            total += count;
          } catch (ClosedChannelException e) {
            interrupted |= Thread.interrupted();
            reopen(from, e);
          }
        }
      } catch (IOException e) {
        throw new IOException(
            "cannot read %s at %d: %s".formatted(path, position + total, e.getMessage()), e);
      } finally {
        restore(interrupted);
      }
      return total == 0 && target.hasRemaining() ? -1 : total;
    }

    private synchronized void reopen(FileChannel broken, IOException why) throws IOException {
      if (closed) {
        throw why;
      }
      if (channel == broken) {
        channel = FileChannel.open(file, StandardOpenOption.READ);
      }
    }

    @Override
    public long size() throws IOException {
      return Files.size(file);
    }

    @Override
    public synchronized void close() throws IOException {
      closed = true;
      channel.close();
    }
  }
}
