package dev.tern.lsm;

import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/// The tables of a store at one moment, for an incremental backup or a feed of changes: a table
/// never changes, so what was copied once need not be copied again. Their files stay until it is
/// closed, or the store is closed and opened again; so do the memtables of that moment. Any thread.
///
/// Together the files hold everything up to [#flushedSequence], of all column families, and nothing
/// that is newer.
public final class PinnedTables implements AutoCloseable {
  private final Readers readers;
  private final ReadState state;
  private final List<File> files;
  private final AtomicBoolean closed = new AtomicBoolean();

  /// A table.
  ///
  /// @param family the name of its column family
  /// @param level 0 for the youngest tables, which may overlap, the newest of them first
  /// @param number no other table of the store ever has it
  /// @param path of the file, to be read or linked while this is open
  /// @param bytes of the file
  /// @param checksum CRC32C of the file, as the manifest has it
  /// @param smallestSequence of what the table holds; of a table from outside that of its ingest,
  ///   and then the largest one too, whatever the file says; 0 if a compaction dropped a sequence
  ///   that nobody could tell from an older one
  /// @param largestSequence of what the table holds
  public record File(
      String family,
      int level,
      long number,
      String path,
      long bytes,
      int checksum,
      long smallestSequence,
      long largestSequence) {}

  /// @param state retained; let go of with this
  PinnedTables(Readers readers, ReadState state, List<ColumnFamily> families) {
    this.readers = readers;
    this.state = state;
    List<File> found = new ArrayList<>();
    for (ColumnFamily family : families) {
      ReadState.Family seen = state.family(family.id());
      for (int level = 0; seen != null && level < Levels.COUNT; level++) {
        for (Table table : seen.levels().level(level)) {
          found.add(
              new File(
                  family.name(),
                  level,
                  table.number,
                  table.path,
                  table.sizeBytes,
                  table.crc,
                  table.properties.smallestSequence(),
                  table.properties.largestSequence()));
        }
      }
    }
    this.files = List.copyOf(found);
  }

  /// Everything up to it lies in the files.
  public long flushedSequence() {
    return state.flushedSequence;
  }

  /// By column family and level.
  public List<File> files() {
    return files;
  }

  /// The files that are not among those of an earlier moment: what a backup lacks that has those.
  /// After a compaction they repeat what the earlier ones held.
  ///
  /// @param earlier of the same store, also of an earlier opening
  public List<File> since(List<File> earlier) {
    Set<Long> known = new HashSet<>();
    earlier.forEach(file -> known.add(file.number));
    return files.stream().filter(file -> !known.contains(file.number)).toList();
  }

  /// Lets the files go. Idempotent.
  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      readers.letGo(state);
    }
  }
}
