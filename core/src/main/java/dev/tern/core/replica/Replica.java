package dev.tern.core.replica;

import dev.tern.core.context.Limits;
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
import dev.tern.core.version.DotSet;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import dev.tern.core.wire.RepairPage;
import dev.tern.core.wire.ScanPage;
import dev.tern.env.ByteWriter;
import dev.tern.env.EventLoop;
import dev.tern.env.Offload;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import dev.tern.lsm.WritePressure;
import java.io.IOException;
import java.util.BitSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All replicas of one shard, over one store. See the package for what always holds.
///
/// Every call is made on the shard's loop and returns at once; its listener is told on that loop,
/// possibly before the call returns.
public final class Replica {
  /// Records that [#stripLeftovers] looks at in one beat.
  private static final int LEFTOVERS_AT_ONCE = 256;

  /// A version becomes a tombstone so long after its expiry, as clocks differ.
  private static final long EXPIRY_MARGIN_MILLIS = 5_000;

  /// The largest that [#pressure] says.
  public static final int MOST_PRESSURE = 255;

  private final Lsm lsm;
  private final Store store;
  private final EventLoop loop;
  private final ClusterTime clock;
  private final Commits commits;
  private final Blockage blockage;
  private final Reservations reservations;
  private final Latches latches = new Latches();
  private final Leftovers leftovers = new Leftovers();
  private final LastWriteWins newest;
  private final Ballots ballots;
  private final WriteCounts counts;
  private final WriteBatch batch = new WriteBatch();
  private final ByteWriter bytes = new ByteWriter();
  private final int pageBytes;
  final RecordBounds bounds;
  private final PlantedBug planted;

  /// Serves the replicas of an open store.
  ///
  /// @param self the member whose store it is
  public Replica(
      Store store, EventLoop loop, ClusterTime clock, int self, Limits limits, PlantedBug planted) {
    this.store = store;
    this.lsm = store.lsm();
    this.loop = loop;
    this.clock = clock;
    this.pageBytes = limits.pageBytes();
    this.bounds = new RecordBounds(limits.frameBytes());
    this.planted = planted;
    this.blockage = new Blockage(lsm, self, store.records().shard(), store.records().events());
    this.commits =
        new Commits(
            lsm,
            loop,
            planted == PlantedBug.ACK_BEFORE_DURABLE,
            store.journal()::synced,
            blockage::stalled);
    this.reservations = new Reservations(lsm, store, commits);
    this.counts = new WriteCounts(store, planted);
    this.newest = new LastWriteWins(this, commits);
    this.ballots = new Ballots(store, reservations, blockage, clock, planted);
    if (planted == PlantedBug.REUSED_DOTS) {
      store.forEachPartition(each -> each.repeatCounters(each.clock().highest(store.replicaId())));
    }
    lsm.beforeGroupEnds(() -> store.journal().endGroup(physicalMillis()));
  }

