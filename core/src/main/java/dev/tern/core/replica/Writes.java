package dev.tern.core.replica;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.store.Blockage;
import dev.tern.core.store.Commits;
import dev.tern.core.store.Latches;
import dev.tern.core.store.RecordKey;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.env.ByteWriter;
import dev.tern.env.EventLoop;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/// Writes records of this shard's replicas: one write of a key at a time, over what is there, with
/// all that is known of the record in the same batch.
///
/// Threads: the shard's loop; listeners are told on it, possibly before a call returns.
public final class Writes {
  /// Records that [#stripLeftovers] looks at in one beat.
  private static final int LEFTOVERS_AT_ONCE = 256;

  /// Of records that replicas tell each other: they hold whatever the replicas are.
  public static final long ANY_EPOCH = Long.MAX_VALUE;

  private final ReplicaContext context;
  private final Store store;
  private final Lsm lsm;
  private final EventLoop loop;
  private final ClusterTime clock;
  private final PlantedBug planted;
  private final Commits commits;
  private final Blockage blockage;
  private final Reservations reservations;
  private final Ballots ballots;
  private final LastWriteWins newest;
  private final WriteCounts counts;
  private final Latches latches = new Latches();
  private final Leftovers leftovers = new Leftovers();
  private final WriteBatch batch = new WriteBatch();
  private final ByteWriter bytes = new ByteWriter();

  /// Partitions all of whose writes wait: each is latched by what is before its first key.
  private int parked;

  /// Whether what is written now need not wait for them.
  private boolean passes;

  Writes(
      ReplicaContext context,
      Commits commits,
      Blockage blockage,
      Reservations reservations,
      Ballots ballots) {
    this.context = context;
    this.store = context.store();
    this.lsm = context.lsm();
    this.loop = context.loop();
    this.clock = context.clock();
    this.planted = context.planted();
    this.commits = commits;
    this.blockage = blockage;
    this.reservations = reservations;
    this.ballots = ballots;
    this.counts = new WriteCounts(store, planted);
    this.newest = new LastWriteWins(this, commits);
  }

  /// Stores a record from elsewhere, as far as it is news here.
  ///
  /// @param record filled by whoever sends it
  public void apply(KeyspaceConfig keyspace, int slot, byte[] key, Siblings record, Applied done) {
    apply(keyspace, slot, key, record, 0, ANY_EPOCH, done);
  }

  /// Stores a write of a client.
  ///
  /// @param record filled by whoever sends it
  /// @param ballot of the leader whose update it is, see [Ballots]; 0 for any other record
  /// @param epoch as [Mutation#epoch]
  public void apply(
      KeyspaceConfig keyspace,
      int slot,
      byte[] key,
      Siblings record,
      long ballot,
      long epoch,
      Applied done) {
    apply(keyspace, slot, key, record, ballot, epoch, /* overRot= */ false, done);
  }

  /// Stores a record from elsewhere, an update of a leader or a record of a rebuild.
  ///
  /// @param ballot of its leader, 0 for any other record
  /// @param epoch as [Mutation#epoch], [#ANY_EPOCH] for what is no write of a client
  /// @param overRot whether the record stands for all that was here, and is written anew where what
  ///   is here cannot be read
  public void apply(
      KeyspaceConfig keyspace,
      int slot,
      byte[] key,
      Siblings record,
      long ballot,
      long epoch,
      boolean overRot,
      Applied done) {
    Unanswered.Refused blocked = blockage.refusal(lsm.pressure());
    if (blocked != null) {
      done.refused(blocked);
      return;
    }
    if (record.isEmpty() && keyspace.resolution() == Resolution.LWW) {
      done.durable();
      return;
    }
    if (!record.isEmpty() && !follows(record.newest().stamp().time())) {
      done.refused(
          new Unanswered.Refused(Reason.INVALID, "a planted mistake: the stamp is far ahead", 0));
      return;
    }
    Arrival arrival = new Arrival(this, keyspace, slot, key, record, ballot, epoch, overRot, done);
    withBase(store.records().data(keyspace.id()), arrival.storageKey(), arrival);
  }

  /// @param record what shall be there; none if it is empty
  long append(
      int keyspace,
      Partition partition,
      byte[] storageKey,
      @Nullable Siblings base,
      Siblings record) {
    return append(keyspace, partition, storageKey, base, record, null);
  }

