package dev.tern.lsm.table;

import dev.tern.env.FileSystem;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.cache.BlockCache;
import dev.tern.lsm.cache.NativeMemory;
import dev.tern.lsm.epoch.Epochs;
import dev.tern.lsm.epoch.Pausing;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The tables of a store that are open. A table is opened when somebody looks into it, and is
/// closed when others need its file or its memory; see [TableClock], which other stores may share.
///
/// ```
///   Table.reader --null--> open --> TableClock
/// ```
///
/// Invariants:
/// - a part of a filter is never in memory without its table's reader;
/// - what is forgotten is freed when every reader that may have found it has left its epoch, and
///   nobody holds it.
///
/// Any thread; opening blocks.
public final class OpenTables {
  final FileSystem files;
  final BlockCache cache;
  final NativeMemory buffers;
  final Epochs<?> epochs;
  final MemoryAccount memory;
  private final TableClock clock;
  private final ReentrantLock lock;

  /// Files that are open, but for those that are forgotten and still used.
  private final AtomicInteger open = new AtomicInteger();

  /// Of a store that shares nothing; what its tables hold counts against its cache.
  ///
  /// @param mostOpen files, at least 1
  /// @param mostBytes of filters and top indexes; less as the cache's budget says
  public OpenTables(
      FileSystem files,
      BlockCache cache,
      NativeMemory buffers,
      Epochs<?> epochs,
      int mostOpen,
      long mostBytes) {
    this(
        files,
        cache,
        buffers,
        epochs,
        new TableClock(mostOpen, mostBytes, cache.blocks().memory().budget()),
        cache.blocks().memory());
  }

  /// @param memory told what the tables hold
  public OpenTables(
      FileSystem files,
      BlockCache cache,
      NativeMemory buffers,
      Epochs<?> epochs,
      TableClock clock,
      MemoryAccount memory) {
    this.files = files;
    this.cache = cache;
    this.buffers = buffers;
    this.epochs = epochs;
    this.clock = clock;
    this.lock = clock.lock;
    this.memory = memory;
  }

  /// Opens a table, unless another thread has done so meanwhile; for a caller inside an epoch, who
  /// may use it until leaving that. The caller waits for the disk outside the epoch.
  ///
  /// @throws dev.tern.lsm.file.CorruptionException if the file is not the one that is meant
  TableReader open(Table table, Pausing inside) throws IOException {
    TableReader made;
    inside.pause();
    try {
      made = TableReader.open(this, table);
    } finally {
      inside.resume();
    }
    TableReader found;
    List<Resident> gone = new ArrayList<>();
    lock.lock();
    try {
      found = table.adopt(made);
      if (found == made) {
        open.incrementAndGet();
        clock.add(made, gone);
      }
    } finally {
      lock.unlock();
    }
    if (found != made) {
      made.letGo();
    }
    retire(gone);
    return found;
  }

  /// A part of a table's filter, for a caller inside an epoch, who may use it until leaving that;
  /// null if there is no room for it. Blocks; the caller waits for the disk outside the epoch, and
  /// must find the reader anew unless it is held.
  @Nullable TableFilter filter(TableReader reader, int part, Pausing inside) throws IOException {
    int wanted = reader.filterBytes(part);
    boolean hasRoom = wanted <= clock.room();
    if (wanted > clock.mostBytes() || !hasRoom && !reader.isMissed(part)) {
      return null;
    }
    TableFilter made = reader.outside(inside, () -> reader.readFilter(part));
    TableFilter found;
    List<Resident> gone = new ArrayList<>();
    lock.lock();
    try {
      found = reader.filters[part];
      if (found == null && reader.place >= 0) {
        reader.filters[part] = made;
        found = made;
        clock.add(made, gone);
      } else {
        gone.add(made);
      }
    } finally {
      lock.unlock();
    }
    retire(gone);
    return found == null ? made : found;
  }

  /// One of the store's files is forgotten; under the lock.
  void forgotten(int files) {
    open.addAndGet(-files);
  }

  /// After something was let go that could not be forgotten before, or when others hold more.
  public void trim() {
    if (clock.isFull()) {
      List<Resident> gone = new ArrayList<>();
      lock.lock();
      try {
        clock.makeRoom(null, gone);
      } finally {
        lock.unlock();
      }
      retire(gone);
    }
  }

  /// Lets go of what others need more, if they hold more than the budget leaves them. Not to be
  /// called by what epochs retire.
  public void giveWay() {
    if (memory.budget().isOver()) {
      trim();
      cache.shrink();
    }
  }

  /// What is gone may be another store's: its readers are waited for.
  private void retire(List<Resident> gone) {
    gone.forEach(each -> each.owner.epochs.retire(each::letGo));
    cache.shrink();
  }

  /// A table that nobody uses any more closes its file.
  void close(Table table) {
    List<Resident> gone = new ArrayList<>();
    lock.lock();
    try {
      memory.add(MemoryPart.TABLES, table.isEnded() ? 0 : -table.heldBytes());
      TableReader reader = table.end();
      if (reader != null) {
        clock.forget(reader, gone);
      }
    } finally {
      lock.unlock();
    }
    gone.forEach(Resident::letGo);
  }

  /// Files that are open, but for those that are forgotten and still used.
  public int openFiles() {
    return open.get();
  }
}
