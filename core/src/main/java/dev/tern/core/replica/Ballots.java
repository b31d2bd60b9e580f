package dev.tern.core.replica;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.Unanswered;
import dev.tern.core.store.Blockage;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.Siblings;
import dev.tern.core.version.Stamp;
import dev.tern.core.version.Version;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Which leader's updates of a key this shard's replicas take: a *ballot* for each round of
/// read-modify-writes, as in Paxos (after Rystsov, "CASPaxos", 2018).
///
/// ```
///   leader --Read, ballot--> replicas     promise: no update of the key under a lower one
///          <-- record, or Outvoted --
///   leader --Write, ballot--> replicas    stored, unless a higher one was promised since
/// ```
///
/// Where `r + w > n` two leaders of one key cannot both be acknowledged for updates of one version:
/// some replica that answered the later leader's read either had stored the earlier one's update,
/// which the read has seen, or refuses it.
///
/// A ballot is `milliseconds << 16 | member number`, above every ballot that its leader has heard
/// of; a leader keeps it for a partition until it is outvoted. Replicas tell each other with their
/// clocks what they have heard of, so that who comes to lead by a move ranks above updates of
/// former leaders that nobody acknowledged. Promises are kept in memory, for the last [#MAX_KEYS]
/// keys one by one, for all others as one floor a partition. After a start the floor is the
/// reservation of stamps that was on disk: every ballot that was promised to a leader that reads
/// lies below it.
///
/// Threads: the shard's loop.
public final class Ballots {
  /// No clock comes so far: a ballot is the term of the stamps of its updates.
  public static final long MAX = Stamp.MAX_TERM;

  /// Keys whose promises are known one by one.
  static final int MAX_KEYS = 16_384;

  private static final int MEMBER_BITS = 16;
  private static final long MEMBERS = (1L << MEMBER_BITS) - 1;

  /// Of the highest ballots that a frame may carry.
  private static final long LAST_MILLIS = (MAX >> MEMBER_BITS) - 1;

  /// A replica that was filled leads so far above what it has heard of: others may have led since.
  private static final long SUCCESSION_MILLIS = 1_000;

  private static final long FNV_OFFSET = 0xcbf29ce484222325L;
  private static final long FNV_PRIME = 0x100000001b3L;

  private final Store store;
  private final Reservations reservations;
  private final Blockage blockage;
  private final ClusterTime clock;
  private final PlantedBug planted;

  /// By hash of the key: two keys that share one share their promises, which refuses more.
  private final LinkedHashMap<Long, Promise> promises = new LinkedHashMap<>();

  private record Promise(Partition partition, long ballot) {}

  Ballots(
      Store store,
      Reservations reservations,
      Blockage blockage,
      ClusterTime clock,
      PlantedBug planted) {
    this.store = store;
    this.reservations = reservations;
    this.blockage = blockage;
    this.clock = clock;
    this.planted = planted;
  }

  private static long hash(int keyspace, byte[] key) {
    long hash = FNV_OFFSET ^ keyspace;
    for (byte each : key) {
      hash = (hash ^ each & 0xff) * FNV_PRIME;
    }
    return hash;
  }

  /// The highest ballot that was promised for a key.
  public long promised(int keyspace, int slot, byte[] key) {
    Promise promise = promises.get(hash(keyspace, key));
    long floor = store.partition(keyspace, slot).ballots().floor();
    return promise == null ? floor : Math.max(floor, promise.ballot);
  }

  /// Runs `then` once a ballot lies below the reservation of stamps on disk: a start begins above
  /// that, so what is promised before it is not forgotten.
  ///
  /// @param refused told instead, if the disk takes no reservation now
  public void whenReserved(long ballot, Runnable then, Consumer<Unanswered.Refused> refused) {
    if (ballot < store.hlc().reservedLimit() || planted == PlantedBug.PROMISE_FORGOTTEN) {
      then.run();
      return;
    }
    // The next reservation lies above it.
    store.follow(ballot);
    Unanswered.Refused blocked = blockage.refusal(store.lsm().pressure());
    if (blocked != null) {
      refused.accept(blocked);
    } else if (reservations.await(() -> whenReserved(ballot, then, refused))) {
      reservations.reserve(clock.stampMillis());
    } else {
      refused.accept(
          new Unanswered.Refused(
              Unanswered.Reason.OVERLOADED, "too many requests wait for a reservation", 10));
    }
  }

