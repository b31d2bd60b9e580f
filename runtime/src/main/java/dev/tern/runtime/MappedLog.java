package dev.tern.runtime;

import dev.tern.env.FileSystem.WritableFile;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel.MapMode;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A log that is appended to through a mapping while it is not forced: the bytes are with the
/// operating system when they are in its page, without a system call for each append.
///
/// After a force it is written by calls, until a whole window went by without one. A force protects
/// the mapped pages, and the next touch of one changes the file's metadata, which the next force
/// must then write through the journal (docs/design/0003).
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

  /// Of windows that are not written to any more. A shared arena closes by a handshake with all
  /// threads of the process, which took up to 92 ms where the machine withheld the processor from
  /// one of them. Whoever closes the log waits for that, and no append does.
  private final List<Arena> left = new ArrayList<>();

  private MemorySegment window = MemorySegment.NULL;

  /// Where the window ends, mapped or not.
  private long windowEnd;

  private long allocated;

  /// Whether there was a force in this window.
  private volatile boolean forced;

  @SuppressWarnings("MustBeClosedChecker") // Closed by close().
  MappedLog(String path, Path file, StandardOpenOption how, TransferBuffers buffers)
      throws IOException {
    this.path = path;
    this.calls = new Appender(path, file, how, buffers);
    this.allocated = calls.channel().size();
  }

  @Override
  public void append(ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      if (position() == windowEnd) {
        nextWindow();
      }
      if (forced) {
        leave();
      }
      int count = (int) Math.min(bytes.remaining(), windowEnd - position());
      allocate(position() + count);
      ByteBuffer part = bytes.slice().limit(count);
      try {
        if (arena == null) {
          calls.append(part);
        } else {
          copy(part);
        }
      } finally {
        bytes.position(bytes.position() + part.position());
      }
    }
  }

  @Override
  public void reserve(long bytes) throws IOException {
    allocate(position() + bytes);
  }

  private void copy(ByteBuffer part) throws IOException {
    int count = part.remaining();
    long at = window.byteSize() - (windowEnd - position());
    assert position() + count <= allocated : "bytes are mapped that the disk has no blocks for";
    try {
      MemorySegment.copy(MemorySegment.ofBuffer(part), 0, window, at, count);
    } catch (InternalError e) {
      // What the JDK makes of a fault in a mapping: the device failed under it.
      throw new IOException("cannot write " + path + ": the mapping failed", e);
    }
    part.position(count);
    calls.skip(count);
    assert position() <= windowEnd : "more was written than the window holds";
  }

  private void nextWindow() throws IOException {
    leave();
    allocate(position() + 1);
    if (!forced) {
      map();
    }
    forced = false;
    windowEnd = position() + WINDOW_BYTES;
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed by unmap().
  private void map() throws IOException {
    boolean interrupted = Thread.interrupted();
    Arena next = Arena.ofShared();
    try {
      window = calls.channel().map(MapMode.READ_WRITE, position(), WINDOW_BYTES, next);
      arena = next;
    } catch (RuntimeException e) {
      next.close();
      throw e;
    } catch (IOException e) {
      next.close();
      throw new IOException("cannot write " + path + ": " + e.getMessage(), e);
    } finally {
      DirectoryFileSystem.restore(interrupted);
    }
  }

  /// Writes to the window no more.
  private void leave() {
    if (arena != null) {
      left.add(arena);
      arena = null;
    }
    window = MemorySegment.NULL;
  }

  private void unmap() {
    leave();
    left.forEach(Arena::close);
    left.clear();
  }

  /// Writes zeros up to `end` and on to the end of the step.
  private void allocate(long end) throws IOException {
    while (allocated < end) {
      int step = (int) (STEP_BYTES - allocated % STEP_BYTES);
      ByteBuffer zeros = ZEROS.duplicate().limit(step);
      try {
        calls.write(zeros, allocated);
      } finally {
        allocated += zeros.position();
      }
    }
  }

  @Override
  public void trim() throws IOException {
    unmap();
    boolean interrupted = Thread.interrupted();
    try {
      calls.channel().truncate(position());
    } finally {
      DirectoryFileSystem.restore(interrupted);
    }
    allocated = position();
    windowEnd = position();
  }

  @Override
  public long position() {
    return calls.position();
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
