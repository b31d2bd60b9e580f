package dev.tern.lsm.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Buffers outside the heap for blocks that the cache does not hold, kept for the next user. Any
/// thread.
///
/// Invariant: a buffer has one user at a time, from [#take] to [#give].
public final class NativeMemory {
  /// What is kept for later, in all.
  private static final long KEPT_BYTES = 4 << 20;

  private static final int LEAST_BITS = 12;

  /// Larger buffers are made to measure and freed at once: they are too dear to keep, and too large
  /// to wait for the garbage collector.
  private static final int MOST_KEPT_BITS = 18;

  private final ReentrantLock lock = new ReentrantLock();

  /// By the power of two of their size.
  private final List<ArrayDeque<MemorySegment>> free = new ArrayList<>();

  /// Of the large buffers in use, by address.
  private final Map<Long, Arena> large = new HashMap<>();

  private long keptBytes;
  private final AtomicLong usedBytes = new AtomicLong();

  public NativeMemory() {
    for (int i = 0; i < 32; i++) {
      free.add(new ArrayDeque<>(4));
    }
  }

  private static int bits(long bytes) {
    return Math.max(LEAST_BITS, 64 - Long.numberOfLeadingZeros(Math.max(1, bytes - 1)));
  }

  /// A buffer of at least so many bytes, its content arbitrary. Its memory is freed when it is
  /// neither used nor kept.
  public MemorySegment take(int bytes) {
    int size = bits(bytes);
    if (size > MOST_KEPT_BITS) {
      return takeLarge(bytes);
    }
    lock.lock();
    try {
      MemorySegment kept = free.get(size).poll();
      if (kept != null) {
        keptBytes -= kept.byteSize();
        usedBytes.addAndGet(kept.byteSize());
        return kept;
      }
    } finally {
      lock.unlock();
    }
    usedBytes.addAndGet(1L << size);
    return Arena.ofAuto().allocate(1L << size, 8);
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed by give().
  private MemorySegment takeLarge(int bytes) {
    Arena arena = Arena.ofShared();
    MemorySegment buffer = arena.allocate(bytes, 8);
    usedBytes.addAndGet(bytes);
    lock.lock();
    try {
      large.put(buffer.address(), arena);
      return buffer;
    } finally {
      lock.unlock();
    }
  }

  private @Nullable Arena largeArena(MemorySegment buffer) {
    lock.lock();
    try {
      return large.remove(buffer.address());
    } finally {
      lock.unlock();
    }
  }

  public void give(MemorySegment buffer) {
    usedBytes.addAndGet(-buffer.byteSize());
    Arena own = bits(buffer.byteSize()) > MOST_KEPT_BITS ? largeArena(buffer) : null;
    if (own != null) {
      own.close();
      return;
    }
    lock.lock();
    try {
      if (keptBytes + buffer.byteSize() <= KEPT_BYTES) {
        keptBytes += buffer.byteSize();
        free.get(bits(buffer.byteSize())).push(buffer);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Bytes in use or kept.
  public long bytes() {
    return usedBytes.get() + keptBytes;
  }
}
