package dev.tern.core.store;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import java.util.Arrays;
import java.util.BitSet;

/// Where the records of one partition lie in a store, and what they count. On the shard's loop; the
/// place never changes and may be asked for on any thread.
///
/// The figures of a keyspace are the records with a value, those of them all of whose values have
/// an expiry, and the bytes of the user keys and values of all of them. They count what the records
/// say at any moment, pending ones included. Where a disk has lost records they may be off, and
/// even below zero, until somebody counts again ([#doubt]).
///
/// The bytes of the figures in a row of whoever keeps them:
///
/// ```
///   | keyspaces varint | count | ...
///     count:  | keyspace u32 | keys varint | expiring keys varint | bytes varint |
/// ```
public final class PartitionRecords {
  private static final int FIGURES = 3;

  /// Of a keyspace's count, at least.
  private static final int LEAST_COUNT_BYTES = 7;

  /// Ids that a cluster may ever give out are below.
  private static final int MAX_KEYSPACES = 1 << 20;

  private final int set;
  private final int number;
  private final int firstSlot;
  private final int slots;

  /// No keyspace is named twice.
  private int[] keyspaces = new int[0];

  /// By place in [#keyspaces], [#FIGURES] each.
  private long[] counts = new long[0];

  /// Whether a record was written of which nobody knows what was counted before: all records are to
  /// be counted anew. Not on disk, as the walk over the hash trees counts all of them in its turn.
  private boolean uncertain;

  /// How often all figures were set to nothing, since the start.
  private long resets;

  /// Keyspaces that were dropped and whose figures went, since the start.
  private final BitSet forgotten = new BitSet();

  private PartitionRecords(int set, int number, int firstSlot, int slots) {
    this.set = set;
    this.number = number;
    this.firstSlot = firstSlot;
    this.slots = slots;
  }

  /// A partition that counts nothing.
  ///
  /// @param set the number of its replica groups
  /// @param number in the ring
  /// @param firstSlot the first of its slots
  /// @param slots how many it has
  public static PartitionRecords of(int set, int number, int firstSlot, int slots) {
    return new PartitionRecords(set, number, firstSlot, slots);
  }

  /// The same partition, counting nothing.
  public PartitionRecords blank() {
    return of(set, number, firstSlot, slots);
  }

  /// The number of its groups, [dev.tern.core.topology.ReplicaGroups#number].
  public int set() {
    return set;
  }

  /// Its number in the ring.
  public int number() {
    return number;
  }

  /// The first of its slots.
  public int firstSlot() {
    return firstSlot;
  }

  /// Before all its records, and before all its rows in each family of partitions.
  public byte[] first() {
    return RecordKey.first(set, firstSlot);
  }

  /// Behind all its records and rows.
  public byte[] end() {
    return RecordKey.first(set, firstSlot + slots);
  }

  /// Whether bytes are the record key of a record of this partition.
  public boolean isKey(byte[] bytes) {
    if (!RecordKey.isOne(bytes) || RecordKey.set(bytes) != set) {
      return false;
    }
    int slot = RecordKey.slot(bytes);
    return slot >= firstSlot && slot < firstSlot + slots && RecordKey.keyspace(bytes) > 0;
  }

  /// Records of a keyspace with a value, expired ones included.
  public long keys(int keyspace) {
    return figure(keyspace, 0);
  }

  /// Those of them all of whose values have an expiry.
  public long expiring(int keyspace) {
    return figure(keyspace, 1);
  }

  /// Bytes of the keys and values of the records with a value.
  public long bytes(int keyspace) {
    return figure(keyspace, 2);
  }

  private long figure(int keyspace, int which) {
    int at = find(keyspace);
    return at < 0 ? 0 : counts[FIGURES * at + which];
  }

  private int find(int keyspace) {
    for (int at = 0; at < keyspaces.length; at++) {
      if (keyspaces[at] == keyspace) {
        return at;
      }
    }
    return -1;
  }

  /// The keyspaces that have or had records here; a copy.
  public int[] keyspaces() {
    return keyspaces.clone();
  }

  /// Whether a keyspace has or had records here.
  public boolean knows(int keyspace) {
    return find(keyspace) >= 0;
  }

  /// Whether no keyspace ever had records here.
  public boolean isEmpty() {
    return keyspaces.length == 0;
  }

  /// A record was written of which nobody knows what was counted before.
  public void doubt() {
    uncertain = true;
  }

  /// Whether the records are to be counted anew: the figures may be off.
  public boolean isUncertain() {
    return uncertain;
  }

  /// The records are counted anew from here on.
  ///
  /// @return what [#resets] is now
  public long recounts() {
    uncertain = false;
    return resets;
  }

  /// Counts how often all figures were set to nothing, since the start. What was counted before the
  /// last time corrects nothing.
  public long resets() {
    return resets;
  }

  /// A keyspace has no records here any more, and will have none.
  void forget(int keyspace) {
    int at = find(keyspace);
    forgotten.set(keyspace);
    if (at >= 0) {
      int last = keyspaces.length - 1;
      keyspaces[at] = keyspaces[last];
      System.arraycopy(counts, FIGURES * last, counts, FIGURES * at, FIGURES);
      keyspaces = Arrays.copyOf(keyspaces, last);
      counts = Arrays.copyOf(counts, FIGURES * last);
    }
  }

  /// Whether a keyspace was dropped and its figures went, since the start.
  public boolean hasForgotten(int keyspace) {
    return forgotten.get(keyspace);
  }

  /// All that it counted is dropped.
  void empty() {
    keyspaces = new int[0];
    counts = new long[0];
    resets++;
  }

  /// Adds to the figures of a keyspace. Who counts for a store calls [RecordStore#counted], which
  /// tells other threads too.
  public void count(int keyspace, long keys, long expiring, long bytes) {
    int at = find(keyspace);
    if (at < 0) {
      at = keyspaces.length;
      keyspaces = Arrays.copyOf(keyspaces, at + 1);
      counts = Arrays.copyOf(counts, FIGURES * (at + 1));
      keyspaces[at] = keyspace;
    }
    counts[FIGURES * at] += keys;
    counts[FIGURES * at + 1] += expiring;
    counts[FIGURES * at + 2] += bytes;
  }

  /// Appends the figures.
  public void encodeCounts(ByteWriter out) {
    out.writeVarInt(keyspaces.length);
    for (int at = 0; at < keyspaces.length; at++) {
      out.writeInt(keyspaces[at]).writeVarLong(counts[FIGURES * at]);
      out.writeVarLong(counts[FIGURES * at + 1]).writeVarLong(counts[FIGURES * at + 2]);
    }
  }

  /// Reads the figures of a partition that was just made. [RecordStore#loaded] tells them to other
  /// threads.
  ///
  /// @throws DecodeException if the bytes are none
  public void decodeCounts(ByteReader in) {
    for (int left = in.readCount(LEAST_COUNT_BYTES); left > 0; left--) {
      int keyspace = in.readInt();
      checkKeyspace(keyspace);
      if (knows(keyspace)) {
        throw new DecodeException("two counts of keyspace " + keyspace);
      }
      count(keyspace, in.readVarLong(), in.readVarLong(), in.readVarLong());
    }
  }

  /// Figures are kept by the ids of keyspaces, so an id that no cluster gives out is refused.
  ///
  /// @throws DecodeException for such an id
  public static void checkKeyspace(int keyspace) {
    if (keyspace <= 0 || keyspace >= MAX_KEYSPACES) {
      throw new DecodeException("a count of keyspace " + keyspace);
    }
  }
}
