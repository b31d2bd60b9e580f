package dev.tern.lsm.table;

import dev.tern.lsm.budget.MemoryBudget;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// What of the tables of one or several stores is in memory beside the block cache, and which of it
/// goes when others need its file or its memory: what was used least lately, by the hand of a clock
/// (Corbato, 1968).
///
/// ```
///   clock: [reader] [filter] [reader] [filter] [filter] ...
///            the hand forgets what was not used lately
/// ```
///
/// Invariant: no more than `mostOpen` files are open and no more than [#mostBytes] are held, but
/// for what somebody uses at the moment: an iterator holds the table it stands in, and a table that
/// is opened stays until the next one is.
///
/// Any thread.
@SuppressWarnings("NonAtomicVolatileUpdate") // Under the lock.
public final class TableClock {
  private final int mostOpen;
  private final long mostBytes;
  private final MemoryBudget budget;

  /// Held by [OpenTables] for each change.
  final ReentrantLock lock = new ReentrantLock();

  /// Guarded by the lock, as are the hand and the count of files.
  private final List<Resident> clock = new ArrayList<>();

  private int hand;

  /// Written under the lock, as `bytes`.
  private volatile int open;

  /// Of the clock's.
  private volatile long bytes;

  /// @param mostOpen files, at least 1
  /// @param mostBytes of filters and top indexes; less as the budget says
  public TableClock(int mostOpen, long mostBytes, MemoryBudget budget) {
    if (mostOpen < 1 || mostBytes < 0) {
      throw new IllegalArgumentException("a table must be open to be read");
    }
    this.mostOpen = mostOpen;
    this.mostBytes = mostBytes;
    this.budget = budget;
  }

  /// Bytes that filters and top indexes may take now.
  long mostBytes() {
    return Math.min(mostBytes, budget.indexLimit());
  }

  /// Bytes that may be added before something must go.
  long room() {
    return mostBytes() - bytes;
  }

  boolean isFull() {
    return isFull(mostBytes());
  }

  private boolean isFull(long most) {
    return open > mostOpen || bytes > most;
  }

  /// Under the lock.
  ///
  /// @param gone gets what has to go
  void add(Resident made, List<Resident> gone) {
    made.place = clock.size();
    clock.add(made);
    open += made.files();
    bytes += made.bytes;
    makeRoom(made, gone);
  }

  /// Under the lock: forgets what was not used lately while there is too much.
  ///
  /// @param kept not to be forgotten; null for none
  void makeRoom(@Nullable Resident kept, List<Resident> gone) {
    long most = mostBytes();
    // Twice around: the first time the hand may do no more than take the marks away.
    for (int step = 2 * clock.size(); step > 0 && isFull(most); step--) {
      hand = hand < clock.size() ? hand : 0;
      Resident next = clock.get(hand);
      boolean helps = bytes > most || next.files() > 0;
      if (next == kept || !helps || next.isHeld()) {
        hand++;
      } else if (next.touched) {
        next.touched = false;
        hand++;
      } else {
        forget(next, gone);
      }
    }
  }

  /// Under the lock: nobody finds it any more.
  void forget(Resident old, List<Resident> gone) {
    if (old.place < 0) {
      return;
    }
    Resident last = clock.removeLast();
    if (last != old) {
      clock.set(old.place, last);
      last.place = old.place;
    }
    old.place = -1;
    open -= old.files();
    bytes -= old.bytes;
    old.unlink();
    old.owner.forgotten(old.files());
    gone.add(old);
    if (old instanceof TableReader reader) {
      for (TableFilter filter : reader.filters) {
        if (filter != null) {
          forget(filter, gone);
        }
      }
    }
  }
}
