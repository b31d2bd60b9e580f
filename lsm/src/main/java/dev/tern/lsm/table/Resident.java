package dev.tern.lsm.table;

import dev.tern.lsm.budget.MemoryPart;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicInteger;

/// Something of a table that is in native memory of its own, until [OpenTables] forgets it and
/// nobody uses it any more.
///
/// Any thread.
abstract class Resident {
  /// What an open file takes of the heap: its channel, its reader, and what frees them.
  private static final int FILE_BYTES = 1 << 10;

  final OpenTables owner;
  final long bytes;
  final Arena arena;

  /// Whether it was used since the clock's hand last passed. Races are harmless: a use may be lost.
  boolean touched;

  /// Its index in the clock, -1 for none; guarded by the lock of its owner.
  int place = -1;

  /// Users that outlive their epoch, and one for the owner until it forgets it.
  private final AtomicInteger users = new AtomicInteger(1);

  /// @param arena has `bytes`, and is closed with it
  Resident(OpenTables owner, Arena arena, long bytes) {
    this.owner = owner;
    this.arena = arena;
    this.bytes = bytes;
    count(1);
  }

  private void count(int sign) {
    owner.memory.add(MemoryPart.INDEXES, sign * bytes);
    owner.memory.add(MemoryPart.FILES, (long) sign * files() * FILE_BYTES);
  }

  /// Nobody shall find it any more; under the lock of its owner.
  abstract void unlink();

  /// How many files it keeps open.
  abstract int files();

  /// Lets go of more than memory.
  abstract void free();

  final void touch() {
    if (!touched) {
      touched = true;
    }
  }

  /// Keeps it beyond the epoch in which it was found, until [#letGo].
  final void hold() {
    if (users.incrementAndGet() < 2) {
      throw new IllegalStateException("a part of a table was held that is gone");
    }
  }

  final boolean isHeld() {
    return users.get() > 1;
  }

  /// Ends what [#hold] began, or what the owner held: the last one frees the memory.
  final void letGo() {
    int left = users.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException("a part of a table was let go that nobody held");
    }
    if (left == 0) {
      count(-1);
      arena.close();
      free();
    }
  }
}
