package dev.tern.lsm.table;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/// The tables that made a compaction fail. No compaction takes them for a while, which doubles with
/// each failure, so that one broken table holds up what needs it and nothing else.
///
/// Guarded by the manifest lock of `Tables`, but for [#count].
public final class SetAside {
  private static final long FIRST_NANOS = 1_000_000_000L;

  /// Ten minutes, about.
  private static final int MOST_DOUBLINGS = 9;

  /// A compaction failed over tables that are set aside now; others may go on.
  public static final class Failure extends IOException {
    private static final long serialVersionUID = 1;

    public Failure(Throwable cause) {
      super(String.valueOf(cause.getMessage()), cause);
    }
  }

  private final List<Table> tables = new ArrayList<>();
  private volatile int count;

  /// Sets those inputs of a failed compaction aside that could not be read; all of them if the
  /// failure was none of input or output.
  ///
  /// @return whether any was
  public boolean failed(List<Table> inputs, Throwable failure, long nowNanos) {
    boolean unreadable = inputs.stream().anyMatch(table -> table.readFailure != null);
    boolean any = false;
    for (Table table : inputs) {
      boolean guilty = unreadable ? table.readFailure != null : !(failure instanceof IOException);
      if (guilty) {
        table.aside = true;
        table.asideUntilNanos = nowNanos + (FIRST_NANOS << table.asideTimes);
        table.asideTimes = Math.min(MOST_DOUBLINGS, table.asideTimes + 1);
        tables.add(table);
        any = true;
      }
    }
    count = tables.size();
    return any;
  }

  /// Those whose time is up may be tried again.
  public void forgive(long nowNanos) {
    tables.removeIf(
        table -> {
          boolean due = nowNanos - table.asideUntilNanos >= 0;
          table.aside &= !due;
          return due;
        });
    count = tables.size();
  }

  /// Those that no list has any more.
  public void gone(List<Table> removed) {
    tables.removeAll(removed);
    count = tables.size();
  }

  /// How many there are; any thread.
  public int count() {
    return count;
  }
}
