package dev.tern.lsm.cache;

import dev.tern.lsm.epoch.Epochs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Uncompressed blocks by table and offset, in slabs of native memory cut into slots of one size.
///
/// A hit takes no lock: buckets are chains of [Block]s, and a block's memory is not given to
/// another before every reader that could have found it has left its epoch and nobody pins it. A
/// miss takes one lock, shortly: the reader fills a reserved slot outside it.
///
/// Eviction is CLOCK within a size (Corbato, 1968); when no slot is free, a newcomer is admitted
/// only if it was asked for more often lately than the block it would replace (TinyLFU), so a scan
/// does not sweep the cache. Slots are freed ahead, because a freed one waits for its readers.
///
/// ```
///   bucket --> Block --> Block          slab 0 (8 KiB slots)  [b][b][ ][b]...
///                |                      slab 1 (4 KiB slots)  [b][b][b]...
///                +--- memory, base ---> slab 2 (8 KiB slots)  [ ][b]...
/// ```
public final class BlockCache implements AutoCloseable {
  private static final int MOST_SLAB_BYTES = 1 << 20;
  private static final int LEAST_SLOT_BYTES = 256;

  /// Slots of a size kept free where all are used.
  private static final int AHEAD = 4;

  /// The part of a size's slots that may wait for readers: a sixteenth.
  private static final int MOST_WAITING = 16;

  /// How far the clock's hand goes for one victim.
  private static final int MAX_STEPS = 64;

  /// Memory of slots of one size.
  static final class Slab {
    final Arena arena;
    final MemorySegment memory;
    int slotBytes;
    @Nullable Block[] slots = new Block[0];
    int[] free = {};
    int freeCount;

    /// No slot is given out any more; once all are free the slab changes its size or goes.
    boolean draining;

    /// Loans of its memory, and one for the cache until that is closed: whoever ends the last frees
    /// the memory.
    private final AtomicInteger users = new AtomicInteger(1);

    Slab(Arena arena, MemorySegment memory) {
      this.arena = arena;
      this.memory = memory;
    }

    /// Keeps the memory until [#giveBack]; false if it is being freed.
    boolean lend() {
      int before = users.get();
      while (before > 0) {
        if (users.compareAndSet(before, before + 1)) {
          return true;
        }
        before = users.get();
      }
      return false;
    }

    void giveBack() {
      if (users.decrementAndGet() == 0) {
        arena.close();
      }
    }

    void cut(int newSlotBytes, int slabBytes) {
      slotBytes = newSlotBytes;
      int count = slabBytes / newSlotBytes;
      slots = new Block[count];
      free = new int[count];
      freeCount = count;
      draining = false;
      for (int i = 0; i < count; i++) {
        free[i] = count - 1 - i;
      }
    }
  }

  private static final class SizeClass {
    final int slotBytes;
    final List<Slab> slabs = new ArrayList<>();
    int free;

    /// Evicted slots that wait for readers.
    int waiting;

    int handSlab;
    int handSlot;

    SizeClass(int slotBytes) {
      this.slotBytes = slotBytes;
    }
  }

  private final long capacityBytes;
  private final int slabBytes;
  private final Epochs<?> epochs;
  private final AtomicReferenceArray<@Nullable Block> buckets;
  private final FrequencySketch sketch;

  private final ReentrantLock lock = new ReentrantLock();
  private final SizeClass[] classes;
  private final ArrayDeque<Slab> emptySlabs = new ArrayDeque<>();

  /// Evicted and past their epoch, but pinned.
  private final List<Block> pinned = new ArrayList<>();

  private int slabs;
  private int maxSlabs;
  private long chargedBytes;
  private final AtomicLong usedBytes = new AtomicLong();
  private boolean closed;

  private final LongAdder hits = new LongAdder();
  private final LongAdder misses = new LongAdder();
  private final LongAdder refused = new LongAdder();

