package dev.tern.core.replica;

import dev.tern.core.context.Limits;
import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.store.Blockage;
import dev.tern.core.store.Commits;
import dev.tern.core.store.DiskReserve;
import dev.tern.core.version.ClusterTime;
import dev.tern.env.EventLoop;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/// All replicas of one shard, over one store: the parts that read and write them, and what is due
/// from time to time. See the package for what always holds.
///
/// Every call is made on the shard's loop and returns at once; its listener is told on that loop,
/// possibly before the call returns.
public final class Replica {
  /// The largest that [#pressure] says.
  public static final int MOST_PRESSURE = 255;

  private final ReplicaContext context;
  private final Lsm lsm;
  private final Store store;
  private final EventLoop loop;
  private final Commits commits;
  private final Blockage blockage;
  private final Reservations reservations;
  private final Ballots ballots;
  private final Reads reads;
  private final Writes writes;
  private final Minting minting;
  private final Tombstones tombstones;
  private final DotLog dotLog;

  /// Serves the replicas of an open store.
  ///
  /// @param self the member whose store it is
  public Replica(
      Store store,
      EventLoop loop,
      ClusterTime clock,
      int self,
      Limits limits,
      PlantedBug planted,
      DiskReserve reserve) {
    RecordBounds bounds = new RecordBounds(limits.frameBytes());
    this.context = new ReplicaContext(store, loop, clock, bounds, limits.pageBytes(), planted);
    this.store = store;
    this.lsm = store.lsm();
    this.loop = loop;
    this.blockage =
        new Blockage(lsm, reserve, self, store.records().shard(), store.records().events());
    this.commits =
        new Commits(
            lsm,
            loop,
            planted == PlantedBug.ACK_BEFORE_DURABLE,
            store.journal()::synced,
            blockage::stalled);
    this.reservations = new Reservations(lsm, store, commits);
    this.ballots = new Ballots(store, reservations, blockage, clock, planted);
    this.reads = new Reads(context, commits);
    this.writes = new Writes(context, commits, blockage, reservations, ballots);
    this.minting = new Minting(context, writes, commits, blockage, reservations);
    this.tombstones = new Tombstones(context, writes);
    this.dotLog = new DotLog(context, commits);
    if (planted == PlantedBug.REUSED_DOTS) {
      store.forEachPartition(each -> each.repeatCounters(each.clock().highest(store.replicaId())));
    }
    lsm.beforeGroupEnds(() -> store.journal().endGroup(context.physicalMillis()));
  }

  /// How full the memtables are: 0 up to half of their room, [#MOST_PRESSURE] where no write is
  /// taken any more.
  public int pressure() {
    return (int) (MOST_PRESSURE * lsm.pressure().memory());
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
    if (store.records().erases() && !lsm.pressure().refused() && !writes.isParking()) {
      WriteBatch batch = new WriteBatch();
      store.eraseSome(batch);
      lsm.append(batch);
    }
    if (!lsm.pressure().refused()) {
      store.letGoOfDropped(context.clock().monotonicNanos());
    }
    store.journal().synced(lsm.syncedSequence());
    if (!lsm.pressure().refused()) {
      writes.stripLeftovers();
    }
    if (store.journal().waitsForDisk()) {
      dotLog.force();
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

  /// Reads what the replicas hold.
  public Reads reads() {
    return reads;
  }

  /// Stores what comes from elsewhere.
  public Writes writes() {
    return writes;
  }

  /// Mints versions.
  public Minting minting() {
    return minting;
  }

  /// Finds and strips tombstones.
  public Tombstones tombstones() {
    return tombstones;
  }

  /// Gathers, claims and trims dots.
  public DotLog dotLog() {
    return dotLog;
  }

  /// The handling of pages of a rebuild.
  public Rebuilds rebuilds() {
    return new Rebuilds(writes, dotLog, loop);
  }

  /// What a partition has at this moment, for another replica.
  public PartitionSnapshot snapshot(Partition partition) {
    return new PartitionSnapshot(store, partition, physicalMillis());
  }

  /// Takes in snapshots of other replicas.
  ///
  /// @param keyspaces by id, null for one that is not known
  public SnapshotInstalls installs(
      SnapshotFiles files, IntFunction<@Nullable KeyspaceConfig> keyspaces) {
    return new SnapshotInstalls(context, writes, files, keyspaces);
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

  /// A mistake for tests to find.
  PlantedBug planted() {
    return context.planted();
  }

  /// Writes that wait for a disk read or for durability.
  public int waiting() {
    return writes.waiting() + reservations.waiting() + commits.waiting();
  }

  /// The time that stamps are minted by; while it is not known they count on from the last one.
  long physicalMillis() {
    return context.physicalMillis();
  }
}
