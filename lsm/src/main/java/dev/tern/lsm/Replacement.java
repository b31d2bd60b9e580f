package dev.tern.lsm;

import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Puts staged tables in the place of what is in some ranges, as [Lsm#replace] does, but in steps:
/// the owner of a store whose groups end on one thread ([Lsm#beforeGroupEnds]) goes from one to the
/// next, and writes again in between what of the ranges is to stay.
///
/// ```
///   mark       an entry that changes nothing: its sequence is the tables'. No I/O, no waiting
///   isMarked   all up to it is in tables, all that is written behind it is not
///              the owner writes what is to stay, and makes it durable
///   commit     one edit: the tables are readable, what was in the ranges before the mark is not
/// ```
///
/// What is written behind the mark is newer than the tables and stays. What is read in the ranges
/// between the mark and the commit is what was there before, below what is written meanwhile.
///
/// Threads: [#mark], [#isMarked] and [#close] any, without waiting but for the store's lock;
/// [#commit] blocks. One call at a time.
public final class Replacement implements AutoCloseable {
  private final Ingests ingests;
  final String label;
  final List<KeyRange> ranges;

  /// Keeps compactions from settling what is written above it, see [Ingests].
  private @Nullable Snapshot guard;

  private volatile Ingests.@Nullable Mark mark;

  /// Of the mark that was asked for last: another one comes late and is not taken.
  private volatile Object asked = new Object();

  Replacement(Ingests ingests, String label, List<KeyRange> ranges) {
    this.ingests = ingests;
    this.label = label;
    this.ranges = List.copyOf(ranges);
  }

  /// Asks for a mark, in place of the one before. The next rotation of the memtables sets it.
  ///
  /// @throws IllegalStateException if the store is closed or has failed
  public void mark() {
    close();
    mark = null;
    Object token = new Object();
    asked = token;
    guard = ingests.guard();
    ingests.markLater(
        set -> {
          if (token == asked) {
            mark = set;
          }
        });
  }

  /// Whether the mark is set, and all that was written before it is in tables.
  public boolean isMarked() {
    Ingests.Mark set = mark;
    return set != null && ingests.isFlushed(set);
  }

  /// Makes the tables readable by one durable edit. What the owner wrote behind the mark must be
  /// durable before.
  ///
  /// @return false if compactions have mixed what was written before the mark and behind it:
  ///   nothing has changed, and the owner begins again with [#mark]
  /// @throws IngestRefusedException if no table has the label, or a table lies in none of the
  ///   ranges, or two overlap; nothing has changed
  /// @throws IllegalStateException if it is not marked, or the store is closed
  /// @throws IOException if it cannot be done. Nothing has changed while the store is open; the
  ///   next opening may find the edit all the same, until another edit of the manifest has been
  ///   made, as by [Lsm#abandonStaged]. Until then the owner writes nothing into the ranges
  public boolean commit() throws IOException {
    Ingests.Mark set = mark;
    if (set == null || !ingests.isFlushed(set)) {
      throw new IllegalStateException("a replacement without its mark");
    }
    return ingests.commit(this, set);
  }

  /// Lets go of what it keeps from compactions. Idempotent; the staged tables stay.
  @Override
  public void close() {
    Snapshot held = guard;
    guard = null;
    if (held != null) {
      held.close();
    }
  }
}
