package dev.tern.lsm;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What a reader looks through: immutable but for the memtables' growth, replaced as a whole.
///
/// A point read uses it inside an epoch and counts nothing. What lasts longer (iterators, flushes,
/// compactions) retains it. Its tables are not deleted before the last of them let go and every
/// epoch in which it was current has ended.
final class ReadState {
  /// One column family's sources.
  ///
  /// @param active written to
  /// @param immutable waiting for their flush, newest first
  record Family(Memtable active, List<Memtable> immutable, Levels levels) {

    /// With another memtable to be written to.
    Family rotated(Memtable next) {
      List<Memtable> waiting = new ArrayList<>();
      active.order();
      waiting.add(active);
      waiting.addAll(immutable);
      return new Family(next, waiting, levels);
    }

    /// Looks the lookup's key up, newest source first: what a source says of a key is newer than
    /// what those behind it do.
    int find(Lookup lookup) throws IOException {
      int outcome = active.find(lookup);
      for (int i = 0; i < immutable.size() && isOpen(outcome, lookup); i++) {
        outcome = immutable.get(i).find(lookup);
      }
      return isOpen(outcome, lookup) ? levels.find(lookup) : outcome;
    }

    private static boolean isOpen(int outcome, Lookup lookup) {
      return outcome == Lookup.ABSENT && lookup.covered == 0;
    }

    List<Cursor> cursors(Epochs epochs, long maxSequence, boolean fill) {
      List<Cursor> sources = new ArrayList<>();
      sources.add(active.cursor(maxSequence));
      for (Memtable memtable : immutable) {
        sources.add(memtable.cursor(maxSequence));
      }
      levels.addCursors(sources, epochs, fill);
      return sources;
    }

    /// The deleted ranges of all sources, up to a sequence.
    Deletions deletions(long maxSequence) {
      List<Deletions.Part> parts = new ArrayList<>();
      active.tombstones().addTo(parts);
      for (Memtable memtable : immutable) {
        memtable.tombstones().addTo(parts);
      }
      parts.addAll(levels.deletions());
      return new Deletions(parts, maxSequence);
    }
  }

  /// By column family id; null where there is none.
  final @Nullable Family[] families;

  /// Everything up to it is in tables and therefore durable.
  final long flushedSequence;

  private final AtomicInteger references = new AtomicInteger(1);

  /// What the store's column families belong to.
  private final Object owner;

  ReadState(Object owner, @Nullable Family[] families, long flushedSequence) {
    this.owner = owner;
    this.families = families;
    this.flushedSequence = flushedSequence;
  }

  /// Held by the memtables that are written to; the writer.
  long activeBytes() {
    long bytes = 0;
    for (Family family : families) {
      bytes += family == null ? 0 : family.active().bytes();
    }
    return bytes;
  }

  /// Reads every byte of every table and checks all there is to check; how many there are.
  int verify() throws IOException {
    int count = 0;
    for (Family family : families) {
      for (Table table : family == null ? List.<Table>of() : family.levels().all()) {
        table.verify();
        count++;
      }
    }
    return count;
  }

  /// By who is inside an epoch in which this was current.
  void retain() {
    references.incrementAndGet();
  }

  /// True if nobody uses it any more.
  boolean release() {
    return references.decrementAndGet() == 0;
  }

  /// @throws IllegalArgumentException if it is another store's, or of an earlier opening of this
  ///   one
  Family family(ColumnFamily family) {
    Family found = family.id() < families.length ? families[family.id()] : null;
    if (found == null || family.owner() != owner) {
      throw new IllegalArgumentException(
          "%s is not of this store, or not of this opening of it".formatted(family));
    }
    return found;
  }
}
