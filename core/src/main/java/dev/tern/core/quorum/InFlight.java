package dev.tern.core.quorum;

import dev.tern.core.context.Foreground;
import dev.tern.env.Clock;
import dev.tern.env.EventLoop;
import java.util.Arrays;
import java.util.BitSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// The operations of a shard that wait for answers: as many slots as there may be operations, taken
/// in turn. What is bounded is how many are under way, however old the oldest is.
///
/// ```
///   id:  u40 serial, one more for each operation | slot, [#slotBits] bits
///   slots: by number the operation there     free: ring of the numbers of empty slots
/// ```
///
/// Serials begin at a random number, so that answers to an earlier life of this node, or to an
/// operation that had the slot before, find nothing.
///
/// Invariant: each slot holds an operation or stands in the ring of free ones, once.
final class InFlight {
  /// How often operations see the time, nanoseconds.
  static final long TICK_NANOS = 2_000_000;

  private static final long SERIALS = 1L << 40;

  /// More slots are not looked through by assertions.
  private static final int CHECKED_SLOTS = 64;

  private final int capacity;
  private final int slotBits;
  private final @Nullable Operation<?>[] slots;

  /// The slots before and after one in order of age, of those taken; [#NONE] at the ends.
  private final int[] older;

  private final int[] younger;
  private int oldest = NONE;
  private int youngest = NONE;

  /// Free slots from `freeAt` on, `capacity - size` of them, round the end.
  private final int[] free;

  private int freeAt;
  private int size;
  private final EventLoop loop;
  private final Clock clock;
  private final Foreground foreground;
  private long serial;
  private boolean ticking;

  private static final int NONE = -1;

  /// @param foreground told how long operations took
  /// @param capacity operations at a time; more are refused as overload
  InFlight(EventLoop loop, Clock clock, Foreground foreground, long firstId, int capacity) {
    this.foreground = foreground;
    this.loop = loop;
    this.clock = clock;
    this.capacity = capacity;
    this.slotBits = Integer.SIZE - Integer.numberOfLeadingZeros(capacity - 1);
    this.slots = new Operation<?>[capacity];
    this.older = new int[capacity];
    this.younger = new int[capacity];
    this.free = new int[capacity];
    Arrays.setAll(free, slot -> slot);
    this.serial = Long.remainderUnsigned(firstId, SERIALS);
  }

  /// Gives the operation its id; false if there is no room.
  boolean add(Operation<?> operation) {
    if (size == capacity) {
      return false;
    }
    int slot = free[freeAt];
    freeAt = freeAt + 1 == capacity ? 0 : freeAt + 1;
    if (slots[slot] != null) {
      throw new IllegalStateException("two operations in one slot");
    }
    size++;
    serial = (serial + 1) % SERIALS;
    operation.id = serial << slotBits | slot;
    operation.beganNanos = clock.monotonicNanos();
    foreground.began();
    slots[slot] = operation;
    older[slot] = youngest;
    younger[slot] = NONE;
    if (youngest == NONE) {
      oldest = slot;
    } else {
      younger[youngest] = slot;
    }
    youngest = slot;
    assert isWhole() : "a slot is taken and free";
    if (!ticking) {
      ticking = true;
      loop.schedule(TICK_NANOS, this::tick);
    }
    return true;
  }

  private int slot(long id) {
    return (int) (id & ((1L << slotBits) - 1));
  }

  /// The operation of that id, null if it has come to its end.
  @Nullable Operation<?> find(long id) {
    int slot = slot(id);
    Operation<?> operation = slot < capacity ? slots[slot] : null;
    return operation != null && operation.id == id ? operation : null;
  }

  void remove(Operation<?> operation) {
    if (find(operation.id) != operation) {
      return;
    }
    foreground.ended();
    if (foreground.measures()) {
      foreground.took(clock.monotonicNanos() - operation.beganNanos);
    }
    int slot = slot(operation.id);
    slots[slot] = null;
    if (older[slot] == NONE) {
      oldest = younger[slot];
    } else {
      younger[older[slot]] = younger[slot];
    }
    if (younger[slot] == NONE) {
      youngest = older[slot];
    } else {
      older[younger[slot]] = older[slot];
    }
    size--;
    assert size >= 0 && (size == 0) == (oldest == NONE) && (size == 0) == (youngest == NONE);
    int end = freeAt + capacity - size - 1;
    free[end < capacity ? end : end - capacity] = slot;
    assert isWhole() : "a slot is taken and free";
  }

  /// Whether each slot holds an operation or is free, once. Only assertions look, and only where
  /// there are few slots.
  private boolean isWhole() {
    if (capacity > CHECKED_SLOTS) {
      return true;
    }
    BitSet empty = new BitSet(capacity);
    for (int i = freeAt; i < freeAt + capacity - size; i++) {
      empty.set(free[i < capacity ? i : i - capacity]);
    }
    boolean whole = empty.cardinality() == capacity - size;
    for (int slot = 0; slot < capacity; slot++) {
      whole &= empty.get(slot) == (slots[slot] == null);
    }
    return whole;
  }

  /// Runs something on the shard's loop after a while.
  void later(long nanos, Runnable task) {
    loop.schedule(nanos, task);
  }

  int size() {
    return size;
  }

  /// Tells all that wait that what was sent to a node may be lost.
  void lost(int node) {
    forEach(operation -> operation.lost(node));
  }

  /// Tells all that wait that a node has said nothing for a while.
  void silent(int node) {
    long now = clock.monotonicNanos();
    forEach(operation -> operation.silent(node, now));
  }

  /// From the oldest on; those that begin or end meanwhile may be passed over.
  private void forEach(Consumer<Operation<?>> action) {
    long[] ids = new long[size];
    int count = 0;
    for (int slot = oldest; slot != NONE; slot = younger[slot]) {
      Operation<?> operation = slots[slot];
      ids[count++] = operation == null ? 0 : operation.id;
    }
    assert count == ids.length;
    for (long id : ids) {
      Operation<?> operation = find(id);
      if (operation != null) {
        action.accept(operation);
      }
    }
  }

  private void tick() {
    long now = clock.monotonicNanos();
    forEach(operation -> operation.tick(now));
    if (size > 0) {
      loop.schedule(TICK_NANOS, this::tick);
    } else {
      ticking = false;
    }
  }
}
