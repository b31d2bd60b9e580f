package dev.tern.core.replica;

import dev.tern.core.context.PlantedBug;
import dev.tern.core.keyspace.KeyspaceConfig;
import dev.tern.core.keyspace.KeyspaceConfig.Durability;
import dev.tern.core.keyspace.Resolution;
import dev.tern.core.store.Commits;
import dev.tern.core.version.ClusterTime;
import dev.tern.core.version.DotView;
import dev.tern.core.version.Siblings;
import dev.tern.core.wire.ScanPage;
import dev.tern.env.EventLoop;
import dev.tern.env.Offload;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.Lsm;
import java.io.IOException;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// Reads what this shard's replicas hold: records, pages of a scan, expired versions, hints.
///
/// A read sees the newest record that is as durable as its keyspace demands, and what it tells of
/// dots is on disk. What is in memory is told before the call returns, the rest by a worker.
///
/// Threads: the shard's loop; listeners are told on it.
public final class Reads {
  /// A version becomes a tombstone so long after its expiry, as clocks differ.
  private static final long EXPIRY_MARGIN_MILLIS = 5_000;

  private final Store store;
  private final Lsm lsm;
  private final EventLoop loop;
  private final ClusterTime clock;
  private final Commits commits;
  private final PlantedBug planted;

  Reads(ReplicaContext context, Commits commits) {
    this.store = context.store();
    this.lsm = context.lsm();
    this.loop = context.loop();
    this.clock = context.clock();
    this.planted = context.planted();
    this.commits = commits;
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
    DotView clock =
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
        () -> filled(store.decoder().readOrNull(lsm, data, storageKey, sequence), clock),
        found::found);
  }

  private DotView told(Partition partition) {
    return planted == PlantedBug.UNSYNCED_CLOCK_ADVERTISED ? partition.clock() : partition.synced();
  }

  private static @Nullable Siblings filled(@Nullable Siblings siblings, @Nullable DotView clock) {
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

  static Siblings merged(DotView clock, @Nullable Siblings here, @Nullable Siblings other) {
    Siblings filled = here == null ? Siblings.nothing(clock) : here.filled(clock);
    return other == null ? filled : Siblings.merged(filled, other);
  }

  /// What a record from another replica is, filled by that one's clock.
  public static Siblings filled(KeyspaceConfig keyspace, Siblings record, DotView clock) {
    return keyspace.resolution() == Resolution.LWW ? record : record.filled(clock);
  }

  /// Looks at keys from `cursor` on until about `limit` are gathered or a slot comes that `owned`
  /// does not hold, on a worker.
  ///
  /// @param alone whether this replica's word is enough; else it ends where this one is behind,
  ///   which the cursor's slot must not be
  /// @param moved partitions where it ends, too
  public void scan(
      int keyspace,
      long cursor,
      int limit,
      Durability durability,
      boolean alone,
      BitSet moved,
      Offload.Completion<ScanPage> done) {
    long sequence = commits.visible(durability);
    long now = clock.expiryMillis();
    BitSet but = (BitSet) moved.clone();
    BitSet behind = alone ? null : store.behind(keyspace);
    if (behind != null) {
      but.or(behind);
    }
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
}
