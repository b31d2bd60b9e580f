package dev.tern.gateway.session;

import java.util.ArrayDeque;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The order of one connection's requests on each key: they take effect one after the other as they
/// came, and requests of other keys go on meanwhile.
///
/// ```
///   key a:  ALONE (begun)  ALONE (waits)  READ (waits)  UPDATE (waits)
///   key b:  READ (begun)   READ (begun)
/// ```
///
/// Reads of a key are under way together, and so are its updates: their leader keeps their order. A
/// request of another kind begins when all before it have ended. Requests of kind ALONE begin one
/// after the other.
///
/// A hash table holds the first turn of each key; the turns of a key are linked. So a turn costs no
/// object but itself.
///
/// Invariant: of each key the turns that have begun come first and are of one kind; of kind ALONE
/// it is one.
///
/// Threads: one loop.
public final class KeyOrder {
  private static final int FIRST_SIZE = 16;

  /// Which turns of a key may be under way together.
  public enum Kind {
    /// With other reads.
    READ,
    /// With other updates.
    UPDATE,
    /// With no other.
    ALONE
  }

  /// One request's turn, or one part's, on one key. Its protocol says what begins.
  public abstract static class Turn {
    private final Kind kind;
    private final byte[] key;
    private final int hash;
    private boolean begun;

    /// Of the same key, behind this turn.
    private @Nullable Turn next;

    /// Of the same key, before this turn.
    private @Nullable Turn previous;

    /// The key's last turn; valid at the key's first turn only.
    private Turn last = this;

    /// The first turn of another key in the same bucket; valid at the key's first turn only.
    private @Nullable Turn sibling;

    protected Turn(Kind kind, byte[] key) {
      this.kind = kind;
      this.key = key;
      this.hash = spread(Arrays.hashCode(key));
    }

    /// Starts the request. It calls [KeyOrder#end] when it has ended, perhaps before it returns.
    protected abstract void begin();

    /// Whether it has begun.
    public final boolean hasBegun() {
      return begun;
    }

    protected final byte[] key() {
      return key;
    }
  }

  private @Nullable Turn[] table = new Turn[FIRST_SIZE];
  private int keys;

  /// Turns whose time has come. They begin one after the other: each may end at once, and a
  /// thousand within each other would overflow the stack.
  private final ArrayDeque<Turn> ready = new ArrayDeque<>();

  private boolean beginning;
  private int unfinished;

  private static int spread(int hash) {
    return hash ^ hash >>> 16;
  }

  /// Whether nothing is under way and nothing waits.
  public boolean isIdle() {
    return unfinished == 0;
  }

  /// So many parts of this connection wait outside of the order, or have ended if negative.
  public void countsOthers(int change) {
    unfinished += change;
  }

  /// The last turn of the key of a turn that has not been added; null if the key has none.
  public @Nullable Turn last(Turn turn) {
    Turn first = first(turn.key, turn.hash);
    return first == null ? null : first.last;
  }

  /// Adds a turn behind those of its key; begins it if it may.
  public void add(Turn turn) {
    unfinished++;
    Turn first = first(turn.key, turn.hash);
    if (first == null) {
      insert(turn);
      turn.begun = true;
      turn.begin();
      return;
    }
    Turn last = first.last;
    last.next = turn;
    turn.previous = last;
    first.last = turn;
    if (turn.kind != Kind.ALONE && last.begun && last.kind == turn.kind) {
      turn.begun = true;
      assert isOrdered(first) : "turns of two kinds have begun";
      turn.begin();
    }
  }

  /// Puts a turn in the place of its key's last one, which has not begun and never begins. The turn
  /// that was replaced counts as unfinished until its owner says otherwise.
  public void replaceLast(Turn last, Turn by) {
    assert !last.begun && last.next == null && last.previous != null : "not the last that waits";
    unfinished++;
    Turn before = java.util.Objects.requireNonNull(last.previous);
    last.previous = null;
    before.next = by;
    by.previous = before;
    java.util.Objects.requireNonNull(first(by.key, by.hash)).last = by;
  }

  /// A turn that has begun has ended: the next of its key begin, if it was the last of its kind.
  public void end(Turn turn) {
    assert turn.begun : "a turn ends that has not begun";
    unfinished--;
    Turn next = turn.next;
    Turn previous = turn.previous;
    if (previous == null) {
      removeFirst(turn, next);
    } else {
      previous.next = next;
      if (next != null) {
        next.previous = previous;
      } else {
        java.util.Objects.requireNonNull(first(turn.key, turn.hash)).last = previous;
      }
    }
    if (previous == null && next != null && !next.begun) {
      for (Turn each = next; each != null; each = each.next) {
        boolean together = each == next || next.kind != Kind.ALONE;
        if (each.kind != next.kind || !together) {
          break;
        }
        each.begun = true;
        ready.add(each);
      }
      assert isOrdered(next) : "turns of two kinds have begun";
      beginReady();
    }
  }

  /// Whether the turns of a key that have begun come first, and are of one kind, or one alone. Only
  /// assertions look.
  private static boolean isOrdered(Turn first) {
    boolean begun = true;
    for (Turn each = first; each != null; each = each.next) {
      boolean together = each == first || each.kind == first.kind && each.kind != Kind.ALONE;
      if (each.begun && !(begun && together)) {
        return false;
      }
      begun &= each.begun;
    }
    return true;
  }

  private void beginReady() {
    if (beginning) {
      return;
    }
    beginning = true;
    try {
      Turn next;
      while ((next = ready.poll()) != null) {
        next.begin();
      }
    } finally {
      beginning = false;
    }
  }

  // ---- the table

  private @Nullable Turn first(byte[] key, int hash) {
    Turn each = table[hash & table.length - 1];
    while (each != null && !(each.hash == hash && Arrays.equals(each.key, key))) {
      each = each.sibling;
    }
    return each;
  }

  private void insert(Turn turn) {
    if (keys >= table.length) {
      grow();
    }
    keys++;
    int at = turn.hash & table.length - 1;
    turn.sibling = table[at];
    table[at] = turn;
  }

  /// Takes a key's first turn out.
  ///
  /// @param next of the same key, takes its place; null for none
  private void removeFirst(Turn turn, @Nullable Turn next) {
    Turn in = turn.sibling;
    if (next != null) {
      next.previous = null;
      next.last = turn.last;
      next.sibling = turn.sibling;
      in = next;
    } else {
      keys--;
    }
    int at = turn.hash & table.length - 1;
    Turn each = java.util.Objects.requireNonNull(table[at]);
    if (each == turn) {
      table[at] = in;
      return;
    }
    while (each.sibling != turn) {
      each = java.util.Objects.requireNonNull(each.sibling);
    }
    each.sibling = in;
  }

  private void grow() {
    @Nullable Turn[] smaller = table;
    table = new Turn[2 * smaller.length];
    for (Turn first : smaller) {
      while (first != null) {
        Turn sibling = first.sibling;
        int at = first.hash & table.length - 1;
        first.sibling = table[at];
        table[at] = first;
        first = sibling;
      }
    }
  }
}
