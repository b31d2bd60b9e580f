package dev.tern.runtime;

import dev.tern.env.FileSystem.WritableFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.jspecify.annotations.Nullable;

/// A log that is appended to through a mapping until it is forced: the bytes are with the operating
/// system when they are in its page, without a system call for each append.
///
/// From the first force on it is written by calls. A force protects the mapped pages, and the next
/// touch of one changes the file's metadata, which the next force must then write through the
/// journal: 1800 us a force where calls into zeros written ahead need 110 (docs/design/0003).
///
/// Invariant: only bytes below `allocated` are touched, and those lie on the disk's own blocks:
/// zeros were written there before. So a full disk is an error of that write, and never a fault of
/// the mapping. A force of the channel covers what was written through the mapping.
///
/// One thread at a time.
final class MappedLog implements WritableFile {
  private static final int WINDOW_BYTES = 4 << 20;

  /// How far zeros are written ahead: the metadata that a force has to write changes once for so
  /// many bytes.
  private static final int STEP_BYTES = 256 << 10;

  private static final ByteBuffer ZEROS = ByteBuffer.allocateDirect(STEP_BYTES).asReadOnlyBuffer();

  private final String path;
  private final Appender calls;
  private @Nullable Arena arena;
  private MemorySegment window = MemorySegment.NULL;
  private long windowAt;
  private long allocated;
  private long position;
  private volatile boolean forced;

  @SuppressWarnings("MustBeClosedChecker") // Closed by close().
  MappedLog(String path, Path file, StandardOpenOption how) throws IOException {
    this.path = path;
    this.calls = new Appender(path, file, how);
    this.allocated = calls.channel().size();
  }

  @Override
  public void append(ByteBuffer bytes) throws IOException {
    if (forced) {
      appendByCalls(bytes);
      return;
    }
    boolean interrupted = Thread.interrupted();
    try {
      while (bytes.hasRemaining()) {
        if (position == windowAt + window.byteSize()) {
          nextWindow();
        }
        int room = (int) (windowAt + window.byteSize() - position);
        int count = Math.min(bytes.remaining(), room);
        allocate(position + count);
        MemorySegment from = MemorySegment.ofBuffer(bytes.slice().limit(count));
        MemorySegment.copy(from, 0, window, position - windowAt, count);
        bytes.position(bytes.position() + count);
        position += count;
      }
    } catch (IOException e) {
      throw new IOException("cannot write " + path + ": " + e.getMessage(), e);
    } catch (InternalError e) {
      // What the JDK makes of a fault in a mapping: the device failed under it.
      throw new IOException("cannot write " + path + ": the mapping failed", e);
    } finally {
      DirectoryFileSystem.restore(interrupted);
    }
  }

  private void appendByCalls(ByteBuffer bytes) throws IOException {
    unmap();
    allocate(position + bytes.remaining());
    calls.position(position);
    try {
      calls.append(bytes);
    } finally {
      position = calls.position();
    }
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed by unmap().
  private void nextWindow() throws IOException {
    allocate(position + 1);
    Arena next = Arena.ofShared();
    try {
      MemorySegment mapped = calls.channel().map(MapMode.READ_WRITE, position, WINDOW_BYTES, next);
      unmap();
      arena = next;
      window = mapped;
      windowAt = position;
    } catch (IOException | RuntimeException e) {
      next.close();
      throw e;
    }
  }

  private void unmap() {
    if (arena != null) {
      arena.close();
      arena = null;
    }
    window = MemorySegment.NULL;
  }

  /// Writes zeros up to `end` and on to the end of the step.
  private void allocate(long end) throws IOException {
    while (allocated < end) {
      int step = (int) (STEP_BYTES - allocated % STEP_BYTES);
      calls.position(allocated);
      try {
        calls.append(ZEROS.duplicate().limit(step));
      } finally {
        allocated = calls.position();
      }
    }
  }

  @Override
  public long position() {
    return position;
  }

  @Override
  public void force() throws IOException {
    forced = true;
    calls.force();
  }

  /// Cuts off what the mapping made the file longer without blocks behind it.
  @Override
  public void close() throws IOException {
    unmap();
    try (calls) {
      if (calls.channel().size() > allocated) {
        calls.channel().truncate(allocated);
      }
    }
  }
}
