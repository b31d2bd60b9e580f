package dev.tern.core.quorum;

import dev.tern.env.Clock;
import dev.tern.env.EventLoop;
import org.jspecify.annotations.Nullable;

/// The operations of a shard that wait for answers: a ring indexed by id, bounded by its size.
///
/// Ids begin at a random number, so that answers to an earlier life of this node find nothing.
final class InFlight {
  /// Operations at a time; more are refused as overload.
  static final int CAPACITY = 1 << 15;

  /// How often operations see the time, nanoseconds.
  static final long TICK_NANOS = 2_000_000;

  private static final int MASK = CAPACITY - 1;

  private final @Nullable Operation[] ring = new Operation[CAPACITY];
  private final EventLoop loop;
  private final Clock clock;
  private long next;

  /// No operation lies before it.
  private long oldest;

  private int size;
  private boolean ticking;

  InFlight(EventLoop loop, Clock clock, long firstId) {
    this.loop = loop;
    this.clock = clock;
    this.next = firstId;
    this.oldest = firstId;
  }

  /// Gives the operation its id; false if there is no room.
  boolean add(Operation operation) {
    if (next - oldest >= CAPACITY) {
      skipFinished();
      if (next - oldest >= CAPACITY) {
        return false;
      }
    }
    operation.id = next++;
    ring[(int) operation.id & MASK] = operation;
    size++;
    if (!ticking) {
      ticking = true;
      loop.schedule(TICK_NANOS, this::tick);
    }
    return true;
  }

  /// The operation of that id, null if it has come to its end.
  @Nullable Operation find(long id) {
    Operation operation = ring[(int) id & MASK];
    return operation != null && operation.id == id ? operation : null;
  }

  void remove(Operation operation) {
    int index = (int) operation.id & MASK;
    if (ring[index] == operation) {
      ring[index] = null;
      size--;
    }
  }

  int size() {
    return size;
  }

  void lost(int node) {
    for (long id = oldest; id < next; id++) {
      Operation operation = find(id);
      if (operation != null) {
        operation.lost(node);
      }
    }
  }

  private void skipFinished() {
    while (oldest < next && find(oldest) == null) {
      oldest++;
    }
  }

  private void tick() {
    skipFinished();
    long now = clock.monotonicNanos();
    for (long id = oldest; id < next; id++) {
      Operation operation = find(id);
      if (operation != null) {
        operation.tick(now);
      }
    }
    if (size > 0) {
      loop.schedule(TICK_NANOS, this::tick);
    } else {
      ticking = false;
    }
  }
}
