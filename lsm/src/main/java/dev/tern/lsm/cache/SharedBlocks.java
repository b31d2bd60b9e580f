package dev.tern.lsm.cache;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.epoch.Epochs;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// Uncompressed blocks of one or several stores, by table and offset, in slabs of native memory cut
/// into slots of one size. A store uses its [BlockCache].
///
/// A hit takes no lock: buckets are chains of [Block]s, and a block's memory is not given to
/// another before every reader that could have found it has left its epoch and nobody pins it. A
/// miss takes one lock, shortly: the reader fills a reserved slot outside it. Only readers of its
/// own store find a block, so it waits for the epochs of that store alone.
///
/// Eviction is CLOCK within a size (Corbato, 1968); when no slot is free, a newcomer is admitted
/// only if it was asked for more often lately than the block it would replace (TinyLFU), so a scan
/// does not sweep the cache. Slots are freed ahead, because a freed one waits for its readers.
///
/// It holds no more slabs than the budget says, which changes with what others hold.
///
/// ```
///   bucket --> Block --> Block          slab 0 (8 KiB slots)  [b][b][ ][b]...
///                |                      slab 1 (4 KiB slots)  [b][b][b]...
///                +--- memory, base ---> slab 2 (8 KiB slots)  [ ][b]...
/// ```
@SuppressWarnings("NonAtomicVolatileUpdate") // Under the lock.
public final class SharedBlocks implements AutoCloseable {
  private static final int MOST_SLAB_BYTES = 1 << 20;
  private static final int LEAST_SLOT_BYTES = 256;

  /// Slots of a size kept free where all are used.
  private static final int AHEAD = 4;

  /// The part of a size's slots that may wait for readers: a sixteenth.
  private static final int MOST_WAITING = 16;

  /// How far the clock's hand goes for one victim.
  private static final int MAX_STEPS = 64;

  /// What a block takes of the heap, its place in the slab's list among it.
  private static final int BLOCK_HEAP_BYTES = 80;

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

  private final MemoryAccount memory;
  private final int slabBytes;

  /// What the buckets and the sketch take of the heap.
  private final long tableBytes;

  private final AtomicReferenceArray<@Nullable Block> buckets;
  private final FrequencySketch sketch;

  private final ReentrantLock lock = new ReentrantLock();
  private final SizeClass[] classes;
  private final ArrayDeque<Slab> emptySlabs = new ArrayDeque<>();

  /// Evicted and past their epoch, but pinned.
  private final List<Block> pinned = new ArrayList<>();

  /// Written under the lock.
  private volatile int slabs;

  /// That hold a block, or are reserved for one; guarded by the lock.
  private volatile int usedSlots;

  /// What the account was told; guarded by the lock.
  private long toldBytes;

  private boolean closed;

  /// The stores that have been given a part.
  private final AtomicLong parts = new AtomicLong();

  /// Parts that were closed while readers were inside, whose blocks wait for these.
  private final Queue<Epochs<?>> leaving = new ConcurrentLinkedQueue<>();

  /// @param capacityBytes the most that it ever holds; less as the budget says
  /// @param memory counts what it holds, and has the budget
  public SharedBlocks(long capacityBytes, MemoryAccount memory) {
    this.memory = memory;
    this.slabBytes =
        (int) Math.min(MOST_SLAB_BYTES, Math.max(4096, Long.highestOneBit(capacityBytes / 16 | 1)));
    int wanted = (int) Math.min(1 << 24, Math.max(64, capacityBytes / 4096));
    this.buckets = new AtomicReferenceArray<>(Integer.highestOneBit(wanted) * 2);
    this.sketch = new FrequencySketch(wanted);
    this.classes = classes(slabBytes);
    this.tableBytes = (long) Integer.BYTES * buckets.length() + sketch.heapBytes();
    tell();
  }

  /// Tells the account what is held; under the lock.
  private void tell() {
    long now = closed ? 0 : bytes() + heapBytes();
    if (now != toldBytes) {
      memory.add(MemoryPart.CACHE, now - toldBytes);
      toldBytes = now;
    }
  }

  private long heapBytes() {
    return tableBytes + (long) usedSlots * BLOCK_HEAP_BYTES;
  }

