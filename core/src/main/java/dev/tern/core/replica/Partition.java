package dev.tern.core.replica;

import dev.tern.core.version.DotSet;
import dev.tern.core.version.Stamp;
import java.util.Arrays;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/// What a replica of one group knows of one partition besides its records. On the shard's loop. Its
/// row is drawn in [MetaRows].
public final class Partition {
  /// The number of its groups, [dev.tern.core.topology.ReplicaGroups#number].
  final int set;

  final int number;

  /// The id under which this member was admitted to the groups, see
  /// [dev.tern.core.topology.ReplicaGroups#replicaId]: what is stored here belongs to it. 0 where
  /// this member was never a replica of the partition.
  int admission;

  /// Of its slots.
  final int firstSlot;

  /// The dots that the store holds or has held, pending ones included.
  final DotSet clock;

  /// Those of them that are on disk: what may be told to others.
  final DotSet synced;

  /// The dots whose entries in the log of dots are gone: all replicas had them; with too many gaps
  /// also some that are not in the clock. In a row of its own, written with the removal.
  final DotSet trimmed = new DotSet();

  /// The hashes of its records, as far as they are known.
  final HashTree tree = new HashTree();

  /// The greatest stamp of a delete that was stripped here or at a replica that was heard: what is
  /// absent counts as deleted at it. In a row of its own, written with the removal; never falls.
  Stamp floor = Stamp.NONE;

  /// The sequence of the log with which it rose last.
  long floorSequence;

  /// What is known of those who lead updates of its keys, see [dev.tern.core.replica.Ballots].
  final Ballots ballots = new Ballots();

  /// Of one partition.
  static final class Ballots {
    /// Promised for all keys that are not known one by one.
    long floor;

    /// The highest that was heard of.
    long seen;

    /// That this node leads under, 0 for none.
    long own;

    /// Of the last update that was appended, and the sequence of the log then.
    long accepted;

    long written;

    /// The sequence when the last update was appended that came under another one than that.
    long rivals;
  }

  /// Counts what was removed here because all replicas had its delete; since the start.
  long strips;

  /// The last counter minted here; grows, and jumps to the reservation at a restart.
  long counter;

  /// Whether other nodes hold it too, so that they may have to be told of its dots.
  boolean replicated;

  /// Deletes that were stored here since the start, or may have been before: whether there may be
  /// some to strip.
  long graves = 1;

  /// Whether this store ever had all that the other replicas had: one whose directory was empty may
  /// lack what a disk before it has acknowledged. In a row of its own.
  boolean filled;

  /// Since its row was written.
  boolean changed;

  /// Whether it does not know yet, since the start, what the other replicas have.
  private boolean behind;

  /// While it is taken whole from another replica: where the pages have come to, as u8 family and
  /// record key, and the dots that the pages before that place leave no doubt about. Null else.
  private byte @Nullable [] rebuiltTo;

  private DotSet rebuilt = new DotSet();

  /// Counts the changes of [#synced] and of [#floor].
  long turns;

  /// Figures of a keyspace: records with a value; those of them all of whose values have an expiry;
  /// bytes of the user keys and values of all of them. What the partition's records say at any
  /// moment, pending ones included.
  private static final int FIGURES = 3;

  /// Whether a record was written of which nobody knows what was counted before: all records are to
  /// be counted anew. Not on disk, as the walk over the hash trees counts all of them in its turn.
  boolean uncertain;

  /// How often all figures were set to nothing; since the start.
  long resets;

  /// Keyspaces that were dropped and whose figures went; since the start.
  private final BitSet forgotten = new BitSet();

  private int[] keyspaces = new int[0];

  /// By place in [#keyspaces].
  private long[] counts = new long[0];

  Partition(int set, int number, int firstSlot, DotSet clock, long counter) {
    this.set = set;
    this.number = number;
    this.firstSlot = firstSlot;
    this.clock = clock;
    this.synced = clock.copy();
    this.counter = counter;
  }

  /// Its number in the ring.
  public int number() {
    return number;
  }

