package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Version;
import dev.tern.core.wire.RepairPage.RepairRecord;
import dev.tern.env.CoverageMarks;
import dev.tern.lsm.WriteBatch;
import dev.tern.lsm.file.CorruptionException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Merges one record of another replica into what is here although the clock here says that its
/// versions have been here: they were lost below the clock.
///
/// By its clock alone a replica cannot tell a version that it lost from one that was replaced. What
/// tells is the clock that came with the record. If a write replaced the version here, then what
/// ended that chain of writes is either in the record here, or was a delete that is stripped.
/// - It is in the record, and the other replica's clock has all dots of the record here: it has
///   applied that write, whose context covers the version, and would not hold the version.
/// - It was stripped: the other replica had said that it has the delete, and its clock is no older
///   than all that it said (`current`).
///
/// So if both hold a version that it has and that is missing here was lost here. That needs no
/// quiet, and of a hint or a page of a rebuild under way nothing: what they bring is noted with its
/// records, and what is claimed without records is claimed by who has heard of nothing it lacks
/// (the other replica answers only then, but for what nobody can give it). Versions not in the
/// clock here are the log of dots' business and are left to it, but for those that the other
/// replica could not give by its log (`ungiven`): these are stored like any that arrive late.
///
/// Where two replicas each say that the other's version was replaced one of them has lost a write,
/// and nothing tells which: the newer one wins where the last write does, siblings stay both. A
/// lost delete may so bring its value back: an application can resolve that, a loss it cannot. Of
/// two versions of one dot that differ the greater bytes win, everywhere.
///
/// A record that cannot be read here, as its file holds what cannot have been written, is written
/// anew if the other replica's clock has all that the clock here had before the partition was read
/// (`began`): what was written since would be read from above the rotten block, as what is written
/// now will be. So the other holds what was here, or newer.
final class Healing implements Writes.Based, Applied {
  private final Writes writes;
  private final Store store;
  private final KeyspaceConfig keyspace;
  private final int slot;
  private final byte[] key;
  private final byte[] storageKey;
  private final Partition partition;
  private final Siblings other;
  private final DotSet clock;
  private final DotSet began;
  private final DotSet ungiven;
  private final BooleanSupplier current;
  private final Consumer<Boolean> done;

  /// As [Trees#heal].
  Healing(
      Writes writes,
      KeyspaceConfig keyspace,
      RepairRecord record,
      DotSet clock,
      DotSet began,
      DotSet ungiven,
      BooleanSupplier current,
      Consumer<Boolean> done) {
    this.writes = writes;
    this.store = writes.store();
    this.keyspace = keyspace;
    this.slot = record.slot();
    this.key = record.key();
    this.storageKey = store.records().recordKey(keyspace.id(), slot, record.key());
    this.partition = store.partition(keyspace.id(), slot);
    this.other = record.record();
    this.clock = clock;
    this.began = began;
    this.ungiven = ungiven;
    this.current = current;
    this.done = done;
  }

  void start() {
    if (store.lsm().pressure().refused()) {
      done.accept(false);
      return;
    }
    if (!other.dots().minus(partition.clock()).and(ungiven).isEmpty()) {
      writes.apply(keyspace, slot, key, Reads.filled(keyspace, other, clock), this);
      return;
    }
    writes.withBase(store.records().data(keyspace.id()), storageKey, this);
  }

  @Override
  public void base(@Nullable Siblings base) {
    Siblings mended = mayHeal(base) ? mended(base) : null;
    if (mended != null) {
      write(mended);
    }
    done.accept(mended != null);
  }

  private boolean mayHeal(@Nullable Siblings base) {
    boolean known = !other.isEmpty() && partition.clock().covers(other.dots());
    if (writes.planted() == PlantedBug.HEALS_WHAT_WAS_REPLACED) {
      return known;
    }
    if (writes.planted() == PlantedBug.LOSS_TAKEN_FOR_REPLACED) {
      return false;
    }
    return known && current.getAsBoolean() && (base == null || clock.covers(base.dots()));
  }

  private @Nullable Siblings mended(@Nullable Siblings base) {
    if (keyspace.resolution() == Resolution.LWW) {
      Version theirs = other.newest();
      boolean lost = base == null ? theirs.value() != null : theirs.hasLostTo(base.newest());
      return lost ? Siblings.of(theirs) : null;
    }
    Siblings values = other.withoutDeletes();
    Siblings united = values == null ? null : Siblings.united(base, values);
    if (united == null || united == base) {
      return null;
    }
    // One that fits no frame would never leave this replica again.
    return writes.bounds().fits(united) ? united : null;
  }

  private void write(Siblings record) {
    WriteBatch batch = new WriteBatch();
    store.touch(partition, storageKey, batch);
    if (batch.entries() > 0) {
      store.lsm().append(batch);
    }
    // As if it were there already: what the loss took from the counts nobody knows.
    partition.records().doubt();
    writes.append(keyspace.id(), partition, storageKey, record, record);
    for (int i = 0; i < record.count(); i++) {
      store.journal().noteHealed(partition, record.get(i), storageKey);
    }
  }

  /// Whether a record cannot be read as its file holds what cannot have been written.
  static boolean isRot(Throwable why) {
    return why instanceof CorruptionException || why instanceof UnreadableRecordException;
  }

  @Override
  public void unreadable(Throwable why) {
    boolean may = isRot(why) && mayHeal(null) && clock.covers(began);
    if (may) {
      assert CoverageMarks.reach(CoreMark.HEALED_OVER_ROT);
      write(other);
    }
    done.accept(may);
  }

  @Override
  public void refused(Unanswered.Refused why) {
    done.accept(false);
  }

  @Override
  public void durable() {
    done.accept(false);
  }

  @Override
  public void superseded(Version by) {
    done.accept(false);
  }
}
