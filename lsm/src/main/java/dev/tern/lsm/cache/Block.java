package dev.tern.lsm.cache;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import org.jspecify.annotations.Nullable;

/// An uncompressed, verified block in native memory: in the cache's, or in a buffer of its reader.
///
/// Who found it in the cache may use it until leaving its epoch, or until [#unpin] after a [#pin]
/// made inside the epoch. A block of a buffer belongs to who read it, until [#unpin].
public final class Block {
  /// As often as the clock's hand passes over a block before it goes, at most.
  static final int MAX_TOUCHES = 3;

  private static final VarHandle PINS;

  static {
    try {
      PINS = MethodHandles.lookup().findVarHandle(Block.class, "pins", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  final long table;
  final long offset;
  public final MemorySegment memory;
  public final long base;
  public final int length;

  /// Where it lies in the cache; null for a block of a buffer.
  final SharedBlocks.@Nullable Slab slab;

  /// The store whose block it is; null for a block of a buffer.
  final @Nullable BlockCache owner;

  final int slot;

  /// The pool its buffer came from.
  private final @Nullable NativeMemory pool;

  /// Races are harmless: a touch may be lost.
  int touches;

  /// It had to make room and its slot is not free yet; guarded by the cache's lock.
  boolean evicted;

  /// The next in its bucket of the cache; guarded by the cache's lock for writing.
  volatile @Nullable Block next;

  @SuppressWarnings("UnusedVariable")
  private volatile int pins;

  Block(
      long table,
      long offset,
      MemorySegment memory,
      long base,
      int length,
      SharedBlocks.@Nullable Slab slab,
      int slot,
      @Nullable NativeMemory pool,
      @Nullable BlockCache owner) {
    this.table = table;
    this.offset = offset;
    this.memory = memory;
    this.base = base;
    this.length = length;
    this.slab = slab;
    this.slot = slot;
    this.pool = pool;
    this.owner = owner;
  }

  /// A block whose memory is its owner's, not the cache's.
  public static Block resident(long table, long offset, MemorySegment memory) {
    return new Block(table, offset, memory, 0, (int) memory.byteSize(), null, 0, null, null);
  }

  /// A block in a buffer of its own.
  public static Block ofBuffer(NativeMemory pool, int length) {
    return new Block(-1, 0, pool.take(length), 0, length, null, 0, pool, null);
  }

  public boolean isBuffer() {
    return pool != null;
  }

  /// Keeps a block of the cache beyond the epoch.
  public void pin() {
    if (pool == null) {
      PINS.getAndAdd(this, 1);
    }
  }

  public void unpin() {
    if (pool == null) {
      int before = (int) PINS.getAndAdd(this, -1);
      if (before <= 0) {
        throw new IllegalStateException("a block was unpinned that nobody had pinned");
      }
    } else {
      pool.give(memory);
    }
  }

  /// Pins it for a loan, whose memory stays there even when the store is closed.
  ///
  /// @throws IllegalStateException if the store is closed
  void lend() {
    if (pool == null) {
      pin();
      if (!java.util.Objects.requireNonNull(slab).lend()) {
        unpin();
        throw new IllegalStateException("the store is closed");
      }
    }
  }

  /// Ends a loan.
  void giveBack() {
    unpin();
    if (slab != null) {
      slab.giveBack();
    }
  }

  boolean isPinned() {
    return (int) PINS.getVolatile(this) > 0;
  }
}