  /// What the store holds or has held, pending or not; do not change.
  public DotSet clock() {
    return clock;
  }

  /// Of these what is on disk and may be told to others; do not change.
  public DotSet synced() {
    return synced;
  }

  /// Grows whenever [#synced] or [#floor] does.
  public long turns() {
    return turns;
  }

  /// What was removed from the log of dots; do not change.
  public DotSet trimmed() {
    return trimmed;
  }

  /// The greatest stamp of a delete that was stripped here or at a replica that was heard.
  public Stamp floor() {
    return floor;
  }

  /// Whether this replica does not know yet, since its start, what the others have, so that its
  /// word counts for nothing beside theirs.
  public boolean isBehind() {
    return behind;
  }

  /// Says so, or that it knows.
  public void behind(boolean is) {
    behind = is;
  }

  /// Whether this store ever had all that the other replicas had.
  public boolean isFilled() {
    return filled;
  }

  /// Pages of a rebuild have passed all keys before a place. A dot among `known` of such a key that
  /// is not here was replaced or deleted: what carries it comes too late.
  ///
  /// @param to u8 family, record key; empty for the end of the partition
  public void rebuilt(byte[] to, DotSet known) {
    rebuiltTo = to.clone();
    rebuilt = known.copy();
  }

  /// No rebuild is under way: the clock says what was seen.
  public void rebuildEnded() {
    rebuiltTo = null;
    rebuilt = new DotSet();
  }

  /// The dots of which this replica has what there is of a key; do not change.
  ///
  /// @param family the place of the key's family among [Store#dataFamilies]
  DotSet seen(int family, byte[] storageKey) {
    if (rebuiltTo == null || !isBefore(family, storageKey, rebuiltTo)) {
      return clock;
    }
    DotSet seen = clock.copy();
    seen.addAll(rebuilt);
    return seen;
  }

  private static boolean isBefore(int family, byte[] storageKey, byte[] place) {
    if (place.length == 0 || family != place[0]) {
      return place.length == 0 || family < place[0];
    }
    return Arrays.compareUnsigned(storageKey, 0, storageKey.length, place, 1, place.length) < 0;
  }

  /// Whether nothing was ever stored or learnt here.
  boolean isBlank() {
    return clock.isEmpty()
        && trimmed.isEmpty()
        && keyspaces.length == 0
        && floor.equals(Stamp.NONE)
        && !filled
        && tree.known() == 0;
  }

  /// All that it held is dropped: it is a replica whose disk was lost. Its counter and what it
  /// promised to leaders stay.
  void empty() {
    clock.clear();
    synced.clear();
    trimmed.clear();
    tree.forget();
    floor = Stamp.NONE;
    filled = false;
    graves = 1;
    rebuildEnded();
    keyspaces = new int[0];
    counts = new long[0];
    resets++;
    turns++;
  }

  /// Whether its records are to be counted anew: its figures may be off.
  public boolean isUncertain() {
    return uncertain;
  }

  /// The id of this member's admission to the partition's groups; another one is another replica.
  public int admission() {
    return admission;
  }

  /// Whether there may be deletes to strip.
  public boolean mayHaveGraves() {
    return graves > 0;
  }

  /// Records with a value, expired ones included.
  long keys(int keyspace) {
    return figure(keyspace, 0);
  }

  /// Those of them all of whose values have an expiry.
  long expiring(int keyspace) {
    return figure(keyspace, 1);
  }

  /// Bytes of the keys and values of the records with a value.
  long bytes(int keyspace) {
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

  /// The keyspaces that have or had records here.
  int[] keyspaces() {
    return keyspaces.clone();
  }

  boolean knows(int keyspace) {
    return find(keyspace) >= 0;
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

  /// Whether [#forget] was told of a keyspace.
  boolean hasForgotten(int keyspace) {
    return forgotten.get(keyspace);
  }

  /// Adds to the figures of a keyspace. For a write [WriteCounts] says by how much.
  void count(int keyspace, long keys, long expiring, long bytes) {
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
}
