package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.env.CoverageMarks;
import dev.tern.env.EventLoop;
import dev.tern.env.Offload;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Finds the tombstones of a partition and strips those that nothing can need any more. Who says
/// which ones is the business of repair.
///
/// Invariant: what is stripped lies at or below the floor of its partition from the same batch on.
///
/// Threads: the shard's loop; tombstones are read on workers.
public final class Tombstones {
  private final Store store;
  private final Lsm lsm;
  private final EventLoop loop;
  private final Writes writes;
  private final PlantedBug planted;
  private final WriteBatch batch = new WriteBatch();

  Tombstones(ReplicaContext context, Writes writes) {
    this.store = context.store();
    this.lsm = context.lsm();
    this.loop = context.loop();
    this.planted = context.planted();
    this.writes = writes;
  }

  /// Reads the first deletes of a partition that are not stripped.
  public void graves(Partition partition, int limit, Offload.Completion<List<Grave>> done) {
    long before = partition.graves();
    loop.<List<Grave>>offload(
        () -> Grave.read(store, partition, limit),
        (found, failure) -> {
          if (found != null && found.isEmpty()) {
            partition.noGraves(before);
          }
          done.complete(found, failure);
        });
  }

  /// Removes deletes that nothing can need any more, and what tells of them. Those that cannot be
  /// read now, or that carry a stamp that a restart could fall behind, stay.
  public void strip(Partition partition, List<Grave> condemned) {
    for (Grave grave : condemned) {
      writes.withBase(
          store.records().data(RecordKey.keyspace(grave.storageKey())),
          grave.storageKey(),
          new Writes.Based() {
            @Override
            public void base(@Nullable Siblings base) {
              strip(partition, grave, base);
            }

            @Override
            public void refused(Unanswered.Refused why) {
              // It stays for the next time.
            }
          });
    }
  }

  private void strip(Partition partition, Grave grave, @Nullable Siblings base) {
    DotSet dot = new DotSet();
    dot.add(grave.replica(), grave.counter());
    if (base != null && base.has(grave.replica(), grave.counter())) {
      boolean early = planted == PlantedBug.TOMBSTONE_STRIPPED_TOO_EARLY;
      boolean whole = base.stripped(partition.synced()).context().isEmpty();
      boolean behind = base.newest().stamp().time() >= store.hlc().reservedLimit();
      if (!early && (!whole || behind)) {
        assert !behind || CoverageMarks.reach(CoreMark.STRIP_AWAITS_RESERVATION);
        // The next reservation lies above it.
        store.follow(base.newest().stamp().time());
        return;
      }
      Siblings left = base.without(dot);
      Siblings rest = left == null ? Siblings.nothing(partition.clock()) : left;
      Stamp stamp = base.stampOf(grave.replica(), grave.counter());
      int keyspace = RecordKey.keyspace(grave.storageKey());
      writes.append(keyspace, partition, grave.storageKey(), base, rest, stamp);
    }
    batch.clear();
    batch.delete(store.graves(), Rows.dot(partition, grave.replica(), grave.counter()));
    lsm.append(batch);
  }
}