  public BlockCache(long capacityBytes, Epochs<?> epochs) {
    this.capacityBytes = capacityBytes;
    this.epochs = epochs;
    this.slabBytes =
        (int) Math.min(MOST_SLAB_BYTES, Math.max(4096, Long.highestOneBit(capacityBytes / 16 | 1)));
    int wanted = (int) Math.min(1 << 24, Math.max(64, capacityBytes / 4096));
    this.buckets = new AtomicReferenceArray<>(Integer.highestOneBit(wanted) * 2);
    this.sketch = new FrequencySketch(wanted);
    this.classes = classes(slabBytes);
    this.maxSlabs = (int) (capacityBytes / slabBytes);
  }

  private static SizeClass[] classes(int largest) {
    List<SizeClass> sizes = new ArrayList<>();
    for (int power = LEAST_SLOT_BYTES; power <= largest; power *= 2) {
      for (int quarter = 0; quarter < 4; quarter++) {
        int bytes = power + power / 4 * quarter;
        if (bytes <= largest) {
          sizes.add(new SizeClass(bytes));
        }
      }
    }
    return sizes.toArray(new SizeClass[0]);
  }

  private SizeClass classFor(int length) {
    for (SizeClass each : classes) {
      if (each.slotBytes >= length) {
        return each;
      }
    }
    throw new IllegalStateException("no slot for " + length + " bytes");
  }

  private int bucket(long hash) {
    return (int) hash & (buckets.length() - 1);
  }

  /// The block if it is here, for a caller inside an epoch.
  public @Nullable Block get(long table, long offset) {
    long hash = FrequencySketch.hash(table, offset);
    Block block = buckets.get(bucket(hash));
    while (block != null) {
      if (block.offset == offset && block.table == table) {
        int touches = block.touches;
        if (touches < Block.MAX_TOUCHES) {
          block.touches = touches + 1;
          if (touches == 0) {
            sketch.increment(hash);
          }
        }
        hits.increment();
        return block;
      }
      block = block.next;
    }
    misses.increment();
    return null;
  }

  /// A slot for a block that was not here, to be filled and then given to [#publish] or [#abandon];
  /// null if the block shall not be cached.
  ///
  /// @param important admitted whatever the sketch says
  public @Nullable Block reserve(long table, long offset, int length, boolean important) {
    if (length > slabBytes || maxSlabs == 0) {
      return null;
    }
    epochs.reclaim();
    long hash = FrequencySketch.hash(table, offset);
    Block victim = null;
    Block reserved;
    lock.lock();
    try {
      if (closed) {
        return null;
      }
      retryPinned();
      sketch.increment(hash);
      SizeClass size = classFor(length);
      boolean admitted = true;
      if (size.free < ahead(size) && !addSlab(size)) {
        boolean mayEvict = size.waiting < mostWaiting(size);
        victim = mayEvict ? victim(size) : null;
        admitted =
            mayEvict ? victim != null && (important || isWorthMore(hash, victim)) : size.free > 0;
        victim = admitted ? victim : null;
        if (victim != null) {
          unlink(victim);
          victim.evicted = true;
          size.waiting++;
        } else if (size.slabs.isEmpty()) {
          drainFor(size);
        }
      }
      reserved = admitted ? take(size, table, offset, length) : null;
      if (!admitted) {
        refused.increment();
      }
    } finally {
      lock.unlock();
    }
    if (victim != null) {
      Block gone = victim;
      epochs.retire(() -> recycle(gone));
    }
    return reserved;
  }

  private int ahead(SizeClass size) {
    return Math.min(AHEAD, Math.max(1, size.slabs.size() * (slabBytes / size.slotBytes) / 4));
  }

  /// While a reader stays in its epoch, evicted slots are not free again. Beyond so many of them,
  /// what is read is not cached: one slow reader must not empty the cache.
  private int mostWaiting(SizeClass size) {
    return Math.max(2 * AHEAD, size.slabs.size() * (slabBytes / size.slotBytes) / MOST_WAITING);
  }

