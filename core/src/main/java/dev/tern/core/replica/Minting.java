package dev.tern.core.replica;

import dev.tern.core.context.CoreMark;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.store.Blockage;
import dev.tern.core.store.Commits;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import dev.tern.env.CoverageMarks;
import dev.tern.env.EventLoop;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WritePressure;
import org.jspecify.annotations.Nullable;

/// Mints versions: takes the next number of the partition and the next stamp of the hybrid clock
/// for a draft, and appends what comes of it.
///
/// Invariant: a counter and a stamp that are given out lie below a reservation that is on disk
/// ([Reservations]); a write for which no numbers are reserved waits for the next one.
///
/// Threads: the shard's loop.
public final class Minting {
  private final ReplicaContext context;
  private final Store store;
  private final Lsm lsm;
  private final EventLoop loop;
  private final Writes writes;
  private final Commits commits;
  private final Blockage blockage;
  private final Reservations reservations;
  private final PlantedBug planted;

  Minting(
      ReplicaContext context,
      Writes writes,
      Commits commits,
      Blockage blockage,
      Reservations reservations) {
    this.context = context;
    this.store = context.store();
    this.lsm = context.lsm();
    this.loop = context.loop();
    this.planted = context.planted();
    this.writes = writes;
    this.commits = commits;
    this.blockage = blockage;
    this.reservations = reservations;
  }

  /// Mints a version over what is there.
  public void mutate(KeyspaceConfig keyspace, int slot, byte[] key, Mutation mutation) {
    WritePressure pressure = lsm.pressure();
    Unanswered.Refused blocked = blockage.refusal(pressure);
    if (blocked != null) {
      mutation.refused(blocked);
      return;
    }
    long delayNanos = pressure.delayNanos(key.length);
    if (delayNanos > 0) {
      loop.schedule(delayNanos, () -> latched(slot, keyspace, key, mutation));
      return;
    }
    latched(slot, keyspace, key, mutation);
  }

  private void latched(int slot, KeyspaceConfig keyspace, byte[] key, Mutation mutation) {
    byte[] storageKey = store.records().recordKey(keyspace.id(), slot, key);
    writes.withBase(
        store.records().data(keyspace.id()),
        storageKey,
        new Writes.Based() {
          @Override
          public void base(@Nullable Siblings base) {
            mint(keyspace, slot, key, storageKey, base, mutation);
          }

          @Override
          public void refused(Unanswered.Refused why) {
            mutation.refused(why);
          }
        });
  }

  private void mint(
      KeyspaceConfig keyspace,
      int slot,
      byte[] key,
      byte[] storageKey,
      @Nullable Siblings base,
      Mutation mutation) {
    if (store.records().isDropped(keyspace.id())) {
      mutation.refused(Writes.dropped(keyspace));
      return;
    }
    Partition partition = store.partition(keyspace.id(), slot);
    if (partition.refusesWritesOf(mutation.epoch()) && planted != PlantedBug.STALE_OWNER_ACCEPTS) {
      mutation.refused(Writes.moving(mutation.epoch(), partition.writableFrom()));
      return;
    }
    if (base != null) {
      store.follow(base.newest().stamp().time());
    }
    if (store.hlc().exhausted() || partition.counter() + 1 >= store.reservedCounter()) {
      assert CoverageMarks.reach(CoreMark.NUMBERS_AWAITED);
      waitForNumbers(slot, keyspace, key, mutation);
      return;
    }
    Draft draft = mutation.over(base);
    if (draft == null) {
      return;
    }
    DotSet replaced = draft.replaced();
    if (replaced != null && base != null && draft.overwrites()) {
      replaced.addAll(base.dots());
    }
    Unanswered.Refused unfit =
        context
            .bounds()
            .refusal(base, replaced, draft.value(), store.replicaId(), partition.counter());
    if (unfit != null) {
      mutation.refused(unfit);
      return;
    }
    Version version = minted(partition, draft);
    assert replaced != null || base == null || version.newerThan(base.newest());
    boolean ignored = planted == PlantedBug.CONTEXT_IGNORED;
    Siblings record =
        replaced == null
            ? Siblings.of(version)
            : Siblings.written(base, ignored ? new DotSet() : replaced, version);
    // Stored as it is: the clock here says the rest. Who gets it is told the clock, too.
    long sequence = writes.append(keyspace.id(), partition, storageKey, base, record);
    Siblings told = replaced == null ? record : record.filled(partition.clock());
    store.journal().note(partition, version, storageKey, /* stored= */ true);
    mutation.minted(told, version.counter());
    commits.await(sequence, keyspace.durability(), mutation::durable);
  }

  /// The version that a draft comes to, with the next dot.
  private Version minted(Partition partition, Draft draft) {
    Stamp inherited = draft.inherited();
    if (inherited == null || planted == PlantedBug.UPDATE_TAKES_FRESH_STAMP) {
      inherited = Stamp.put(store.hlc().next(context.physicalMillis()), store.replicaId());
    }
    long counter = partition.nextCounter();
    if (counter >= store.reservedCounter()) {
      throw new IllegalStateException("counter %d is not reserved".formatted(counter));
    }
    return new Version(
        store.replicaId(), counter, inherited, draft.expiryMillis(), draft.type(), draft.value());
  }

  /// Mints when the disk has taken the next reservation.
  private void waitForNumbers(int slot, KeyspaceConfig keyspace, byte[] key, Mutation mutation) {
    if (reservations.await(() -> latched(slot, keyspace, key, mutation))) {
      reservations.reserve(context.physicalMillis());
    } else {
      mutation.refused(Writes.overloaded("too many writes wait for version numbers", 10));
    }
  }

  /// Mints a version of a key that is not kept here, as no replica of it can be reached; the caller
  /// has it held for the replicas.
  public void mintAway(KeyspaceConfig keyspace, int slot, byte[] key, Mutation mutation) {
    if (store.records().isDropped(keyspace.id())) {
      mutation.refused(Writes.dropped(keyspace));
      return;
    }
    Partition partition = store.partition(keyspace.id(), slot);
    if (store.hlc().exhausted() || partition.counter() + 1 >= store.reservedCounter()) {
      Unanswered.Refused blocked = blockage.refusal(lsm.pressure());
      String why = "no version numbers are reserved yet";
      mutation.refused(blocked == null ? Writes.overloaded(why, 10) : blocked);
      reservations.reserve(context.physicalMillis());
      return;
    }
    Draft draft = mutation.over(null);
    if (draft == null) {
      return;
    }
    Unanswered.Refused unfit =
        context
            .bounds()
            .refusal(null, draft.replaced(), draft.value(), store.replicaId(), partition.counter());
    if (unfit != null) {
      mutation.refused(unfit);
      return;
    }
    Version version = minted(partition, draft);
    DotSet replaced = draft.replaced();
    mutation.minted(
        replaced == null ? Siblings.of(version) : Siblings.written(null, replaced, version),
        version.counter());
    if (store.reservationIsLow(partition.counter(), context.physicalMillis())) {
      reservations.reserve(context.physicalMillis());
    }
  }
}
