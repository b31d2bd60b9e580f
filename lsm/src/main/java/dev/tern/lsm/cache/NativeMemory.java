package dev.tern.lsm.cache;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;

/// Buffers outside the heap for blocks that the cache does not hold, kept for the next user. Any
/// thread.
///
/// Invariant: a buffer has one user at a time, from [#take] to [#give].
public final class NativeMemory implements AutoCloseable {
  /// What is kept for later, in all, at the most.
  private static final long MOST_KEPT_BYTES = 4 << 20;

  /// What is kept however short memory is: to make a buffer and to free it costs more than most
  /// reads.
  private static final long LEAST_KEPT_BYTES = 64 << 10;

  private static final int LEAST_BITS = 12;

  /// Larger buffers are made to measure and freed at once: they are too dear to keep.
  private static final int MOST_KEPT_BITS = 18;

  private final long mostKept;
  private final MemoryAccount memory;
  private final ReentrantLock lock = new ReentrantLock();

  /// By the power of two of their size; guarded by the lock, as is the rest.
  private final List<ArrayDeque<MemorySegment>> free = new ArrayList<>();

  private long keptBytes;
  private boolean closed;

  /// What frees each buffer that there is, by its address.
  private final Map<Long, Arena> arenas = new HashMap<>();

  /// Buffers that nobody counts.
  public NativeMemory() {
    this(MOST_KEPT_BYTES, MemoryAccount.unbounded());
  }

  /// @param mostKept bytes that are kept for later, unless memory is short
  public NativeMemory(long mostKept, MemoryAccount memory) {
    this.mostKept = Math.clamp(mostKept, LEAST_KEPT_BYTES, MOST_KEPT_BYTES);
    this.memory = memory;
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
    boolean large = size > MOST_KEPT_BITS;
    lock.lock();
    try {
      MemorySegment kept = large ? null : free.get(size).poll();
      if (kept != null) {
        keptBytes -= kept.byteSize();
        return kept;
      }
    } finally {
      lock.unlock();
    }
    return make(large ? bytes : 1L << size);
  }

  @SuppressWarnings("MustBeClosedChecker") // Closed by give().
  private MemorySegment make(long bytes) {
    Arena arena = Arena.ofShared();
    boolean told = false;
    boolean done = false;
    try {
      MemorySegment made = arena.allocate(bytes, 8);
      memory.add(MemoryPart.BUFFERS, bytes);
      told = true;
      lock.lock();
      try {
        arenas.put(made.address(), arena);
      } finally {
        lock.unlock();
      }
      done = true;
      return made;
    } finally {
      if (!done) {
        arena.close();
        memory.add(MemoryPart.BUFFERS, told ? -bytes : 0);
      }
    }
  }

  /// Takes back what [#take] gave; the caller uses it no more.
  public void give(MemorySegment buffer) {
    long bytes = buffer.byteSize();
    long most = memory.budget().isCrowded() ? LEAST_KEPT_BYTES : mostKept;
    boolean mayKeep = bits(bytes) <= MOST_KEPT_BITS;
    Arena arena;
    lock.lock();
    try {
      if (mayKeep && !closed && keptBytes + bytes <= most) {
        keptBytes += bytes;
        free.get(bits(bytes)).push(buffer);
        return;
      }
      arena = java.util.Objects.requireNonNull(arenas.remove(buffer.address()));
    } finally {
      lock.unlock();
    }
    arena.close();
    memory.add(MemoryPart.BUFFERS, -bytes);
  }

  /// Frees what is kept. What is in use is freed when it is given back.
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      for (ArrayDeque<MemorySegment> size : free) {
        while (!size.isEmpty()) {
          MemorySegment kept = size.pop();
          java.util.Objects.requireNonNull(arenas.remove(kept.address())).close();
          memory.add(MemoryPart.BUFFERS, -kept.byteSize());
        }
      }
      keptBytes = 0;
    } finally {
      lock.unlock();
    }
  }
}
