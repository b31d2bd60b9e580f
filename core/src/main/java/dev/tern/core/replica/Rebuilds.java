package dev.tern.core.replica;

import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.RepairPage;
import dev.tern.env.EventLoop;
import dev.tern.lsm.WriteBatch;
import java.util.Arrays;
import java.util.List;
import java.util.TreeSet;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// What a replica does with the pages of a rebuild besides storing their records, which is
/// [Writes#apply].
///
/// Threads: the shard's loop.
public final class Rebuilds {
  private final Writes writes;
  private final DotLog dotLog;
  private final Store store;
  private final EventLoop loop;

  /// Of the partitions of a replica.
  Rebuilds(Writes writes, DotLog dotLog, EventLoop loop) {
    this.writes = writes;
    this.dotLog = dotLog;
    this.store = writes.store();
    this.loop = loop;
  }

  /// Removes records that a page of a rebuild passes over though the replica that sent it must have
  /// had them: they were replaced or deleted while this store was away, or are from a backup.
  ///
  /// @param cursor that the page was asked for with
  /// @param agreed dots of the page's clock that all other replicas have that were heard
  /// @param done told whether it could be done
  public void dropUnlisted(
      Partition partition, RepairPage page, byte[] cursor, DotSet agreed, Consumer<Boolean> done) {
    Repair repair = dotLog.repair(partition, page.clock(), Long.MAX_VALUE);
    TreeSet<byte[]> listed = new TreeSet<>(Arrays::compareUnsigned);
    for (RepairPage.RepairRecord record : page.records()) {
      if (store.records().set(record.keyspace()) == partition.set()) {
        listed.add(store.records().recordKey(record.keyspace(), record.slot(), record.key()));
      }
    }
    Repair.Strips strips = new Repair.Strips(agreed, partition.floor(), store.lastWriteWins());
    loop.<List<Repair.Obsolete>>offload(
        () -> repair.unlisted(page, cursor, listed, strips),
        (found, failure) -> {
          for (Repair.Obsolete each : found == null ? List.<Repair.Obsolete>of() : found) {
            drop(partition, each, page.clock());
          }
          done.accept(failure == null);
        });
  }

  private void drop(Partition partition, Repair.Obsolete obsolete, DotSet seen) {
    writes.withBase(
        store.records().data(obsolete.keyspace()),
        obsolete.storageKey(),
        new Writes.Based() {
          @Override
          public void base(@Nullable Siblings base) {
            if (base != null && seen.covers(base.dots())) {
              partition.countStrip();
              Siblings nothing = Siblings.nothing(partition.clock());
              writes.append(obsolete.keyspace(), partition, obsolete.storageKey(), base, nothing);
            }
          }

          @Override
          public void refused(Unanswered.Refused why) {
            // It stays; whoever reads it at more than one replica still sees it.
          }
        });
  }

  /// All these dots are here, by a rebuild. Of those that came without a record the log of dots has
  /// no entry: they count as trimmed, so that a replica that lacks them is rebuilt, too.
  public void ended(Partition partition, DotSet dots) {
    DotSet unlogged = dots.minus(partition.clock());
    if (!unlogged.isEmpty()) {
      WriteBatch batch = new WriteBatch();
      dotLog.noteTrimmed(partition, unlogged, batch);
      store.lsm().append(batch);
    }
    dotLog.covered(partition, dots);
  }
}
