package dev.tern.core.store;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// The keys whose next write waits for a read from disk, and the writes queued behind. On the
/// shard's loop.
public final class Latches {
  /// Writes that may wait on all latches together; more are refused.
  static final int MAX_QUEUED = 16_384;

  private final Map<Key, ArrayDeque<Runnable>> held = new LinkedHashMap<>();
  private int queued;

  /// A key by its bytes.
  private static final class Key {
    private final byte[] bytes;
    private final int hash;

    Key(byte[] bytes) {
      this.bytes = bytes;
      this.hash = Arrays.hashCode(bytes);
    }

    @Override
    public boolean equals(@Nullable Object other) {
      return other instanceof Key key && hash == key.hash && Arrays.equals(bytes, key.bytes);
    }

    @Override
    public int hashCode() {
      return hash;
    }
  }

  /// Whether a write of the key waits for its read.
  public boolean isHeld(byte[] storageKey) {
    return !held.isEmpty() && held.containsKey(new Key(storageKey));
  }

  /// Whether a write of any key of a range waits for its read.
  ///
  /// @param from behind what is latched in place of the whole range
  public boolean isAnyHeld(byte[] from, byte[] end) {
    for (Key key : held.keySet()) {
      if (Arrays.compareUnsigned(key.bytes, from) > 0
          && Arrays.compareUnsigned(key.bytes, end) < 0) {
        return true;
      }
    }
    return false;
  }

  /// Latches a key that is not held.
  public void take(byte[] storageKey) {
    if (held.putIfAbsent(new Key(storageKey), new ArrayDeque<>(2)) != null) {
      throw new IllegalStateException("a key is latched twice");
    }
  }

  /// Has a task run when a held key is given free.
  ///
  /// @return false if the queue is full: the task will not run
  public boolean queue(byte[] storageKey, Runnable task) {
    ArrayDeque<Runnable> tasks = held.get(new Key(storageKey));
    if (tasks == null || queued >= MAX_QUEUED) {
      return false;
    }
    tasks.add(task);
    queued++;
    return true;
  }

  /// Gives the key free and runs what was queued, in order; a task that latches the key again takes
  /// the rest of the queue with it.
  public void release(byte[] storageKey) {
    Key key = new Key(storageKey);
    ArrayDeque<Runnable> tasks = held.remove(key);
    while (tasks != null && !tasks.isEmpty()) {
      ArrayDeque<Runnable> again = held.get(key);
      if (again != null) {
        again.addAll(tasks);
        return;
      }
      queued--;
      assert queued >= 0 : "more writes left the latches than came";
      tasks.poll().run();
    }
  }

  /// Writes that wait for a latch.
  public int waiting() {
    return queued;
  }
}