  /// Promises to take no update of a key under a lower ballot; false if a higher one was promised.
  /// One that comes with a read waits for [#whenReserved] first. One that comes with an update need
  /// not: where that update is lost from the disk, so is what was promised for it.
  public boolean promise(int keyspace, int slot, byte[] key, long ballot) {
    if (planted == PlantedBug.BALLOTS_IGNORED) {
      store.partition(keyspace, slot).ballots().hear(ballot);
      return true;
    }
    long promised = promised(keyspace, slot, key);
    if (ballot < promised) {
      return false;
    }
    Partition partition = store.partition(keyspace, slot);
    partition.ballots().hear(ballot);
    if (ballot > promised) {
      keep(hash(keyspace, key), new Promise(partition, ballot));
      if (ballot >= store.hlc().reservedLimit()) {
        // The next reservation lies above it.
        store.follow(ballot);
      }
    }
    return true;
  }

  /// The ballot of a leader whose update may replace what is here of a key without containing it:
  /// it was promised more than the ballot of that version, perhaps before that version came. 0 if
  /// no leader is; what is minted above a blind put contains it.
  public long above(int keyspace, int slot, byte[] key, @Nullable Siblings record) {
    if (record == null || record.isEmpty() || record.newest().stamp().count() == 0) {
      return 0;
    }
    long promised = promised(keyspace, slot, key);
    return promised > record.newest().stamp().term() ? promised : 0;
  }

  /// The ballot under which a version may be brought to replicas that lack it: that of the update
  /// that it is. 0 for a blind put, which outranks all updates of what was before it.
  public static long of(Version version) {
    Stamp stamp = version.stamp();
    return stamp.count() == 0 ? 0 : Math.max(1, stamp.term());
  }

  /// The stamp that an update stands on. What is absent counts as deleted at the floor of its
  /// partition, and so does what may have been absent for an earlier leader: a delete, and another
  /// leader's update. That leader's update may stand on that floor, and must rank below this one.
  ///
  /// Not so a blind put: no floor rises above one that some replica lacks. Nor an update of the
  /// same ballot: the first one of it stands above the floors of all earlier leaders.
  ///
  /// @param base null for nothing
  /// @param ballot of the update
  public static Stamp below(@Nullable Version base, long ballot, Stamp floor) {
    if (base == null) {
      return floor;
    }
    Stamp stamp = base.stamp();
    boolean put = stamp.count() == 0 && base.value() != null;
    boolean own = stamp.count() > 0 && stamp.term() == ballot;
    return put || own ? stamp : stamp.max(floor);
  }

  private void keep(long hash, Promise promise) {
    promises.remove(hash);
    promises.put(hash, promise);
    if (promises.size() > MAX_KEYS) {
      Iterator<Map.Entry<Long, Promise>> eldest = promises.entrySet().iterator();
      Promise dropped = eldest.next().getValue();
      eldest.remove();
      dropped.partition.ballots().forget(dropped.ballot);
    }
  }

  /// The ballot under which this node leads a round of updates of a key, promised here.
  ///
  /// @param member number of this node
  public long lead(int keyspace, int slot, byte[] key, int member) {
    PartitionBallots of = store.partition(keyspace, slot).ballots();
    if (of.own() == 0 || of.own() < promised(keyspace, slot, key)) {
      // Above the last ballot nobody leads: such a round is outvoted, and its frames stay readable.
      long step = of.succeeds() ? SUCCESSION_MILLIS : 1;
      long above = Math.max(clock.stampMillis(), HybridClock.millis(of.heard()) + step);
      long millis = Math.min(above, LAST_MILLIS);
      of.lead(millis << MEMBER_BITS | member & MEMBERS);
    }
    promise(keyspace, slot, key, of.own());
    return of.own();
  }

  /// A replica has promised a higher ballot to another leader: the next round begins above it.
  public void outvoted(int keyspace, int slot, long by) {
    store.partition(keyspace, slot).ballots().outvoted(by);
  }

  /// Another replica has heard of a ballot. One that is far ahead of the time is not followed: who
  /// asks under it is told of it by those that promised it.
  public void told(Partition partition, long ballot) {
    long now = clock.stampMillis();
    if (now == 0 || HybridClock.millis(ballot) <= now + HybridClock.MAX_AHEAD_MILLIS) {
      partition.hearBallot(ballot);
    }
  }

  /// An update was appended here.
  ///
  /// @param sequence of the log
  public void accepted(int keyspace, int slot, long ballot, long sequence) {
    store.partition(keyspace, slot).ballots().accepted(ballot, sequence);
  }

  /// The sequence of the last update that was appended under another ballot: whoever reads under
  /// this one must be shown it.
  long rivals(int keyspace, int slot, long ballot) {
    return store.partition(keyspace, slot).ballots().rivals(ballot);
  }

  /// What was promised before the start lies below a reservation of stamps.
  static void restarted(Partition partition, long reservedStamp) {
    partition.ballots().restarted(Math.min(reservedStamp | MEMBERS, MAX - 1));
  }
}
