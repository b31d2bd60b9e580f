package dev.tern.runtime;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/// The lock of a directory, held by three means, each for what the others do not see:
///
/// 1. An entry in the system properties says that this process holds it: by the file itself (device
///    and inode), so that no link, other name or other class loader leads around it. It is looked
///    at first: a file that is locked here must not even be opened, since closing any descriptor of
///    a file lets go of the process's POSIX lock on it.
/// 2. `flock(2)` on the directory that the lock file is in: it belongs to the descriptor and lives
///    until that is closed, whatever this process opens, reads and closes besides, the lock file
///    among it. Where the system has none (Windows, some network file systems) it is left out.
/// 3. A POSIX lock on the lock file, which holds the process number for people.
final class DirectoryLock implements AutoCloseable {
  private static final String OWN_PID = String.valueOf(ProcessHandle.current().pid());
  private static final String PROPERTY = "dev.tern.lock.";

  private final String property;
  private final FileChannel channel;
  private final @Nullable AutoCloseable advisory;
  private boolean released;

  private DirectoryLock(String property, FileChannel channel, @Nullable AutoCloseable advisory) {
    this.property = property;
    this.channel = channel;
    this.advisory = advisory;
  }

  /// Takes the lock or fails at once.
  ///
  /// @throws IOException if it is held, by whom if that is known
  static DirectoryLock take(Path named) throws IOException {
    Path directory = java.util.Objects.requireNonNull(named.getParent()).toRealPath();
    Path file = directory.resolve(java.util.Objects.requireNonNull(named.getFileName()));
    try {
      // Nobody can hold what is not there, so making it does no harm.
      Files.createFile(file);
    } catch (FileAlreadyExistsException e) {
      if (!Files.isRegularFile(file)) {
        throw new IOException(file + " is no file", e);
      }
    }
    String property = PROPERTY + identity(file);
    if (System.getProperties().putIfAbsent(property, OWN_PID) != null) {
      throw inUse(named, OWN_PID);
    }
    boolean done = false;
    AutoCloseable advisory = null;
    try {
      advisory = AdvisoryLock.take(directory);
      if (advisory == AdvisoryLock.HELD) {
        throw inUse(named, Files.readString(file, StandardCharsets.US_ASCII).strip());
      }
      DirectoryLock lock = new DirectoryLock(property, lockFile(named, file), advisory);
      done = true;
      return lock;
    } finally {
      if (!done) {
        System.getProperties().remove(property);
        close(advisory);
      }
    }
  }

  /// The file whatever it is called: its device and inode, or its path where there are none.
  private static String identity(Path file) throws IOException {
    Object key = Files.readAttributes(file, BasicFileAttributes.class).fileKey();
    return String.valueOf(key != null ? key : file.toRealPath());
  }

  private static FileChannel lockFile(Path named, Path file) throws IOException {
    FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
    boolean done = false;
    try {
      FileLock lock = channel.tryLock();
      if (lock == null) {
        throw inUse(named, Files.readString(file, StandardCharsets.US_ASCII).strip());
      }
      sign(channel);
      done = true;
      return channel;
    } catch (OverlappingFileLockException e) {
      throw new IOException(named + " is locked by other code of this process", e);
    } finally {
      if (!done) {
        channel.close();
      }
    }
  }

  /// Says who holds the lock. On a full disk it cannot always be said, and the lock is held.
  private static void sign(FileChannel channel) throws IOException {
    byte[] pid = (OWN_PID + "\n").getBytes(StandardCharsets.US_ASCII);
    try {
      channel.write(ByteBuffer.wrap(pid), 0);
    } catch (IOException e) {
      channel.truncate(0);
      return;
    }
    channel.truncate(pid.length);
  }

  private static IOException inUse(Path file, String pid) {
    return new IOException("%s is in use by process %s".formatted(file, pid));
  }

  private static void close(@Nullable AutoCloseable lock) throws IOException {
    try {
      if (lock != null) {
        lock.close();
      }
    } catch (IOException e) {
      throw e;
    } catch (Exception e) {
      throw new IOException(e);
    }
  }

  /// Idempotent.
  @Override
  public synchronized void close() throws IOException {
    if (released) {
      return;
    }
    released = true;
    try {
      channel.close();
    } finally {
      try {
        close(advisory);
      } finally {
        System.getProperties().remove(property);
      }
    }
  }
}
