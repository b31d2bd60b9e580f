package dev.tern.lsm.budget;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.ReentrantLock;

/// What one store holds of a [MemoryBudget]. What it still holds when it is closed is given back.
///
/// Any thread; nobody waits under its lock.
public final class MemoryAccount implements AutoCloseable {
  private final MemoryBudget budget;
  private final ReentrantLock lock = new ReentrantLock();

  /// By part; written under the lock.
  private final AtomicLongArray held = new AtomicLongArray(MemoryPart.values().length);

  private boolean closed;

  public MemoryAccount(MemoryBudget budget) {
    this.budget = budget;
  }

  /// An account whose budget nobody asks.
  public static MemoryAccount unbounded() {
    return new MemoryAccount(MemoryBudget.ofCache(0));
  }

  /// The bound that it counts against.
  public MemoryBudget budget() {
    return budget;
  }

  /// A part holds so many bytes more, or less.
  public void add(MemoryPart part, long more) {
    lock.lock();
    try {
      if (!closed && more != 0) {
        budget.add(part, more);
        held.addAndGet(part.ordinal(), more);
      }
    } finally {
      lock.unlock();
    }
  }

  /// Bytes that a part holds.
  public long held(MemoryPart part) {
    return held.get(part.ordinal());
  }

  /// Gives everything back; what is added afterwards counts nowhere. Idempotent.
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      for (MemoryPart part : MemoryPart.values()) {
        budget.add(part, -held.getAndSet(part.ordinal(), 0));
      }
    } finally {
      lock.unlock();
    }
  }
}
