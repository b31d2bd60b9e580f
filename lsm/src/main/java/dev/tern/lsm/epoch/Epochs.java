package dev.tern.lsm.epoch;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// Epoch-based reclamation (Fraser, "Practical lock-freedom", 2004, section 5.2.3): a reader
/// announces the epoch it began in; what was unlinked in an epoch is let go when every reader that
/// is still inside began in a later one. A reader pays one compare-and-set to enter and one ordered
/// store to leave, and counts nothing.
///
/// Invariant: the epoch is advanced after the unlinking, and a reader looks at it again after its
/// announcement; so one whose announcement is later than the retirement cannot have seen what was
/// unlinked before it.
///
/// Any thread, any number of them: no reader is refused. A reader may hold others' garbage up,
/// never others, and not even that while it waits for a disk ([Pausing]).
///
/// @param <T> what a reader may use while it is inside, one for each
public final class Epochs<T> {
  private static final int FIRST_READERS = 16;

  /// Beyond so many readers at once, the others are counted under the lock: more places would make
  /// each look for the oldest reader long. Virtual threads come by the ten thousand.
  private static final int MAX_PLACES = 512;

  /// What a reader announces while it waits outside its epoch: later than every epoch.
  private static final long PAUSED = Long.MAX_VALUE;

  /// The place of one reader inside, and what it may use while there.
  public static final class Reader<T> implements Pausing {
    private static final VarHandle ANNOUNCED;

    static {
      try {
        ANNOUNCED = MethodHandles.lookup().findVarHandle(Reader.class, "announced", long.class);
      } catch (ReflectiveOperationException e) {
        throw new ExceptionInInitializerError(e);
      }
    }

    /// The epoch it began in; 0 when nobody is here, [#PAUSED] when who is here waits.
    @SuppressWarnings("UnusedVariable")
    private volatile long announced;

    /// What the reader may use while it is inside; its own.
    public final T own;

    private final Epochs<T> epochs;

    /// Whether it is counted, as it has no place.
    private final boolean counted;

    private Reader(T own, Epochs<T> epochs, boolean counted) {
      this.own = own;
      this.epochs = epochs;
      this.counted = counted;
    }

    /// Ends what [#enter] began.
    public void exit() {
      if (counted) {
        epochs.uncount(announced);
      } else {
        ANNOUNCED.setRelease(this, 0L);
      }
    }

    @Override
    public void pause() {
      if (counted) {
        epochs.count(this, PAUSED);
      } else {
        ANNOUNCED.setRelease(this, PAUSED);
      }
    }

    @Override
    public void resume() {
      if (counted) {
        epochs.count(this, 0);
      } else {
        ANNOUNCED.setVolatile(this, epochs.epoch.get());
        epochs.announceAgain(this);
      }
    }
  }

  private record Retired(long epoch, Runnable free) {}

  private final AtomicLong epoch = new AtomicLong(1);
  private final AtomicInteger nextHint = new AtomicInteger();

  /// Where a thread looks first.
  private final ThreadLocal<int[]> hint =
      ThreadLocal.withInitial(() -> new int[] {nextHint.getAndIncrement()});

  private final Supplier<T> owned;
  private volatile Reader<T>[] readers;
  private final ReentrantLock lock = new ReentrantLock();
  private final ArrayDeque<Retired> retired = new ArrayDeque<>();
  private volatile boolean closed;

  /// Readers without a place by the epoch they began in; guarded by the lock.
  private final TreeMap<Long, Integer> counted = new TreeMap<>();

  /// @param owned makes what a reader may use while it is inside
  @SuppressWarnings("unchecked")
  public Epochs(Supplier<T> owned) {
    this.owned = owned;
    this.readers = newReaders((Reader<T>[]) new Reader<?>[0], FIRST_READERS);
  }

  private Reader<T>[] newReaders(Reader<T>[] before, int count) {
    Reader<T>[] all = Arrays.copyOf(before, count);
    for (int i = before.length; i < count; i++) {
      all[i] = new Reader<>(owned.get(), this, false);
    }
    return all;
  }

