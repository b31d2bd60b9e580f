package dev.tern.lsm.cache;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryBudget;
import dev.tern.lsm.epoch.Epochs;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/// The blocks of one store, in a cache that others may share: what one store asks for often stays,
/// whosever room it was.
///
/// Any thread of that store.
public final class BlockCache implements AutoCloseable {
  /// A store's tables have lower numbers.
  private static final int PART_BITS = 40;

  private final SharedBlocks blocks;

  /// Whether nobody else uses them.
  private final boolean alone;

  /// Of the readers of the store.
  final Epochs<?> epochs;

  /// Where the numbers of the store's tables begin among those of all.
  private final long first;

  private final AtomicLong heldBytes = new AtomicLong();
  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder refused = new LongAdder();

  /// A cache of its own, whose memory counts nowhere else.
  public BlockCache(long capacityBytes, Epochs<?> epochs) {
    this(
        new SharedBlocks(capacityBytes, new MemoryAccount(MemoryBudget.ofCache(capacityBytes))),
        epochs,
        true);
  }

  /// A store's part of a cache.
  ///
  /// @param epochs of the store's readers
  public BlockCache(SharedBlocks blocks, Epochs<?> epochs) {
    this(blocks, epochs, false);
  }

  private BlockCache(SharedBlocks blocks, Epochs<?> epochs, boolean alone) {
    this.alone = alone;
    this.blocks = blocks;
    this.epochs = epochs;
    this.first = blocks.newPart() << PART_BITS;
  }

  /// The block if it is here, for a caller inside an epoch.
  public @Nullable Block get(long table, long offset) {
    Block found = blocks.get(first + table, offset);
    (found == null ? misses : hits).increment();
    return found;
  }

  /// A slot for a block that was not here, to be filled and then given to [#publish] or [#abandon];
  /// null if the block shall not be cached.
  ///
  /// @param important admitted whatever the sketch says
  public @Nullable Block reserve(long table, long offset, int length, boolean important) {
    return blocks.reserve(this, first + table, offset, length, important);
  }

  /// Makes a filled block findable; the block to use, which is another's if that was faster.
  public Block publish(Block block) {
    return blocks.publish(block);
  }

  /// Gives back a slot that was not filled.
  public void abandon(Block block) {
    blocks.abandon(block);
  }

  /// See [SharedBlocks#shrink].
  public void shrink() {
    blocks.shrink();
  }

  /// A block was not admitted.
  void refused() {
    refused.increment();
  }

  /// The store's blocks take so many bytes more.
  void holds(int more) {
    heldBytes.addAndGet(more);
  }

  /// Bytes of the slots that the store's blocks are in.
  public long heldBytes() {
    return heldBytes.get();
  }

  /// The cache that it is a part of.
  public SharedBlocks blocks() {
    return blocks;
  }

  public long hits() {
    return hits.sum();
  }

  public long misses() {
    return misses.sum();
  }

  /// Blocks that were read and not admitted.
  public long refusals() {
    return refused.sum();
  }

  /// The store is closed: its blocks make room, but for those that are lent.
  @Override
  public void close() {
    blocks.drop(this);
    if (alone) {
      blocks.close();
    }
  }
}
