package dev.tern.lsm.memtable;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import java.util.ArrayDeque;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The arrays of memtables that nobody sees any more, kept for the next ones. A collector that
/// copies the young copies an array once and never again, so in the long run memtables cost it
/// nothing; made anew, each would be copied whole while every writer stands still.
///
/// Their content is arbitrary. Any thread.
public final class Chunks {
  /// An array's header: with it, an array is no larger than a power of two. One that is takes two
  /// regions of G1's, and the memory twice.
  private static final int HEADER_BYTES = 16;

  static final int NODE_BITS = 18;
  static final int NODE_INTS = (1 << NODE_BITS) - HEADER_BYTES / Integer.BYTES;
  static final int DATA_BYTES = (1 << 20) - HEADER_BYTES;

  /// Both kinds take as many bytes.
  private static final int CHUNK_BYTES = DATA_BYTES + HEADER_BYTES;

  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<int[]> nodes = new ArrayDeque<>();
  private final ArrayDeque<byte[]> data = new ArrayDeque<>();
  private final int mostKept;

  /// Guarded by the lock.
  private boolean closed;

  private final MemoryAccount memory;

  /// @param keptBytes what is kept at the most; nothing while memory is short
  public Chunks(long keptBytes, MemoryAccount memory) {
    this.mostKept = (int) Math.min(Integer.MAX_VALUE, keptBytes / CHUNK_BYTES);
    this.memory = memory;
  }

  int[] takeNodes() {
    int[] kept = poll(nodes);
    return kept != null ? kept : new int[NODE_INTS];
  }

  byte[] takeData() {
    byte[] kept = poll(data);
    return kept != null ? kept : new byte[DATA_BYTES];
  }

  private <T> @Nullable T poll(ArrayDeque<T> from) {
    T kept;
    lock.lock();
    try {
      kept = from.poll();
    } finally {
      lock.unlock();
    }
    memory.add(MemoryPart.MEMTABLES, kept == null ? 0 : -CHUNK_BYTES);
    return kept;
  }

  /// Takes back what is of the usual size; the caller uses none of it any more.
  void give(int[][] oldNodes, byte[][] oldData) {
    long before;
    long after;
    lock.lock();
    try {
      int most = closed || memory.budget().isCrowded() ? 0 : mostKept;
      before = keptBytes();
      for (int[] chunk : oldNodes) {
        if (chunk.length == NODE_INTS && nodes.size() + data.size() < most) {
          nodes.push(chunk);
        }
      }
      for (byte[] chunk : oldData) {
        if (chunk.length == DATA_BYTES && nodes.size() + data.size() < most) {
          data.push(chunk);
        }
      }
      while (nodes.size() + data.size() > most) {
        (nodes.isEmpty() ? data : nodes).pop();
      }
      after = keptBytes();
    } finally {
      lock.unlock();
    }
    memory.add(MemoryPart.MEMTABLES, after - before);
  }

  /// Lets go of all that is kept; nothing is kept any more.
  public void close() {
    lock.lock();
    try {
      memory.add(MemoryPart.MEMTABLES, -keptBytes());
      nodes.clear();
      data.clear();
      closed = true;
    } finally {
      lock.unlock();
    }
  }

  private long keptBytes() {
    return (long) (nodes.size() + data.size()) * CHUNK_BYTES;
  }
}