  /// The slabs that there may be now.
  private int maxSlabs() {
    return (int) (memory.budget().cacheLimit(heapBytes()) / slabBytes);
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

  /// The number of another store's part.
  long newPart() {
    return parts.getAndIncrement();
  }

  /// The block if it is here, for a caller inside an epoch.
  @Nullable Block get(long table, long offset) {
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
        return block;
      }
      block = block.next;
    }
    return null;
  }

  /// See [BlockCache#reserve].
  ///
  /// @param owner whose block it is
  @Nullable Block reserve(
      BlockCache owner, long table, long offset, int length, boolean important) {
    if (length > slabBytes || maxSlabs() == 0) {
      return null;
    }
    owner.epochs.reclaim();
    if (!leaving.isEmpty()) {
      leaving.forEach(Epochs::reclaim);
      leaving.removeIf(each -> each.waiting() == 0);
    }
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
      reserved = admitted ? take(owner, size, table, offset, length) : null;
      if (!admitted) {
        owner.refused();
      }
    } finally {
      lock.unlock();
    }
    if (victim != null) {
      retire(victim);
    }
    return reserved;
  }

  /// Nobody finds the block any more: its slot is free once its readers have left.
  private void retire(Block gone) {
    java.util.Objects.requireNonNull(gone.owner).epochs.retire(() -> recycle(gone));
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
      if (slabs >= maxSlabs()) {
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

  private @Nullable Block take(
      BlockCache owner, SizeClass size, long table, long offset, int length) {
    for (int i = size.slabs.size() - 1; i >= 0 && size.free > 0; i--) {
      Slab slab = size.slabs.get(i);
      if (slab.freeCount > 0 && !slab.draining) {
        int slot = slab.free[--slab.freeCount];
        size.free--;
        long base = (long) slot * slab.slotBytes;
        usedSlots++;
        tell();
        owner.holds(slab.slotBytes);
        return new Block(table, offset, slab.memory, base, length, slab, slot, null, owner);
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
    SizeClass rich = classes[0];
    for (SizeClass each : classes) {
      for (Slab slab : each.slabs) {
        if (slab.draining) {
          return;
        }
      }
      rich = each.slabs.size() > rich.slabs.size() ? each : rich;
    }
    if (rich != poor && !rich.slabs.isEmpty()) {
      drain(rich, rich.slabs.get(rich.handSlab % rich.slabs.size()));
    }
  }

  private void drain(SizeClass size, Slab slab) {
    slab.draining = true;
    size.free -= slab.freeCount;
    for (Block block : slab.slots) {
      if (block != null) {
        unlink(block);
        retire(block);
      }
    }
    settle(size, slab);
  }

  /// A slab whose slots are all free leaves its size.
  private void settle(SizeClass size, Slab slab) {
    boolean isFree = slab.draining && slab.freeCount == slab.slots.length;
    if (isFree && size.slabs.remove(slab)) {
      size.handSlab = 0;
      if (slabs > maxSlabs() || closed) {
        slabs--;
        slab.giveBack();
        tell();
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
    java.util.Objects.requireNonNull(gone.owner).holds(-slab.slotBytes);
    usedSlots--;
    tell();
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

  /// See [BlockCache#publish].
  Block publish(Block block) {
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
        retire(block);
      }
      return block;
    } finally {
      lock.unlock();
    }
  }

  /// See [BlockCache#abandon].
  void abandon(Block block) {
    lock.lock();
    try {
      free(block);
    } finally {
      lock.unlock();
    }
  }

  /// Lets go of what the cache holds beyond its bound, since others hold more. Not to be called by
  /// what epochs retire.
  public void shrink() {
    if (slabs <= maxSlabs()) {
      return;
    }
    lock.lock();
    try {
      while (slabs > maxSlabs() && !emptySlabs.isEmpty()) {
        slabs--;
        emptySlabs.poll().giveBack();
      }
      tell();
      int over = slabs - maxSlabs() - draining();
      for (; over > 0; over--) {
        SizeClass rich =
            Arrays.stream(classes).max((a, b) -> a.slabs.size() - b.slabs.size()).get();
        Slab slab = rich.slabs.stream().filter(each -> !each.draining).findFirst().orElse(null);
        if (slab == null) {
          return;
        }
        drain(rich, slab);
      }
    } finally {
      lock.unlock();
    }
  }

  private int draining() {
    return (int)
        Arrays.stream(classes).flatMap(c -> c.slabs.stream()).filter(s -> s.draining).count();
  }

  /// Bytes of native memory held.
  public long bytes() {
    return (long) slabs * slabBytes;
  }

  /// Counts what it holds.
  public MemoryAccount memory() {
    return memory;
  }

  /// Lets go of all blocks of a store that nobody reads any more.
  void drop(BlockCache owner) {
    List<Block> gone = new ArrayList<>();
    lock.lock();
    try {
      for (SizeClass size : classes) {
        for (Slab slab : size.slabs) {
          for (Block block : slab.slots) {
            if (block != null && block.owner == owner) {
              gone.add(block);
            }
          }
        }
      }
      gone.forEach(this::unlink);
    } finally {
      lock.unlock();
    }
    gone.forEach(this::retire);
    if (owner.epochs.waiting() > 0) {
      leaving.add(owner.epochs);
    }
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
      tell();
    } finally {
      lock.unlock();
    }
  }
}
