package dev.tern.lsm;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryBudget;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.cache.SharedBlocks;
import dev.tern.lsm.memtable.Chunks;
import dev.tern.lsm.table.TableClock;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

/// What several stores of one process share: a block cache, a budget of memory, and how many
/// compactions run at once. A store without a log and one with a log, for instance, or the shards
/// of a node.
///
/// ```
///   LsmGroup --options()--> Lsm.open   each has its own files, workers, memtables, log and readers
///      |                    Lsm.open
///      +-- MemoryBudget, block cache, open tables, buffers, turns to compact
/// ```
///
/// - Memory: what one store does not use the others may. A store that others leave little flushes
///   its memtables when they are smaller, and asks the store with the largest memtable to flush.
///   Memtables of many small stores are flushed, the largest first, until they fit their room.
/// - Upkeep: each store may run one flush and one compaction whatever the others do; further
///   compactions only while fewer than the group's threads run in all. So a store whose disk is
///   dead holds up nobody else. Workers that are shared need a thread more than that: for n stores,
///   `2 * n + threads - 1`.
/// - Reads and writes of one store take no lock of another, but for the cache's, on a miss.
///
/// A store that is closed gives back all that it held; iterators and loans that are left open keep
/// their blocks. Close the group behind its stores. Any thread.
public final class LsmGroup implements AutoCloseable {
  /// The part of the cache's bytes that buffers may keep.
  private static final int KEPT_SHARE = 16;

  /// The part of a memtable's bytes that is worth a flush when others need the memory.
  private static final int LEAST_FLUSH_SHARE = 8;

  private final LsmOptions options;
  private final MemoryBudget budget;

  /// Of what belongs to no store.
  private final MemoryAccount memory;

  private final SharedBlocks blocks;
  private final NativeMemory buffers;
  private final Chunks chunks;
  private final TableClock tables;

  private final ReentrantLock lock = new ReentrantLock();

  /// Those that are open and written to; guarded by the lock, as is the rest.
  private final List<Upkeep> stores = new ArrayList<>();

  /// Compactions that run.
  private int compacting;

  /// Stores that are open.
  private int open;

  private boolean closed;

  /// A group with the memory, the sizes, and the threads of some options.
  public LsmGroup(LsmOptions sizes) {
    this(
        sizes,
        new MemoryBudget(
            sizes.memoryBytes(), sizes.tuning().memtableBytes(), sizes.tuning().cacheBytes()));
  }

  LsmGroup(LsmOptions sizes, MemoryBudget budget) {
    LsmOptions.Tuning tuning = sizes.tuning();
    long cacheBytes = tuning.cacheBytes();
    options = sizes.in(this);
    this.budget = budget;
    memory = new MemoryAccount(budget);
    blocks = new SharedBlocks(cacheBytes, memory);
    buffers = new NativeMemory(cacheBytes / KEPT_SHARE, memory);
    chunks = new Chunks(2 * tuning.memtableBytes(), memory);
    tables = new TableClock(tuning.openTables(), cacheBytes / 4 * 3, budget);
  }

  /// As [LsmOptions#ofMemory], for all stores together.
  public static LsmGroup ofMemory(long memoryBytes) {
    return new LsmGroup(LsmOptions.ofMemory(memoryBytes));
  }

  /// The options for a store of the group; to be refined, but for memory, sizes and threads.
  public LsmOptions options() {
    return options;
  }

  /// Who holds what of the budget, of all stores together.
  public LsmStatistics.Memory memory() {
    return Figures.memory(budget, budget::held);
  }

  MemoryBudget budget() {
    return budget;
  }

  SharedBlocks blocks() {
    return blocks;
  }

  NativeMemory buffers() {
    return buffers;
  }

  Chunks chunks() {
    return chunks;
  }

  TableClock tables() {
    return tables;
  }

  /// Bytes of a part that belong to no store.
  long heldByNobody(MemoryPart part) {
    return memory.held(part);
  }

  /// A store is about to use it.
  ///
  /// @throws IllegalStateException if it is closed
  void enter() {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the group of the store is closed");
      }
      open++;
    } finally {
      lock.unlock();
    }
  }

  /// A store uses it no more.
  void leave() {
    lock.lock();
    try {
      open--;
    } finally {
      lock.unlock();
    }
  }

  /// A store can be asked to flush from now on, until [#remove].
  void add(Upkeep store) {
    lock.lock();
    try {
      stores.add(store);
    } finally {
      lock.unlock();
    }
  }

  void remove(Upkeep store) {
    lock.lock();
    try {
      stores.remove(store);
    } finally {
      lock.unlock();
    }
  }

  /// Whether a store may begin a compaction now; [#ended] must follow if so.
  ///
  /// @param isFirst whether the store runs none
  boolean begins(boolean isFirst) {
    lock.lock();
    try {
      boolean may = isFirst || compacting < (budget.isCrowded() ? 1 : options.threads());
      compacting += may ? 1 : 0;
      return may;
    } finally {
      lock.unlock();
    }
  }

  /// A compaction has ended.
  void ended() {
    lock.lock();
    try {
      compacting--;
      assert compacting >= 0 : "a compaction has ended that had not begun";
    } finally {
      lock.unlock();
    }
  }

  /// Asks the store that has the largest memtables to flush them, if that is worth a flush. Where
  /// all together hold more than their room it is worth one if those that are written to hold
  /// enough together: what readers keep of memtables that were flushed goes by no flush. Those that
  /// were asked and have not begun, or have failed, are passed over: their disk may be dead.
  void askLargest(Upkeep asking) {
    Upkeep largest = asking;
    long together = 0;
    lock.lock();
    try {
      for (Upkeep each : stores) {
        together += each.memtableBytes();
        if (each.memtableBytes() > largest.memtableBytes() && each.mayBeAsked()) {
          largest = each;
        }
      }
    } finally {
      lock.unlock();
    }
    boolean isBeyondRoom = budget.isBeyondRoom();
    long worth = options.tuning().memtableBytes() / LEAST_FLUSH_SHARE;
    long freed = isBeyondRoom ? together : largest.memtableBytes();
    if ((largest != asking || isBeyondRoom) && freed >= worth && largest.memtableBytes() > 0) {
      largest.askToFlush();
    }
  }

  /// Frees the memory.
  ///
  /// @throws IllegalStateException if a store of it is open
  @Override
  public void close() {
    lock.lock();
    try {
      if (open > 0) {
        throw new IllegalStateException(open + " stores of the group are open");
      }
      closed = true;
    } finally {
      lock.unlock();
    }
    blocks.close();
    buffers.close();
    chunks.close();
    memory.close();
  }
}