  /// @param stripped the stamp of a delete that is left out for good
  long append(
      int keyspace,
      Partition partition,
      byte[] storageKey,
      @Nullable Siblings base,
      Siblings record,
      @Nullable Stamp stripped) {
    batch.clear();
    if (stripped != null) {
      partition.countStrip();
      store.raiseFloor(partition, stripped, batch);
      assert stripped.compareTo(partition.floor()) <= 0 : "a strip above the floor";
    }
    if (record.isEmpty()) {
      batch.delete(store.records().data(keyspace), storageKey);
    } else {
      bytes.clear();
      Siblings kept = record.stripped(partition.synced());
      if (!kept.context().isEmpty()) {
        leftovers.add(partition, keyspace, storageKey);
      }
      kept.encode(bytes);
      batch.put(store.records().data(keyspace), storageKey, bytes);
    }
    boolean valued = record.hasValue() || base != null && base.hasValue();
    if (valued && planted != PlantedBug.HASH_KEPT_PAST_WRITE) {
      store.touch(partition, storageKey, batch);
    }
    long sequence = lsm.append(batch);
    if (stripped != null) {
      partition.floorWritten(sequence);
    }
    counts.replaced(partition, keyspace, storageKey, base, record);
    if (store.reservationIsLow(partition.counter(), context.physicalMillis())) {
      reservations.reserve(context.physicalMillis());
    }
    return sequence;
  }

  /// Stores records anew whose contexts the clock on disk says by now.
  void stripLeftovers() {
    for (int i = Math.min(leftovers.size(), LEFTOVERS_AT_ONCE); i > 0; i--) {
      Leftovers.Leftover leftover = java.util.Objects.requireNonNull(leftovers.poll());
      withBase(
          store.records().data(leftover.keyspace()),
          leftover.storageKey(),
          new Based() {
            @Override
            public void base(@Nullable Siblings base) {
              strip(leftover, base);
            }

            @Override
            public void refused(Unanswered.Refused why) {
              // The key's next write strips it.
            }
          });
    }
  }

  private void strip(Leftovers.Leftover leftover, @Nullable Siblings base) {
    if (base == null || base.context().isEmpty()) {
      return;
    }
    Siblings stripped = base.stripped(leftover.partition().synced());
    if (!stripped.context().isEmpty()) {
      leftovers.add(leftover.partition(), leftover.keyspace(), leftover.storageKey());
    }
    if (stripped.context().size() < base.context().size()) {
      batch.clear();
      bytes.clear();
      stripped.encode(bytes);
      batch.put(store.records().data(leftover.keyspace()), leftover.storageKey(), bytes);
      lsm.append(batch);
    }
  }

  /// What a write needs to know before it is appended.
  interface Based {
    void base(@Nullable Siblings base);

    void refused(Unanswered.Refused why);

    default void unreadable(Throwable why) {
      refused(
          new Unanswered.Refused(
              Reason.UNREADABLE, "this replica cannot read the key: " + why.getMessage(), 0));
    }
  }

  /// Calls `then` with the latest version here, with nothing else touching the key in between.
  void withBase(ColumnFamily data, byte[] storageKey, Based then) {
    boolean mayBeParked = parked > 0 && !passes;
    byte[] partition = mayBeParked ? partitionOf(storageKey) : storageKey;
    boolean isParked = mayBeParked && latches.isHeld(partition);
    if (isParked || latches.isHeld(storageKey)) {
      byte[] holder = isParked ? partition : storageKey;
      if (!latches.queue(holder, () -> withBase(data, storageKey, then))) {
        then.refused(overloaded("too many writes wait for this key", 20));
      }
      return;
    }
    byte[] cached;
    Siblings base = null;
    try {
      cached = lsm.getCached(data, storageKey, Long.MAX_VALUE);
      if (cached != Lsm.NOT_CACHED) {
        base = store.decoder().decodeOrNull(storageKey, cached);
      }
    } catch (IOException e) {
      then.unreadable(e);
      return;
    }
    if (cached != Lsm.NOT_CACHED) {
      then.base(base);
      return;
    }
    if (planted != PlantedBug.LATCH_SKIPPED) {
      latches.take(storageKey);
    }
    readLatched(data, storageKey, then);
  }

  /// What is latched in place of all keys of a key's partition.
  private byte[] partitionOf(byte[] storageKey) {
    int slot = RecordKey.slot(storageKey);
    int first = store.records().firstSlot(store.records().partitionOf(slot));
    return RecordKey.first(RecordKey.set(storageKey), first);
  }

  /// Lets the writes of a partition wait, those of [#passing] excepted, until [#unpark].
  void park(Partition partition) {
    latches.take(partition.records().first());
    partition.park(true);
    parked++;
  }

  /// Whether a write of a partition that came before it was parked is still under way.
  boolean isUnderWay(Partition partition) {
    return latches.isAnyHeld(partition.records().first(), partition.records().end());
  }

  /// Lets them go on.
  void unpark(Partition partition) {
    parked--;
    assert parked >= 0 : "more partitions were let go of than parked";
    partition.park(false);
    latches.release(partition.records().first());
  }