  /// Begins to read; [Reader#exit] must follow on every path.
  public Reader<T> enter() {
    int[] last = hint.get();
    while (true) {
      Reader<T>[] all = readers;
      for (int i = 0; i < all.length; i++) {
        int at = (last[0] + i) & (all.length - 1);
        Reader<T> reader = all[at];
        if (Reader.ANNOUNCED.compareAndSet(reader, 0L, epoch.get())) {
          last[0] = at;
          announceAgain(reader);
          return checkOpen(reader);
        }
      }
      if (all.length >= MAX_PLACES) {
        return checkOpen(count());
      }
      grow(all);
    }
  }

  /// Until the epoch is still that of the announcement behind it.
  private void announceAgain(Reader<T> reader) {
    long now = epoch.get();
    while (reader.announced != now) {
      Reader.ANNOUNCED.setVolatile(reader, now);
      now = epoch.get();
    }
  }

  /// A reader announces itself first and looks then; [#close] does it the other way round.
  private Reader<T> checkOpen(Reader<T> reader) {
    if (closed) {
      reader.exit();
      throw new IllegalStateException("the store is closed");
    }
    return reader;
  }

  /// Nobody enters any more: [#enter] fails.
  public void close() {
    closed = true;
  }

  /// Whether nobody is inside, nor waits to be inside again.
  public boolean isEmpty() {
    lock.lock();
    try {
      boolean isEmpty = counted.isEmpty();
      for (Reader<T> reader : readers) {
        isEmpty &= (long) Reader.ANNOUNCED.getVolatile(reader) == 0;
      }
      return isEmpty;
    } finally {
      lock.unlock();
    }
  }

  private void grow(Reader<T>[] full) {
    lock.lock();
    try {
      if (readers == full) {
        readers = newReaders(full, full.length * 2);
      }
    } finally {
      lock.unlock();
    }
  }

  private Reader<T> count() {
    Reader<T> reader = new Reader<>(owned.get(), this, true);
    count(reader, 0);
    return reader;
  }

  /// Counts a reader in another epoch than before.
  ///
  /// @param as [#PAUSED], or 0 for the epoch of now: the epoch advances under the lock
  private void count(Reader<T> reader, long as) {
    lock.lock();
    try {
      if (reader.announced != 0) {
        uncount(reader.announced);
      }
      reader.announced = as == 0 ? epoch.get() : as;
      counted.merge(reader.announced, 1, Integer::sum);
    } finally {
      lock.unlock();
    }
  }

  private void uncount(long began) {
    lock.lock();
    try {
      assert counted.containsKey(began) : "a reader leaves that did not enter";
      counted.computeIfPresent(began, (key, count) -> count == 1 ? null : count - 1);
    } finally {
      lock.unlock();
    }
  }

  /// Runs `free` once no reader that may have seen what was unlinked before this call is inside: at
  /// once, or in a later call of [#reclaim] or of this method.
  public void retire(Runnable free) {
    lock.lock();
    try {
      retired.add(new Retired(epoch.getAndIncrement(), free));
    } finally {
      lock.unlock();
    }
    reclaim();
  }

  /// Lets go of what nobody can see any more.
  public void reclaim() {
    Runnable next;
    while ((next = poll()) != null) {
      next.run();
    }
  }

  private @Nullable Runnable poll() {
    lock.lock();
    try {
      Retired oldest = retired.peek();
      if (oldest == null || oldest.epoch >= oldestInside()) {
        return null;
      }
      retired.poll();
      return oldest.free;
    } finally {
      lock.unlock();
    }
  }

  private long oldestInside() {
    long oldest = counted.isEmpty() ? Long.MAX_VALUE : counted.firstKey();
    for (Reader<T> reader : readers) {
      long announced = (long) Reader.ANNOUNCED.getVolatile(reader);
      if (announced != 0) {
        oldest = Math.min(oldest, announced);
      }
    }
    return oldest;
  }

  /// What waits to be let go.
  public int waiting() {
    lock.lock();
    try {
      return retired.size();
    } finally {
      lock.unlock();
    }
  }
}
