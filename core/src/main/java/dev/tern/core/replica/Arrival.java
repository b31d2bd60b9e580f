package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.env.CoverageMarks;
import org.jspecify.annotations.Nullable;

/// A record from elsewhere on its way into the store. With a ballot it is an update, and is stored
/// only if no other leader has been promised a higher one by the moment that it is appended.
final class Arrival implements Writes.Based {
  private final Writes writes;
  private final KeyspaceConfig keyspace;
  private final int slot;
  private final byte[] key;
  private final byte[] storageKey;
  private final Siblings record;
  private final long ballot;
  private final long epoch;
  private final boolean overRot;
  private final Applied done;

  /// @param record filled
  /// @param ballot of the leader whose update it is, 0 for any other record
  /// @param epoch as [Mutation#epoch]
  /// @param overRot whether the record stands for all that was here, and is written anew where what
  ///   is here cannot be read
  Arrival(
      Writes writes,
      KeyspaceConfig keyspace,
      int slot,
      byte[] key,
      Siblings record,
      long ballot,
      long epoch,
      boolean overRot,
      Applied done) {
    this.writes = writes;
    this.keyspace = keyspace;
    this.slot = slot;
    this.key = key;
    this.storageKey = writes.store().records().recordKey(keyspace.id(), slot, key);
    this.record = record;
    this.ballot = ballot;
    this.epoch = epoch;
    this.overRot = overRot;
    this.done = done;
  }

  byte[] storageKey() {
    return storageKey;
  }

  @Override
  public void base(@Nullable Siblings base) {
    if (writes.store().records().isDropped(keyspace.id())) {
      // What its partition knew may be gone: it says nothing of dots that were given out.
      done.refused(Writes.dropped(keyspace));
      return;
    }
    Partition partition = writes.store().partition(keyspace.id(), slot);
    if (partition.refusesWritesOf(epoch) && writes.planted() != PlantedBug.STALE_OWNER_ACCEPTS) {
      assert CoverageMarks.reach(CoreMark.WRITE_OF_OLD_EPOCH_REFUSED);
      done.refused(Writes.moving(epoch, partition.writableFrom()));
      return;
    }
    Ballots ballots = writes.ballots();
    if (ballot > 0 && !ballots.promise(keyspace.id(), slot, key, ballot)) {
      assert CoverageMarks.reach(CoreMark.UPDATE_OUTVOTED_AT_REPLICA);
      done.outvoted(ballots.promised(keyspace.id(), slot, key));
      return;
    }
    if (knowsMoreOfUs(partition)) {
      // The directory was set back: others have dots that this store would give out again.
      assert CoverageMarks.reach(CoreMark.OWN_DOT_MET);
      writes.store().records().takeNewId();
    }
    if (keyspace.resolution() == Resolution.LWW) {
      boolean led = ballot > 0;
      writes.newest().store(keyspace, partition, storageKey, base, record.newest(), led, done);
    } else {
      storeMerged(partition, base);
    }
    if (ballot > 0) {
      ballots.accepted(keyspace.id(), slot, ballot, writes.store().lsm().writtenSequence());
    }
  }

  /// Whether the record names a dot of this store's id that the store has not given out.
  private boolean knowsMoreOfUs(Partition partition) {
    int own = writes.store().replicaId();
    long highest = record.context().highest(own);
    for (int i = 0; i < record.count(); i++) {
      Version version = record.get(i);
      highest = version.replica() == own ? Math.max(highest, version.counter()) : highest;
    }
    return highest > partition.counter();
  }

  @Override
  public void unreadable(Throwable why) {
    if (!overRot || !Healing.isRot(why)) {
      Writes.Based.super.unreadable(why);
      return;
    }
    Partition partition = writes.store().partition(keyspace.id(), slot);
    assert CoverageMarks.reach(CoreMark.WRITTEN_OVER_ROT);
    // As if it were there already: what the loss took from the counts nobody knows.
    partition.records().doubt();
    writes.append(keyspace.id(), partition, storageKey, record, record);
    for (int i = 0; i < record.count(); i++) {
      writes.store().journal().note(partition, record.get(i), storageKey, /* stored= */ true);
    }
    writes.whenDurable(keyspace.durability(), done::durable);
  }

  @Override
  public void refused(Unanswered.Refused why) {
    done.refused(why);
  }

  private void storeMerged(Partition partition, @Nullable Siblings base) {
    Store store = writes.store();
    Siblings merged =
        writes.planted() == PlantedBug.REPAIR_OVERWRITES_NEWER
            ? record
            : Reads.merged(store.seen(partition, keyspace.id(), storageKey), base, record);
    if (!writes.bounds().fits(merged)) {
      assert CoverageMarks.reach(CoreMark.SIBLINGS_TOO_LARGE_TOGETHER);
      done.refused(writes.bounds().tooLarge(merged));
      return;
    }
    if (!merged.sameVersions(base) && !(merged.isEmpty() && base == null)) {
      writes.append(keyspace.id(), partition, storageKey, base, merged);
    }
    for (int i = 0; i < record.count(); i++) {
      Version version = record.get(i);
      if (!partition.clock().contains(version.replica(), version.counter())) {
        boolean stored = merged.has(version.replica(), version.counter());
        store.journal().note(partition, version, storageKey, stored);
      }
    }
    writes.whenDurable(keyspace.durability(), done::durable);
  }
}
