package dev.tern.core.replica;

import dev.tern.core.topology.Topology;
import dev.tern.core.version.HybridClock;
import dev.tern.core.version.ReplicaClock;
import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.Randomness;
import dev.tern.lsm.ColumnFamily;
import dev.tern.lsm.IteratorOptions;
import dev.tern.lsm.Lsm;
import dev.tern.lsm.LsmIterator;
import dev.tern.lsm.WriteBatch;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a shard keeps on disk and the figures it keeps of it in memory: its records, the rows of
/// its partitions, its identity, and the numbers it may give out.
///
/// Invariants: the replica id is minted once for a directory and never used by another; counters
/// and stamps given out lie below a reservation that was on disk first, and an opening skips to the
/// end of the last one, so that none is ever given out twice, whatever a crash took.
public final class Store implements AutoCloseable {
  /// Counters reserved at a time, for all partitions together.
  private static final long COUNTER_BLOCK = 1 << 20;

  private static final VarHandle COUNT = MethodHandles.arrayElementVarHandle(long[].class);

  private final Lsm lsm;
  private final ColumnFamily data;
  private final ColumnFamily meta;
  private final Topology topology;
  private final int shard;
  private final int shards;
  private final Partition[] partitions;
  private final Journal journal;

  /// Ids of the keyspaces counted, and per keyspace the records of each partition: written on the
  /// loop, read by any thread.
  private final int[] keyspaces;

  private final long[][] counts;

  private int replicaId;
  private HybridClock hlc = new HybridClock(0, 0);
  private long reservedCounter;
  private boolean reserving;

  /// Numbers that may be given out once they are on disk.
  ///
  /// @param counter no partition's counter reaches it
  /// @param stamp no stamp reaches it
  record Reservation(long counter, long stamp) {
    byte[] encoded() {
      return new ByteWriter(16).writeLong(counter).writeLong(stamp).toByteArray();
    }

    static Reservation decode(byte[] bytes) {
      ByteReader in = new ByteReader(bytes);
      return new Reservation(in.readLong(), in.readLong());
    }
  }

  private Store(Lsm lsm, Topology topology, int shard, int shards, int[] keyspaces)
      throws IOException {
    this.lsm = lsm;
    this.topology = topology;
    this.shard = shard;
    this.shards = shards;
    this.keyspaces = keyspaces.clone();
    this.data = lsm.columnFamily("data", dev.tern.lsm.CompactionStyle.LEVELED);
    this.meta = lsm.columnFamily("meta", dev.tern.lsm.CompactionStyle.LEVELED);
    this.partitions = new Partition[topology.partitions()];
    this.journal = new Journal(lsm, meta);
    this.counts = new long[keyspaces.length][topology.partitions()];
  }

  /// Reads what the store knows and reserves the next block of numbers, durably.
  ///
  /// @param keyspaces ids to keep counts of
  /// @throws IOException if the store cannot be read or belongs to other settings
  public static Store open(
      Lsm lsm,
      Topology topology,
      int shard,
      int shards,
      List<Integer> keyspaces,
      Randomness randomness)
      throws IOException {
    Store store =
        new Store(
            lsm, topology, shard, shards, keyspaces.stream().mapToInt(Integer::intValue).toArray());
    WriteBatch batch = new WriteBatch();
    store.identify(batch, randomness);
    byte[] row = lsm.get(store.meta, StorageKey.RESERVATION_ROW, Long.MAX_VALUE);
    Reservation last = row == null ? new Reservation(0, 0) : Reservation.decode(row);
    store.load(last.counter());
    store.hlc = new HybridClock(last.stamp(), 0);
    // The time is not known yet: what one's own clock says may be wrong for ever on disk.
    Reservation next = java.util.Objects.requireNonNull(store.wantReservation(0));
    batch.put(store.meta, StorageKey.RESERVATION_ROW, next.encoded());
    store.journal.writeRows(batch);
    lsm.append(batch);
    lsm.flushLog();
    lsm.syncLog();
    store.reserved(next);
    return store;
  }

