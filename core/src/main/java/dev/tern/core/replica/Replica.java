package dev.tern.core.replica;

import dev.tern.core.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.keyspace.Unanswered.Reason;
import dev.tern.core.version.Version;
import dev.tern.env.ByteWriter;
import dev.tern.env.Clock;
import dev.tern.env.EventLoop;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import dev.tern.lsm.WritePressure;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// All replicas of one shard, over one store. See the package for what always holds.
///
/// Every call is made on the shard's loop and returns at once; its listener is told on that loop,
/// possibly before the call returns.
public final class Replica {
  /// For [#beat]: the clocks of too few members are known to trust them.
  public static final long TIME_UNKNOWN = Long.MIN_VALUE;

  /// Writes that may wait for a reservation of numbers; more are refused.
  private static final int MAX_NUMBERLESS = 16_384;

  private final Lsm lsm;
  private final Store store;
  private final EventLoop loop;
  private final Clock clock;
  private final Commits commits;
  private final Latches latches = new Latches();
  private final WriteBatch batch = new WriteBatch();
  private final ByteWriter record = new ByteWriter();
  private final PlantedBug planted;

  /// Writes that wait for a reservation of numbers.
  private final List<Runnable> numberless = new ArrayList<>();

  /// What the median of the members' wall clocks says less what the monotonic clock does.
  private long timeOffsetMillis = TIME_UNKNOWN;

  /// Over an open store.
  public Replica(Store store, EventLoop loop, Clock clock, PlantedBug planted) {
    this.store = store;
    this.lsm = store.lsm();
    this.loop = loop;
    this.clock = clock;
    this.planted = planted;
    this.commits = new Commits(lsm, loop, planted == PlantedBug.ACK_BEFORE_DURABLE);
    lsm.beforeGroupEnds(store.journal()::endGroup);
  }

  /// Mints a version over what is there.
  public void mutate(int keyspace, int slot, byte[] key, Durability durability, Mutation mutation) {
    WritePressure pressure = lsm.pressure();
    if (pressure.refused()) {
      mutation.refused(
          overloaded("the store is behind or its disk is full", pressure.retryAfterMillis()));
      return;
    }
    long delayNanos = pressure.delayNanos(key.length);
    if (delayNanos > 0) {
      loop.schedule(delayNanos, () -> latched(slot, keyspace, key, durability, mutation));
      return;
    }
    latched(slot, keyspace, key, durability, mutation);
  }

  private void latched(
      int slot, int keyspace, byte[] key, Durability durability, Mutation mutation) {
    byte[] storageKey = StorageKey.of(slot, keyspace, key);
    withBase(
        store.data(keyspace),
        storageKey,
        new Based() {
          @Override
          public void base(@Nullable Version base) {
            mint(keyspace, slot, key, storageKey, base, durability, mutation);
          }

          @Override
          public void refused(Unanswered.Refused why) {
            mutation.refused(why);
          }
        });
  }

  private void mint(
      int keyspace,
      int slot,
      byte[] key,
      byte[] storageKey,
      @Nullable Version base,
      Durability durability,
      Mutation mutation) {
    Partition partition = store.partition(slot);
    if (base != null) {
      store.follow(base.stamp());
    }
    if (store.hlc().exhausted() || partition.counter + 1 >= store.reservedCounter()) {
      waitForNumbers(slot, keyspace, key, durability, mutation);
      return;
    }
    Draft draft = mutation.over(base);
    if (draft == null) {
      return;
    }
    long stamp = store.hlc().next(physicalMillis());
    long counter = ++partition.counter;
    Version version =
        new Version(
            store.replicaId(),
            counter,
            stamp,
            draft.updates(),
            draft.expiryMillis(),
            draft.value());
    long sequence = append(keyspace, partition, storageKey, base, version);
    mutation.minted(version);
    commits.await(sequence, durability, mutation::durable);
  }

  /// Mints when the disk has taken the next reservation.
  private void waitForNumbers(
      int slot, int keyspace, byte[] key, Durability durability, Mutation mutation) {
    if (numberless.size() >= MAX_NUMBERLESS) {
      mutation.refused(overloaded("too many writes wait for version numbers", 10));
      return;
    }
    numberless.add(() -> latched(slot, keyspace, key, durability, mutation));
    reserve();
  }

