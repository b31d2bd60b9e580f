package dev.tern.lsm;

import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/// What a reader looks through: immutable but for the memtables' growth, counted, replaced as a
/// whole. Its tables are not deleted before the last reader let go.
final class ReadState {
  /// One column family's sources, newest first.
  record Family(Memtable active, List<Memtable> immutable, List<Table> tables) {}

  /// By column family id; null where there is none.
  final @Nullable Family[] families;

  /// Everything up to it is in tables and therefore durable.
  final long flushedSequence;

  private final AtomicInteger references = new AtomicInteger(1);

  ReadState(@Nullable Family[] families, long flushedSequence) {
    this.families = families;
    this.flushedSequence = flushedSequence;
  }

  /// False if it has been let go by all.
  boolean retain() {
    int count;
    do {
      count = references.get();
      if (count == 0) {
        return false;
      }
    } while (!references.compareAndSet(count, count + 1));
    return true;
  }

  /// True if nobody uses it any more.
  boolean release() {
    return references.decrementAndGet() == 0;
  }

  Family family(ColumnFamily family) {
    Family found = family.id() < families.length ? families[family.id()] : null;
    if (found == null) {
      throw new IllegalArgumentException("no column family " + family);
    }
    return found;
  }
}
