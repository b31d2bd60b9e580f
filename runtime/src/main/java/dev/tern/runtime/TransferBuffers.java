package dev.tern.runtime;

import java.lang.foreign.Arena;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Memory outside the heap through which files are read and written where the caller's bytes lie on
/// the heap. Left to itself the JDK makes such a buffer for each thread, as large as the largest
/// transfer that the thread ever made, and keeps it until the thread ends.
///
/// [#MOST_KEPT] buffers are kept for as long as this lives. What is taken beyond those, by threads
/// that transfer at the same moment, is freed when it is given back.
///
/// Any thread; nobody waits for a buffer.
final class TransferBuffers {
  /// Of each buffer.
  static final int BYTES = 256 << 10;

  /// Buffers that stay.
  static final int MOST_KEPT = 4;

  /// A buffer and, if it goes when it is given back, what frees it.
  record Buffer(ByteBuffer bytes, @Nullable Arena arena) {}

  private final ReentrantLock lock = new ReentrantLock();

  /// Guarded by the lock, as is the number of those that were made to stay.
  private final ArrayDeque<Buffer> free = new ArrayDeque<>(MOST_KEPT);

  private int made;

  /// A buffer of [#BYTES], empty; to be given back on every path.
  @SuppressWarnings("MustBeClosedChecker") // Closed by give().
  Buffer take() {
    lock.lock();
    try {
      Buffer kept = free.poll();
      if (kept != null) {
        return kept;
      }
      if (made < MOST_KEPT) {
        Buffer first = new Buffer(ByteBuffer.allocateDirect(BYTES), null);
        made++;
        return first;
      }
    } finally {
      lock.unlock();
    }
    Arena arena = Arena.ofShared();
    return new Buffer(arena.allocate(BYTES).asByteBuffer(), arena);
  }

  /// Takes a buffer back; the caller uses it no more.
  void give(Buffer buffer) {
    if (buffer.arena != null) {
      buffer.arena.close();
      return;
    }
    buffer.bytes.clear();
    lock.lock();
    try {
      free.push(buffer);
    } finally {
      lock.unlock();
    }
  }
}