  /// Stores a version minted elsewhere, if it wins here.
  public void apply(
      int keyspace, int slot, byte[] key, Version version, Durability durability, Applied done) {
    WritePressure pressure = lsm.pressure();
    if (pressure.refused()) {
      done.refused(
          overloaded("the store is behind or its disk is full", pressure.retryAfterMillis()));
      return;
    }
    if (!store.hlc().observe(version.stamp(), judgingMillis())) {
      done.refused(
          new Unanswered.Refused(
              Reason.INVALID, "the write's timestamp is too far ahead; check the clocks", 0));
      return;
    }
    byte[] storageKey = StorageKey.of(slot, keyspace, key);
    withBase(
        store.data(keyspace),
        storageKey,
        new Based() {
          @Override
          public void base(@Nullable Version base) {
            store(keyspace, slot, storageKey, base, version, durability, done);
          }

          @Override
          public void refused(Unanswered.Refused why) {
            done.refused(why);
          }
        });
  }

  private void store(
      int keyspace,
      int slot,
      byte[] storageKey,
      @Nullable Version base,
      Version version,
      Durability durability,
      Applied done) {
    if (version.sameAs(base)) {
      commits.await(lsm.writtenSequence(), durability, done::durable);
    } else if (version.newerThan(base) || planted == PlantedBug.LAST_ARRIVAL_WINS) {
      long sequence = append(keyspace, store.partition(slot), storageKey, base, version);
      commits.await(sequence, durability, done::durable);
    } else {
      // Only once what supersedes it is durable: the writer may take this as an acknowledgement.
      Version winner = java.util.Objects.requireNonNull(base);
      commits.await(lsm.writtenSequence(), durability, () -> done.superseded(winner));
    }
  }

  private long append(
      int keyspace,
      Partition partition,
      byte[] storageKey,
      @Nullable Version base,
      Version version) {
    int before = base != null && base.value() != null ? 1 : 0;
    int delta = (version.value() != null ? 1 : 0) - before;
    if (delta != 0) {
      partition.count(keyspace, delta);
      store.countChanged(keyspace, partition.number, delta);
    }
    partition.clock.add(version.replica(), version.counter());
    batch.clear();
    record.clear();
    version.encode(record);
    batch.put(store.data(keyspace), storageKey, record);
    long sequence = lsm.append(batch);
    store.journal().note(partition, version, keyspace, delta);
    if (store.reservationIsLow(partition.counter, physicalMillis())) {
      reserve();
    }
    return sequence;
  }

  private void reserve() {
    Store.Reservation wanted = store.wantReservation(physicalMillis());
    if (wanted != null) {
      batch.clear();
      batch.put(store.meta(), StorageKey.RESERVATION_ROW, wanted.encoded());
      long sequence = lsm.append(batch);
      commits.await(
          sequence,
          Durability.SYNC,
          () -> {
            store.reserved(wanted);
            List<Runnable> again = List.copyOf(numberless);
            numberless.clear();
            again.forEach(Runnable::run);
          });
    }
  }

  /// What a write needs to know before it is appended.
  private interface Based {
    void base(@Nullable Version base);

    void refused(Unanswered.Refused why);
  }

  /// Calls `then` with the latest version here, with nothing else touching the key in between.
  private void withBase(ColumnFamily data, byte[] storageKey, Based then) {
    if (latches.isHeld(storageKey) && planted != PlantedBug.LATCH_SKIPPED) {
      if (!latches.queue(storageKey, () -> withBase(data, storageKey, then))) {
        then.refused(overloaded("too many writes wait for this key", 20));
      }
      return;
    }
    byte[] cached;
    try {
      cached = lsm.getCached(data, storageKey, Long.MAX_VALUE);
    } catch (IOException e) {
      then.refused(unreadable(e));
      return;
    }
    if (cached != Lsm.NOT_CACHED) {
      then.base(Version.decode(cached));
      return;
    }
    latches.take(storageKey);
    loop.<byte @Nullable []>offload(
        () -> lsm.get(data, storageKey, Long.MAX_VALUE),
        (bytes, failure) -> {
          if (failure != null) {
            then.refused(unreadable(failure));
          } else {
            then.base(Version.decode(bytes));
          }
          latches.release(storageKey);
        });
  }