  private void identify(WriteBatch batch, Randomness randomness) throws IOException {
    byte[] identity = lsm.get(meta, StorageKey.IDENTITY_ROW, Long.MAX_VALUE);
    if (identity == null) {
      replicaId = (int) randomness.nextLong() | 1;
      ByteWriter out = new ByteWriter(12);
      out.writeInt(replicaId).writeInt(shards).writeInt(topology.partitions());
      batch.put(meta, StorageKey.IDENTITY_ROW, out.toByteArray());
      return;
    }
    ByteReader in = new ByteReader(identity);
    replicaId = in.readInt();
    int shardsThen = in.readInt();
    int partitionsThen = in.readInt();
    if (shardsThen != shards || partitionsThen != topology.partitions()) {
      throw new IOException(
          "this data directory was written with %d shards and %d partitions, not %d and %d; start with those or with an empty directory"
              .formatted(shardsThen, partitionsThen, shards, topology.partitions()));
    }
  }

  private void load(long firstCounter) throws IOException {
    reservedCounter = firstCounter;
    for (int p = shard; p < partitions.length; p += shards) {
      partitions[p] = new Partition(p, new ReplicaClock(), firstCounter);
    }
    try (LsmIterator rows = lsm.iterator(meta, IteratorOptions.all())) {
      for (rows.seek(StorageKey.partitionRow(0)); rows.valid(); rows.next()) {
        ByteReader key = new ByteReader(rows.key());
        if (key.readUnsignedByte() != StorageKey.PARTITION_ROW) {
          break;
        }
        int number = key.readUnsignedShort();
        Partition partition = Partition.decode(number, rows.value(), firstCounter);
        partitions[number] = partition;
        for (int keyspace : keyspaces) {
          countChanged(keyspace, number, partition.count(keyspace));
        }
      }
    }
    journal.load(number -> partitions[number], this::countChanged);
  }

  Partition partition(int slot) {
    return partitions[topology.partitionOf(slot)];
  }

  boolean owns(int slot) {
    return topology.partitionOf(slot) % shards == shard;
  }

  /// Whether this store keeps that slot's partition.
  public boolean holds(int slot) {
    return partition(slot) != null;
  }

  /// What keeps the rows of the partitions.
  Journal journal() {
    return journal;
  }

  void countChanged(int keyspace, int partition, long delta) {
    for (int i = 0; i < keyspaces.length; i++) {
      if (keyspaces[i] == keyspace) {
        COUNT.setOpaque(counts[i], partition, counts[i][partition] + delta);
      }
    }
  }

  /// Records with a value in a partition of this store; any thread.
  public long count(int keyspace, int partition) {
    for (int i = 0; i < keyspaces.length; i++) {
      if (keyspaces[i] == keyspace) {
        return (long) COUNT.getOpaque(counts[i], partition);
      }
    }
    return 0;
  }

  /// Whether a version was stored here, pending or superseded as it may be; on the loop.
  public boolean knows(int slot, int replica, long counter) {
    return partition(slot).clock.contains(replica, counter);
  }

  /// Whether more numbers should be reserved before these run out.
  boolean reservationIsLow(long counter, long physicalMillis) {
    return !reserving
        && (counter + COUNTER_BLOCK / 2 > reservedCounter || hlc.isLow(physicalMillis));
  }

  @Nullable Reservation wantReservation(long physicalMillis) {
    if (reserving) {
      return null;
    }
    reserving = true;
    return new Reservation(reservedCounter + COUNTER_BLOCK, hlc.wanted(physicalMillis));
  }

  void reserved(Reservation reservation) {
    reserving = false;
    reservedCounter = reservation.counter();
    hlc.reserved(reservation.stamp());
  }

  long reservedCounter() {
    return reservedCounter;
  }

  HybridClock hlc() {
    return hlc;
  }

  /// Learns of a stamp that another replica has accepted, so that the next one minted here lies
  /// above it.
  public void follow(long stamp) {
    hlc.follow(stamp);
  }

  /// The id that this store's versions carry.
  public int replicaId() {
    return replicaId;
  }

  public Lsm lsm() {
    return lsm;
  }

  ColumnFamily data() {
    return data;
  }

  ColumnFamily meta() {
    return meta;
  }

  @Override
  public void close() throws IOException {
    lsm.close();
  }
}
