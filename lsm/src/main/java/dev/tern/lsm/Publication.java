package dev.tern.lsm;

import dev.tern.lsm.log.LogFile;
import dev.tern.lsm.log.WriteLog;
import dev.tern.lsm.memtable.Memtable;
import dev.tern.lsm.read.ReadState;
import dev.tern.lsm.table.Levels;
import dev.tern.lsm.table.Table;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Replaces what readers see: after a rotation of the memtables, a flush, a compaction, and when a
/// column family is made.
///
/// A change is made whole or it fails the store for good. A store that went on with half of one,
/// because memory was short for instance, could take a memtable for flushed that is not, and delete
/// its log, or a table for unused that the manifest names. The next opening finds all there is.
final class Publication {
  private final Readers readers;
  private final Tools tools;
  private final Tables tables;
  private final WriteLog log;
  private final ReentrantLock lock;
  private final AtomicInteger immutables = new AtomicInteger();

  /// Everything up to it is in tables or in memtables that wait for their flush; guarded by the
  /// lock.
  private long rotated;

  Publication(Readers readers, Tools tools, Tables tables, WriteLog log, ReentrantLock lock) {
    this.readers = readers;
    this.tools = tools;
    this.tables = tables;
    this.log = log;
    this.lock = lock;
    this.rotated = readers.state.flushedSequence;
  }

  /// Whether the next flushes take everything up to a sequence. Under the lock.
  boolean isRotated(long sequence) {
    assert lock.isHeldByCurrentThread();
    return rotated >= sequence;
  }

  /// Memtables that wait for their flush.
  int immutables() {
    return immutables.get();
  }

  /// Makes a change under the lock; what is thrown in its middle fails the store.
  private void whole(Runnable change) {
    boolean done = false;
    lock.lock();
    try {
      change.run();
      done = true;
    } finally {
      if (!done) {
        log.poison();
      }
      lock.unlock();
    }
  }

  /// Under the lock, as a part of a change.
  private void publish(ReadState next) {
    assert lock.isHeldByCurrentThread();
    ReadState before = readers.state;
    if (next.flushedSequence < before.flushedSequence) {
      throw new IllegalStateException(
          "what readers see would be flushed up to %d after %d"
              .formatted(next.flushedSequence, before.flushedSequence));
    }
    tables.holders.retain(next);
    readers.state = next;
    tools.epochs().retire(() -> readers.letGo(before));
  }

  private ReadState state(ReadState.@Nullable Family[] families, long flushedSequence) {
    return new ReadState(families, flushedSequence);
  }

  /// A column family was made, and the manifest says so.
  void created(ColumnFamily family) {
    whole(
        () -> {
          ReadState now = readers.state;
          int count = Math.max(now.families.length, family.id() + 1);
          ReadState.@Nullable Family[] families = Arrays.copyOf(now.families, count);
          // As many as the others have: the oldest of all families are flushed together.
          List<Memtable> waiting =
              Stream.generate(tools::memtable).limit(immutables.get()).toList();
          families[family.id()] = new ReadState.Family(tools.memtable(), waiting, Levels.EMPTY);
          publish(state(families, now.flushedSequence));
        });
  }

  /// The levels of some families have changed, and the manifest says so; under the manifest lock.
  ///
  /// @param flushed whether the oldest memtables are in tables now
  void install(Map<Integer, Levels> changed, long flushedSequence, boolean flushed) {
    whole(
        () -> {
          ReadState.@Nullable Family[] families = readers.state.families.clone();
          for (int i = 0; i < families.length; i++) {
            ReadState.Family family = families[i];
            if (family != null) {
              List<Memtable> immutable = family.immutable();
              boolean drop = flushed && !immutable.isEmpty();
              families[i] =
                  new ReadState.Family(
                      family.active(),
                      drop ? List.copyOf(immutable.subList(0, immutable.size() - 1)) : immutable,
                      changed.getOrDefault(i, family.levels()));
            }
          }
          publish(state(families, flushedSequence));
          if (flushed) {
            int left = immutables.decrementAndGet();
            if (left < 0) {
              throw new IllegalStateException("a memtable was flushed that was not waiting");
            }
          }
        });
  }

  /// As [#install], for tables of an ingest: snapshots that are open do not see them.
  void ingested(Map<Integer, Levels> changed, long flushedSequence, List<Table> tablesIn) {
    whole(
        () -> {
          long generation = readers.generation + 1;
          tablesIn.forEach(table -> table.ingested(generation));
          install(changed, flushedSequence, false);
          // Behind the state: who finds this number finds the tables.
          readers.generation = generation;
        });
  }

  /// Ends the group, and goes on in another log and in new memtables. Called under the lock.
  ///
  /// @param last appends what ends the memtables, behind what the end of the group adds
  /// @return what `last` returned
  /// @throws IOException if that cannot be; nothing has changed but what was appended
  long rotate(LogFile.Writer next, LongSupplier last) throws IOException {
    long told = log.endGroup(last);
    ReadState rotated = rotated();
    whole(
        () -> {
          log.switchTo(next);
          rotate(rotated, next.number);
        });
    return told;
  }

  /// Goes on in new memtables: once the others are in tables, no log below a number is needed.
  /// Called under the lock.
  void rotateMemtables(long nextLog) {
    ReadState rotated = rotated();
    whole(() -> rotate(rotated, nextLog));
  }

  /// Takes the memory for new memtables; changes nothing.
  private ReadState rotated() {
    ReadState now = readers.state;
    ReadState.@Nullable Family[] families = now.families.clone();
    for (int i = 0; i < families.length; i++) {
      ReadState.Family family = families[i];
      families[i] = family == null ? null : family.rotated(tools.memtable());
    }
    return state(families, now.flushedSequence);
  }

  private void rotate(ReadState next, long nextLog) {
    rotated = readers.written;
    tables.rotated(nextLog, rotated);
    publish(next);
    immutables.incrementAndGet();
  }
}