  /// Whether writes of any partition wait.
  boolean isParking() {
    return parked > 0;
  }

  /// Begins writes of parked partitions, which do not wait.
  void passing(Runnable writes) {
    passes = true;
    try {
      writes.run();
    } finally {
      passes = false;
    }
  }

  private void readLatched(ColumnFamily data, byte[] storageKey, Based then) {
    int emptied = store.emptied();
    loop.<@Nullable Siblings>offload(
        () -> store.decoder().readOrNull(lsm, data, storageKey, Long.MAX_VALUE),
        (found, failure) -> {
          if (store.emptied() != emptied) {
            // It may be of a replica that is no more.
            readLatched(data, storageKey, then);
            return;
          }
          if (failure != null) {
            then.unreadable(failure);
          } else {
            then.base(found);
          }
          latches.release(storageKey);
        });
  }

  /// Runs `then` when everything appended so far is as durable as asked.
  public void whenDurable(Durability durability, Runnable then) {
    commits.await(lsm.writtenSequence(), durability, then);
  }

  /// An update that this node leads was just appended here.
  public void led(int keyspace, int slot, long ballot) {
    ballots.accepted(keyspace, slot, ballot, lsm.writtenSequence());
  }

  /// Runs `then` when what was stored under other ballots of a slot's partition is as durable as
  /// its keyspace demands, so that a read shows it, and when the partition's floor is.
  public void afterRivals(KeyspaceConfig keyspace, int slot, long ballot, Runnable then) {
    long rivals = ballots.rivals(keyspace.id(), slot, ballot);
    long floor = store.partition(keyspace.id(), slot).floorSequence();
    commits.await(Math.max(rivals, floor), keyspace.durability(), then);
  }

  /// Removes the row of an expiry that need not be looked at again.
  public void forget(Expired expired) {
    batch.clear();
    batch.delete(store.expiries(), expired.row());
    lsm.append(batch);
  }

  /// Holds a write for a replica that is away.
  ///
  /// @param target its member number
  /// @param record filled
  public void hold(
      KeyspaceConfig keyspace, int slot, byte[] key, Siblings record, int target, Applied done) {
    Unanswered.Refused blocked = blockage.refusal(lsm.pressure());
    if (blocked != null || !store.hints().hasRoom(target, clock.monotonicNanos())) {
      String why = "no room to hold a write for node " + target;
      done.refused(blocked == null ? overloaded(why, 0) : blocked);
      return;
    }
    if (planted != PlantedBug.HINT_DROPPED) {
      store.hints().add(target, store.records().recordKey(keyspace.id(), slot, key), record, clock);
    }
    commits.await(lsm.writtenSequence(), keyspace.durability(), done::durable);
  }

  /// Learns of a stamp that came from elsewhere, however far ahead it is: replicas hold it, so it
  /// is a fact, and refused here it would keep this replica from ever having what the others have.
  private boolean follows(long stamp) {
    long now = context.physicalMillis();
    boolean far = now > 0 && HybridClock.millis(stamp) > now + HybridClock.MAX_AHEAD_MILLIS;
    if (far && planted == PlantedBug.FAR_STAMP_REFUSED_IN_REPAIR) {
      return false;
    }
    store.follow(stamp);
    return true;
  }

  /// What a write is told whose keyspace was dropped while it waited.
  static Unanswered.Refused dropped(KeyspaceConfig keyspace) {
    return new Unanswered.Refused(
        Reason.INVALID, "there is no keyspace " + keyspace.name() + " any more", 0);
  }

  /// What is told to whoever goes by another list of the replicas: nothing was done.
  ///
  /// @param asked the epoch of that one's list
  /// @param here the epoch that this replica goes by, or the oldest that it takes
  public static Unanswered.Refused moving(long asked, long here) {
    return new Unanswered.Refused(
        Reason.MOVING,
        "the replicas of the key are changing: asked by epoch %d, epoch %d holds here; try again"
            .formatted(asked, here),
        20);
  }

  /// What a write is told that would wait too long.
  static Unanswered.Refused overloaded(String why, long retryAfterMillis) {
    return new Unanswered.Refused(Reason.OVERLOADED, why, retryAfterMillis);
  }

  /// Stores versions where the last write wins.
  LastWriteWins newest() {
    return newest;
  }

  /// The ballots that this shard's replicas have promised.
  Ballots ballots() {
    return ballots;
  }

  /// How large a record may become.
  RecordBounds bounds() {
    return context.bounds();
  }

  /// A mistake for tests to find.
  PlantedBug planted() {
    return planted;
  }

  /// This shard's store.
  Store store() {
    return store;
  }

  /// Writes that wait for a disk read.
  int waiting() {
    return latches.waiting();
  }
}
