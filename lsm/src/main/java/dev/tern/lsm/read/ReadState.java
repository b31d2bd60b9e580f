package dev.tern.lsm.read;

import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Deletions;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.table.BlockLookup;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What a reader looks through: immutable but for the memtables' growth, replaced as a whole.
///
/// A point read uses it inside an epoch and counts nothing, unless it waits for a disk. What lasts
/// longer (iterators, flushes, compactions) retains it. Its tables are not deleted before the last
/// of them let go and every epoch in which it was current has ended.
public final class ReadState implements BlockLookup.Source {
  /// One column family's sources.
  ///
  /// @param active written to
  /// @param immutable waiting for their flush, newest first
  public record Family(Memtable active, List<Memtable> immutable, Levels levels) {

    /// With another memtable to be written to.
    public Family rotated(Memtable next) {
      List<Memtable> waiting = new ArrayList<>();
      active.order();
      waiting.add(active);
      waiting.addAll(immutable);
      return new Family(next, waiting, levels);
    }

    /// Looks the lookup's key up, newest source first: what a source says of a key is newer than
    /// what those behind it do.
    public int find(BlockLookup lookup) throws IOException {
      int outcome = active.find(lookup);
      for (int i = 0; i < immutable.size() && isOpen(outcome, lookup); i++) {
        outcome = immutable.get(i).find(lookup);
      }
      return isOpen(outcome, lookup) ? levels.find(lookup) : outcome;
    }

    private static boolean isOpen(int outcome, BlockLookup lookup) {
      return outcome == Lookup.ABSENT && lookup.covered == 0;
    }

    /// @param from where the caller begins, null for the first key
    /// @param to where the caller ends, null for the end; the cursors may lack what lies outside
    public List<Cursor> cursors(
        Epochs<?> epochs,
        long maxSequence,
        boolean fill,
        long generation,
        byte @Nullable [] from,
        byte @Nullable [] to) {
      List<Cursor> sources = new ArrayList<>();
      sources.add(active.cursor(maxSequence));
      for (Memtable memtable : immutable) {
        sources.add(memtable.cursor(maxSequence));
      }
      levels.visible(generation).addCursors(sources, epochs, fill, from, to);
      return sources;
    }

    /// The deleted ranges of all sources, up to a sequence and without those of later ingests.
    public Deletions deletions(long maxSequence, long generation) {
      List<Deletions.Part> parts = new ArrayList<>();
      active.tombstones().addTo(parts);
      for (Memtable memtable : immutable) {
        memtable.tombstones().addTo(parts);
      }
      parts.addAll(levels.deletions(generation));
      return new Deletions(parts, maxSequence);
    }
  }

  /// By column family id; null where there is none.
  public final @Nullable Family[] families;

  /// Everything up to it is in tables and therefore durable.
  public final long flushedSequence;

  private final AtomicInteger references = new AtomicInteger(1);

  public ReadState(@Nullable Family[] families, long flushedSequence) {
    this.families = families;
    this.flushedSequence = flushedSequence;
  }

  /// Held by the memtables that are written to; the writer.
  public long activeBytes() {
    long bytes = 0;
    for (Family family : families) {
      bytes += family == null ? 0 : family.active().bytes();
    }
    return bytes;
  }

  /// Reads every byte of every table and checks all there is to check; how many there are.
  public int verify() throws IOException {
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
  @Override
  public void retain() {
    if (references.incrementAndGet() < 2) {
      throw new IllegalStateException("a state was retained that nobody held");
    }
  }

  /// True if nobody uses it any more.
  public boolean release() {
    int left = references.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException("a state was released that nobody held");
    }
    return left == 0;
  }

  /// The sources of the column family with a number; null if there is none.
  public @Nullable Family family(int id) {
    return id < families.length ? families[id] : null;
  }
}
