package dev.tern.core.replica;

import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.store.Commits;
import dev.tern.core.version.DotSet;
import dev.tern.core.wire.RepairPage;
import dev.tern.env.EventLoop;
import dev.tern.env.Offload;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import org.jspecify.annotations.Nullable;

/// What repair does with the log of dots: gathers records by their dots, claims dots whose records
/// are here or replaced, and removes entries that no replica needs.
///
/// Threads: the shard's loop; records are read on workers.
public final class DotLog {
  private final ReplicaContext context;
  private final Store store;
  private final Lsm lsm;
  private final EventLoop loop;
  private final Commits commits;
  private final WriteBatch batch = new WriteBatch();

  DotLog(ReplicaContext context, Commits commits) {
    this.context = context;
    this.store = context.store();
    this.lsm = context.lsm();
    this.loop = context.loop();
    this.commits = commits;
  }

  /// Gathers records that another replica lacks, as far as they are on disk here.
  ///
  /// @param wanted dots
  /// @param cursor of a rebuild, empty to begin one; null for the records of `wanted` alone
  public void repairPage(
      Partition partition,
      DotSet wanted,
      byte @Nullable [] cursor,
      Offload.Completion<RepairPage> done) {
    store.journal().synced(lsm.syncedSequence());
    DotSet clock = partition.synced().copy();
    DotSet here = wanted.and(clock);
    DotSet unlogged = here.and(partition.trimmed());
    if (cursor == null && !unlogged.isEmpty()) {
      done.complete(RepairPage.rebuild(clock), null);
      return;
    }
    Repair repair = repair(partition, clock, lsm.syncedSequence());
    DotSet unread = cursor == null || unlogged.isEmpty() ? here : unlogged;
    loop.offload(
        () -> cursor == null ? repair.ofDots(here) : repair.ofSlots(cursor, unread),
        (page, failure) ->
            done.complete(failure == null ? page : RepairPage.unread(clock, unread, cursor), null));
  }

  /// Gathers what is there of a partition at a sequence.
  Repair repair(Partition partition, DotSet clock, long sequence) {
    return new Repair(store, partition, clock, sequence, context.pageBytes());
  }

  /// All these dots are here, or what replaced them is.
  public void covered(Partition partition, DotSet dots) {
    dots.minus(partition.clock())
        .forEach((replica, from, to) -> store.journal().noteRun(partition, replica, from, to));
    store.journal().endGroup(context.physicalMillis());
    force();
  }

  /// Notes with the batch that the log of dots has no entries of some.
  void noteTrimmed(Partition partition, DotSet dots, WriteBatch batch) {
    partition.trim(dots);
    batch.put(
        store.records().meta(), Rows.of(partition, Rows.TRIMMED), partition.trimmed().encoded());
  }

  /// Removes dots from the log of dots: every replica has them.
  public void trim(Partition partition, DotSet dots) {
    if (partition.isParked()) {
      // Its rows are being written anew.
      return;
    }
    batch.clear();
    dots.forEach(
        (replica, from, to) ->
            batch.deleteRange(
                store.dots(),
                Rows.dot(partition, replica, from),
                Rows.dot(partition, replica, to + 1)));
    noteTrimmed(partition, dots, batch);
    lsm.append(batch);
  }

  /// Forces the log, so that clocks on disk cover what was written and can be told to others.
  void force() {
    commits.await(lsm.writtenSequence(), Durability.SYNC, () -> {});
  }
}