  private boolean isWorthMore(long hash, Block victim) {
    long other = FrequencySketch.hash(victim.table, victim.offset);
    return sketch.estimate(hash) > sketch.estimate(other);
  }

  @SuppressWarnings("MustBeClosedChecker") // The slab closes it.
  private boolean addSlab(SizeClass size) {
    Slab slab = emptySlabs.poll();
    if (slab == null) {
      if (slabs >= maxSlabs) {
        return false;
      }
      Arena arena = Arena.ofShared();
      slab = new Slab(arena, arena.allocate(slabBytes, 64));
      slabs++;
    }
    slab.cut(size.slotBytes, slabBytes);
    size.slabs.add(slab);
    size.free += slab.freeCount;
    return true;
  }

  private @Nullable Block take(SizeClass size, long table, long offset, int length) {
    for (int i = size.slabs.size() - 1; i >= 0 && size.free > 0; i--) {
      Slab slab = size.slabs.get(i);
      if (slab.freeCount > 0 && !slab.draining) {
        int slot = slab.free[--slab.freeCount];
        size.free--;
        long base = (long) slot * slab.slotBytes;
        usedBytes.addAndGet(slab.slotBytes);
        return new Block(table, offset, slab.memory, base, length, slab, slot, null);
      }
    }
    return null;
  }

  /// The next block that was not touched since the hand last passed; null if none is near.
  private @Nullable Block victim(SizeClass size) {
    for (int step = 0; step < MAX_STEPS && !size.slabs.isEmpty(); step++) {
      size.handSlab = size.handSlab < size.slabs.size() ? size.handSlab : 0;
      Slab slab = size.slabs.get(size.handSlab);
      if (size.handSlot >= slab.slots.length || slab.draining) {
        size.handSlot = 0;
        size.handSlab++;
        continue;
      }
      Block block = slab.slots[size.handSlot++];
      if (block != null && !block.isPinned()) {
        if (block.touches == 0) {
          return block;
        }
        block.touches--;
      }
    }
    return null;
  }

  private void unlink(Block gone) {
    int bucket = bucket(FrequencySketch.hash(gone.table, gone.offset));
    Block before = null;
    Block block = buckets.get(bucket);
    while (block != null && block != gone) {
      before = block;
      block = block.next;
    }
    if (block != null) {
      if (before == null) {
        buckets.set(bucket, block.next);
      } else {
        before.next = block.next;
      }
    }
    Slab slab = java.util.Objects.requireNonNull(gone.slab);
    slab.slots[gone.slot] = null;
  }

  /// A size that has no slab takes one from the size that has most.
  private void drainFor(SizeClass poor) {
    SizeClass rich = Arrays.stream(classes).max((a, b) -> a.slabs.size() - b.slabs.size()).get();
    boolean underWay =
        Arrays.stream(classes).flatMap(c -> c.slabs.stream()).anyMatch(s -> s.draining);
    if (rich != poor && !rich.slabs.isEmpty() && !underWay) {
      drain(rich, rich.slabs.get(rich.handSlab % rich.slabs.size()));
    }
  }

  private void drain(SizeClass size, Slab slab) {
    slab.draining = true;
    size.free -= slab.freeCount;
    for (Block block : slab.slots) {
      if (block != null) {
        unlink(block);
        epochs.retire(() -> recycle(block));
      }
    }
    settle(size, slab);
  }

  /// A slab whose slots are all free leaves its size.
  private void settle(SizeClass size, Slab slab) {
    boolean isFree = slab.draining && slab.freeCount == slab.slots.length;
    if (isFree && size.slabs.remove(slab)) {
      size.handSlab = 0;
      if (slabs > maxSlabs || closed) {
        slabs--;
        slab.giveBack();
      } else {
        emptySlabs.add(slab);
      }
    }
  }

