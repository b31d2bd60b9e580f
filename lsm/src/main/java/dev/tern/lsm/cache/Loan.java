package dev.tern.lsm.cache;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A value that is lent to a caller's code: read-only, exactly its bytes, usable by the thread that
/// asked for it until [#close], and an exception from then on, whatever its memory is used for.
///
/// Holds one block (or one buffer), no epoch: code that takes its time keeps nothing else.
public final class Loan implements AutoCloseable {
  private final Arena scope = Arena.ofConfined();
  private final Block block;
  private final MemorySegment value;

  @SuppressWarnings("restricted") // The lender outlives the scope: see the block.
  private Loan(Block block, long at, int length) {
    this.block = block;
    this.value = block.memory.asSlice(at, length).reinterpret(scope, null).asReadOnly();
  }

  /// Of a block; called inside the epoch in which it was found.
  ///
  /// @throws IllegalStateException if the store is closed
  public static Loan of(Block block, long at, int length) {
    block.lend();
    return new Loan(block, at, length);
  }

  /// Of a copy, as memtables use their arrays again.
  public static Loan ofCopy(NativeMemory pool, byte[] source, int at, int length) {
    Block copy = Block.ofBuffer(pool, length);
    MemorySegment.copy(source, at, copy.memory, ValueLayout.JAVA_BYTE, 0, length);
    return new Loan(copy, 0, length);
  }

  /// The value, and nothing else.
  public MemorySegment value() {
    return value;
  }

  @Override
  public void close() {
    scope.close();
    block.giveBack();
  }
}