  /// How full the memtables are: 0 up to half of their room, [#MOST_PRESSURE] where no write is
  /// taken any more.
  public int pressure() {
    return (int) (MOST_PRESSURE * lsm.pressure().memory());
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
    withBase(
        store.records().data(keyspace.id()),
        storageKey,
        new Based() {
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
    Partition partition = store.partition(keyspace.id(), slot);
    if (base != null) {
      store.follow(base.newest().stamp().time());
    }
    if (store.hlc().exhausted() || partition.counter() + 1 >= store.reservedCounter()) {
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
        bounds.refusal(base, replaced, draft.value(), store.replicaId(), partition.counter());
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
    long sequence = append(keyspace.id(), partition, storageKey, base, record);
    Siblings told = replaced == null ? record : record.filled(partition.clock());
    store.journal().note(partition, version, storageKey, /* stored= */ true);
    mutation.minted(told, version.counter());
    commits.await(sequence, keyspace.durability(), mutation::durable);
  }

  /// The version that a draft comes to, with the next dot.
  private Version minted(Partition partition, Draft draft) {
    Stamp inherited = draft.inherited();
    if (inherited == null || planted == PlantedBug.UPDATE_TAKES_FRESH_STAMP) {
      inherited = Stamp.put(store.hlc().next(physicalMillis()), store.replicaId());
    }
    long counter = partition.nextCounter();
    return new Version(
        store.replicaId(), counter, inherited, draft.expiryMillis(), draft.type(), draft.value());
  }

  /// Mints when the disk has taken the next reservation.
  private void waitForNumbers(int slot, KeyspaceConfig keyspace, byte[] key, Mutation mutation) {
    if (reservations.await(() -> latched(slot, keyspace, key, mutation))) {
      reservations.reserve(physicalMillis());
    } else {
      mutation.refused(overloaded("too many writes wait for version numbers", 10));
    }
  }

  /// Stores a record from elsewhere, as far as it is news here.
  ///
  /// @param record filled by whoever sends it
  public void apply(KeyspaceConfig keyspace, int slot, byte[] key, Siblings record, Applied done) {
    apply(keyspace, slot, key, record, 0, done);
  }

  /// Stores an update that another node leads.
  ///
  /// @param record filled by whoever sends it
  /// @param ballot of its leader, see [Ballots]; 0 for any other record
  public void apply(
      KeyspaceConfig keyspace, int slot, byte[] key, Siblings record, long ballot, Applied done) {
    apply(keyspace, slot, key, record, ballot, /* overRot= */ false, done);
  }

  /// Stores a record from elsewhere, an update of a leader or a record of a rebuild.
  ///
  /// @param ballot of its leader, 0 for any other record
  /// @param overRot whether the record stands for all that was here, and is written anew where what
  ///   is here cannot be read
  public void apply(
      KeyspaceConfig keyspace,
      int slot,
      byte[] key,
      Siblings record,
      long ballot,
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
    Arrival arrival = new Arrival(this, keyspace, slot, key, record, ballot, overRot, done);
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
  private long append(
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
    if (store.reservationIsLow(partition.counter(), physicalMillis())) {
      reservations.reserve(physicalMillis());
    }
    return sequence;
  }

  /// Stores records anew whose contexts the clock on disk says by now.
  private void stripLeftovers() {
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
              Reason.UNAVAILABLE, "this replica cannot read the key: " + why.getMessage(), 0));
    }
  }

  /// Calls `then` with the latest version here, with nothing else touching the key in between.
  void withBase(ColumnFamily data, byte[] storageKey, Based then) {
    if (latches.isHeld(storageKey) && planted != PlantedBug.LATCH_SKIPPED) {
      if (!latches.queue(storageKey, () -> withBase(data, storageKey, then))) {
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
    latches.take(storageKey);
    readLatched(data, storageKey, then);
  }

  private void readLatched(ColumnFamily data, byte[] storageKey, Based then) {
    int emptied = store.emptied();
    loop.<@Nullable Siblings>offload(
        () -> store.decoder().decodeOrNull(storageKey, lsm.get(data, storageKey, Long.MAX_VALUE)),
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

  /// Reads the newest record that is as durable as its keyspace demands.
  public void read(KeyspaceConfig keyspace, int slot, byte[] key, Found found) {
    readAt(keyspace, slot, key, commits.visible(keyspace.durability()), found);
  }

  /// Reads the latest record, pending or not.
  public void readLatest(KeyspaceConfig keyspace, int slot, byte[] key, Found found) {
    readAt(keyspace, slot, key, Long.MAX_VALUE, found);
  }

  /// As [#readLatest], for the base of an update that this node leads: once the floor of the
  /// partition is as durable as the keyspace demands.
  public void readBase(KeyspaceConfig keyspace, int slot, byte[] key, Found found) {
    long floor = store.partition(keyspace.id(), slot).floorSequence();
    commits.await(
        floor, keyspace.durability(), () -> readAt(keyspace, slot, key, Long.MAX_VALUE, found));
  }

  private void readAt(KeyspaceConfig keyspace, int slot, byte[] key, long sequence, Found found) {
    byte[] storageKey = store.records().recordKey(keyspace.id(), slot, key);
    ColumnFamily data = store.records().data(keyspace.id());
    // The clock on disk is at most as new as what is read: it claims nothing the reader cannot see.
    DotSet clock =
        keyspace.resolution() == Resolution.LWW
            ? null
            : told(store.partition(keyspace.id(), slot)).copy();
    byte[] cached;
    Siblings here = null;
    try {
      cached = lsm.getCached(data, storageKey, sequence);
      if (cached != Lsm.NOT_CACHED) {
        here = filled(store.decoder().decodeOrNull(storageKey, cached), clock);
      }
    } catch (IOException e) {
      found.found(null, e);
      return;
    }
    if (cached != Lsm.NOT_CACHED) {
      found.found(here, null);
      return;
    }
    loop.<@Nullable Siblings>offload(
        () ->
            filled(
                store.decoder().decodeOrNull(storageKey, lsm.get(data, storageKey, sequence)),
                clock),
        found::found);
  }

  private DotSet told(Partition partition) {
    return planted == PlantedBug.UNSYNCED_CLOCK_ADVERTISED ? partition.clock() : partition.synced();
  }

  private static @Nullable Siblings filled(@Nullable Siblings siblings, @Nullable DotSet clock) {
    if (clock == null) {
      return siblings;
    }
    return siblings == null ? Siblings.nothing(clock) : siblings.filled(clock);
  }

  /// What a latest record here and a filled one from elsewhere come to together, filled.
  public Siblings merged(
      KeyspaceConfig keyspace, int slot, @Nullable Siblings here, @Nullable Siblings other) {
    return merged(store.partition(keyspace.id(), slot).clock(), here, other);
  }

  static Siblings merged(DotSet clock, @Nullable Siblings here, @Nullable Siblings other) {
    Siblings filled = here == null ? Siblings.nothing(clock.copy()) : here.filled(clock);
    return other == null ? filled : Siblings.merged(filled, other);
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

  /// Looks at keys from `cursor` on until about `limit` are gathered or a slot comes that `owned`
  /// does not hold, on a worker.
  ///
  /// @param alone whether this replica's word is enough; else it ends where this one is behind,
  ///   which the cursor's slot must not be
  public void scan(
      int keyspace,
      long cursor,
      int limit,
      Durability durability,
      boolean alone,
      Offload.Completion<ScanPage> done) {
    long sequence = commits.visible(durability);
    long now = clock.expiryMillis();
    BitSet but = alone ? null : store.behind(keyspace);
    Scan scan = new Scan(store, keyspace, sequence, now, but);
    loop.offload(() -> scan.run(cursor, limit), done);
  }

  /// Whether the time is known well enough to say what has expired, and the store takes writes.
  public boolean mayHaveExpired() {
    return clock.isSet() && !lsm.pressure().refused();
  }

  /// Reads versions whose time has passed, some seconds ago: partition by partition, in each in the
  /// order of their times.
  ///
  /// @param from a page's `next`, empty to begin
  public void expired(byte[] from, int limit, Offload.Completion<Expired.Page> done) {
    long until = clock.expiryMillis() - EXPIRY_MARGIN_MILLIS;
    loop.offload(() -> Expired.read(store, from, until, limit), done);
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

  /// Mints a version of a key that is not kept here, as no replica of it can be reached; the caller
  /// has it held for the replicas.
  public void mintAway(KeyspaceConfig keyspace, int slot, byte[] key, Mutation mutation) {
    Partition partition = store.partition(keyspace.id(), slot);
    if (store.hlc().exhausted() || partition.counter() + 1 >= store.reservedCounter()) {
      Unanswered.Refused blocked = blockage.refusal(lsm.pressure());
      String why = "no version numbers are reserved yet";
      mutation.refused(blocked == null ? overloaded(why, 10) : blocked);
      reservations.reserve(physicalMillis());
      return;
    }
    Draft draft = mutation.over(null);
    if (draft == null) {
      return;
    }
    Unanswered.Refused unfit =
        bounds.refusal(
            null, draft.replaced(), draft.value(), store.replicaId(), partition.counter());
    if (unfit != null) {
      mutation.refused(unfit);
      return;
    }
    Version version = minted(partition, draft);
    DotSet replaced = draft.replaced();
    mutation.minted(
        replaced == null ? Siblings.of(version) : Siblings.written(null, replaced, version),
        version.counter());
    if (store.reservationIsLow(partition.counter(), physicalMillis())) {
      reservations.reserve(physicalMillis());
    }
  }

  /// Reads what is held of a key for another node, merged.
  public void readHeld(KeyspaceConfig keyspace, int slot, byte[] key, int target, Found done) {
    long sequence = commits.visible(keyspace.durability());
    byte[] recordKey = store.records().recordKey(keyspace.id(), slot, key);
    loop.offload(() -> store.hints().read(target, recordKey, sequence), done::found);
  }

  /// Reads hints of a target, from a number on.
  public void hintPage(
      int target, long from, int limit, int maxBytes, Offload.Completion<HintPage> done) {
    loop.offload(() -> store.hints().page(target, from, limit, maxBytes), done);
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
    return new Repair(store, partition, clock, sequence, pageBytes);
  }

  /// What a record from another replica is, filled by that one's clock.
  public static Siblings filled(KeyspaceConfig keyspace, Siblings record, DotSet clock) {
    return keyspace.resolution() == Resolution.LWW ? record : record.filled(clock);
  }

  /// All these dots are here, or what replaced them is.
  public void covered(Partition partition, DotSet dots) {
    dots.minus(partition.clock())
        .forEach((replica, from, to) -> store.journal().noteRun(partition, replica, from, to));
    store.journal().endGroup(physicalMillis());
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
      withBase(
          store.records().data(RecordKey.keyspace(grave.storageKey())),
          grave.storageKey(),
          new Based() {
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
        // The next reservation lies above it.
        store.follow(base.newest().stamp().time());
        return;
      }
      Siblings left = base.without(dot);
      Siblings rest = left == null ? Siblings.nothing(partition.clock()) : left;
      Stamp stamp = base.stampOf(grave.replica(), grave.counter());
      int keyspace = RecordKey.keyspace(grave.storageKey());
      append(keyspace, partition, grave.storageKey(), base, rest, stamp);
    }
    batch.clear();
    batch.delete(store.graves(), Rows.dot(partition, grave.replica(), grave.counter()));
    lsm.append(batch);
  }

  /// Forces the log, so that clocks on disk cover what was written and can be told to others.
  private void force() {
    commits.await(lsm.writtenSequence(), Durability.SYNC, () -> {});
  }

  /// Does what is due; called a few times a second.
  ///
  /// @throws IllegalStateException if the log could not be forced: this node must stop
  public void beat() {
    IOException failure = lsm.failure();
    if (failure != null) {
      throw new IllegalStateException(Commits.UNKNOWN_LOG, failure);
    }
    lsm.retry();
    blockage.beat();
    commits.goOn();
    if (store.records().erases() && !lsm.pressure().refused()) {
      batch.clear();
      store.eraseSome(batch);
      lsm.append(batch);
    }
    store.journal().synced(lsm.syncedSequence());
    if (!lsm.pressure().refused()) {
      stripLeftovers();
    }
    if (store.journal().waitsForDisk()) {
      force();
    }
    // Also when idle: the first write after it shall not have to wait.
    if (store.reservationIsLow(0, physicalMillis())) {
      reservations.reserve(physicalMillis());
    }
  }

  /// This shard's store.
  public Store store() {
    return store;
  }

  /// The handling of pages of a rebuild.
  public Rebuilds rebuilds() {
    return new Rebuilds(this, loop);
  }

  /// The hash trees of this shard.
  public Trees trees() {
    return new Trees(this, loop);
  }

  /// Why the store takes no writes.
  public Blockage blockage() {
    return blockage;
  }

  /// The ballots that this shard's replicas have promised.
  public Ballots ballots() {
    return ballots;
  }

  /// Stores versions where the last write wins.
  LastWriteWins newest() {
    return newest;
  }

  /// A mistake for tests to find.
  PlantedBug planted() {
    return planted;
  }

  /// Writes that wait for a disk read or for durability.
  public int waiting() {
    return latches.waiting() + reservations.waiting() + commits.waiting();
  }

  /// The time that stamps are minted by; while it is not known they count on from the last one.
  long physicalMillis() {
    return clock.stampMillis();
  }

  /// Learns of a stamp that came from elsewhere, however far ahead it is: replicas hold it, so it
  /// is a fact, and refused here it would keep this replica from ever having what the others have.
  private boolean follows(long stamp) {
    long now = physicalMillis();
    boolean far = now > 0 && HybridClock.millis(stamp) > now + HybridClock.MAX_AHEAD_MILLIS;
    if (far && planted == PlantedBug.FAR_STAMP_REFUSED_IN_REPAIR) {
      return false;
    }
    store.follow(stamp);
    return true;
  }

  private static Unanswered.Refused overloaded(String why, long retryAfterMillis) {
    return new Unanswered.Refused(Reason.OVERLOADED, why, retryAfterMillis);
  }
}