  /// Nobody can find the block any more.
  private void recycle(Block gone) {
    lock.lock();
    try {
      if (gone.isPinned()) {
        pinned.add(gone);
      } else {
        free(gone);
      }
    } finally {
      lock.unlock();
    }
  }

  private void retryPinned() {
    if (!pinned.isEmpty()) {
      for (Block block : List.copyOf(pinned)) {
        if (!block.isPinned()) {
          pinned.remove(block);
          free(block);
        }
      }
    }
  }

  private void free(Block gone) {
    Slab slab = java.util.Objects.requireNonNull(gone.slab);
    SizeClass size = classFor(slab.slotBytes);
    if (slab.freeCount == slab.slots.length) {
      throw new IllegalStateException("a slot of the cache was freed twice");
    }
    slab.free[slab.freeCount++] = gone.slot;
    usedBytes.addAndGet(-slab.slotBytes);
    if (gone.evicted) {
      gone.evicted = false;
      size.waiting--;
    }
    if (slab.draining) {
      settle(size, slab);
    } else {
      size.free++;
    }
  }

  /// Makes a filled block findable; the block to use, which is another's if that was faster.
  public Block publish(Block block) {
    long hash = FrequencySketch.hash(block.table, block.offset);
    lock.lock();
    try {
      Block first = buckets.get(bucket(hash));
      for (Block other = first; other != null; other = other.next) {
        if (other.offset == block.offset && other.table == block.table) {
          free(block);
          return other;
        }
      }
      block.next = first;
      Slab slab = java.util.Objects.requireNonNull(block.slab);
      slab.slots[block.slot] = block;
      buckets.set(bucket(hash), block);
      if (slab.draining) {
        unlink(block);
        epochs.retire(() -> recycle(block));
      }
      return block;
    } finally {
      lock.unlock();
    }
  }

  /// Gives back a slot that was not filled.
  public void abandon(Block block) {
    lock.lock();
    try {
      free(block);
    } finally {
      lock.unlock();
    }
  }

  /// Memory outside the cache that counts against it (filters, indexes) grows or shrinks.
  public void charge(long bytes) {
    lock.lock();
    try {
      chargedBytes += bytes;
      long left = Math.max(capacityBytes / 4, capacityBytes - chargedBytes);
      maxSlabs = (int) (left / slabBytes);
      while (slabs > maxSlabs && !emptySlabs.isEmpty()) {
        slabs--;
        emptySlabs.poll().giveBack();
      }
      if (slabs > maxSlabs) {
        SizeClass rich =
            Arrays.stream(classes).max((a, b) -> a.slabs.size() - b.slabs.size()).get();
        int over = slabs - maxSlabs;
        for (Slab slab : List.copyOf(rich.slabs.subList(0, Math.min(over, rich.slabs.size())))) {
          if (!slab.draining) {
            drain(rich, slab);
          }
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /// Bytes of native memory held.
  public long bytes() {
    return (long) slabs * slabBytes;
  }

  /// Bytes of it that hold blocks.
  long usedBytes() {
    return usedBytes.get();
  }

  public long chargedBytes() {
    return chargedBytes;
  }

  public long hits() {
    return hits.sum();
  }

  public long misses() {
    return misses.sum();
  }

  /// Blocks that were read and not admitted.
  public long refused() {
    return refused.sum();
  }

  /// Frees the memory, but what is lent, which goes with its loan. A reader that is still there
  /// gets an exception, no foreign bytes.
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      for (SizeClass size : classes) {
        size.slabs.forEach(Slab::giveBack);
        size.slabs.clear();
      }
      emptySlabs.forEach(Slab::giveBack);
      emptySlabs.clear();
      for (int i = 0; i < buckets.length(); i++) {
        buckets.set(i, null);
      }
    } finally {
      lock.unlock();
    }
  }
}