  /// Reads the newest version that is as durable as `durability` asks.
  public void read(int keyspace, int slot, byte[] key, Durability durability, Found found) {
    byte[] storageKey = StorageKey.of(slot, keyspace, key);
    readAt(store.data(keyspace), storageKey, commits.visible(durability), found);
  }

  /// Reads the latest version, pending or not.
  public void readLatest(int keyspace, int slot, byte[] key, Found found) {
    byte[] storageKey = StorageKey.of(slot, keyspace, key);
    readAt(store.data(keyspace), storageKey, Long.MAX_VALUE, found);
  }

  private void readAt(ColumnFamily data, byte[] storageKey, long sequence, Found found) {
    byte[] cached;
    try {
      cached = lsm.getCached(data, storageKey, sequence);
    } catch (IOException e) {
      found.found(null, e);
      return;
    }
    if (cached != Lsm.NOT_CACHED) {
      found.found(Version.decode(cached), null);
      return;
    }
    loop.<byte @Nullable []>offload(
        () -> lsm.get(data, storageKey, sequence),
        (bytes, failure) -> found.found(failure != null ? null : Version.decode(bytes), failure));
  }

  /// Runs `then` when everything appended so far is as durable as asked.
  public void whenDurable(Durability durability, Runnable then) {
    commits.await(lsm.writtenSequence(), durability, then);
  }

  /// Looks at keys from `cursor` on until about `limit` are gathered or a slot comes that `owned`
  /// does not hold, on a worker.
  public void scan(
      int keyspace,
      long cursor,
      int limit,
      Durability durability,
      dev.tern.env.Offload.Completion<ScanPage> done) {
    long sequence = commits.visible(durability);
    long wall = clock.wallMillis();
    Scan scan = new Scan(lsm, store, store.data(keyspace), keyspace, sequence, wall);
    loop.offload(() -> scan.run(cursor, limit), done);
  }

  /// Called a few times a second.
  ///
  /// @param millisSinceMonotonic the median of the members' wall clocks less this node's monotonic
  ///   clock; [#TIME_UNKNOWN] while too few are known
  /// @throws IllegalStateException if the log could not be forced: this node must stop
  public void beat(long millisSinceMonotonic) {
    IOException failure = lsm.failure();
    if (failure != null) {
      throw new IllegalStateException(Commits.UNKNOWN_LOG, failure);
    }
    lsm.retry();
    if (store.erases() && !lsm.pressure().refused()) {
      batch.clear();
      store.eraseSome(batch);
      lsm.append(batch);
    }
    timeOffsetMillis = millisSinceMonotonic;
    // Also when idle: the first write after it shall not have to wait.
    if (timeOffsetMillis != TIME_UNKNOWN && store.reservationIsLow(0, physicalMillis())) {
      reserve();
    }
  }

  /// This shard's store.
  public Store store() {
    return store;
  }

  /// Writes that wait for a disk read or for durability.
  public int waiting() {
    return latches.waiting() + numberless.size() + commits.waiting();
  }

  /// The time that stamps are minted by; while it is not known they count on from the last one.
  private long physicalMillis() {
    return timeOffsetMillis == TIME_UNKNOWN
        ? 0
        : clock.monotonicNanos() / 1_000_000 + timeOffsetMillis;
  }

  /// The time that stamps from elsewhere are judged by.
  private long judgingMillis() {
    return timeOffsetMillis == TIME_UNKNOWN ? clock.wallMillis() : physicalMillis();
  }

  private static Unanswered.Refused overloaded(String why, long retryAfterMillis) {
    return new Unanswered.Refused(Reason.OVERLOADED, why, retryAfterMillis);
  }

  private static Unanswered.Refused unreadable(Throwable cause) {
    return new Unanswered.Refused(
        Reason.UNAVAILABLE, "this replica cannot read the key: " + cause.getMessage(), 0);
  }
}
