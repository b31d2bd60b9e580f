package dev.tern.core.replica;

import dev.tern.core.store.PartitionRecords;
import dev.tern.core.version.DotSet;
import dev.tern.core.version.DotView;
import dev.tern.core.version.Stamp;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What a replica of one group knows of one partition besides its records: which dots it has had,
/// which of them are on disk, what may be stripped, and whether it knows what the others have. Its
/// row is drawn in [MetaRows].
///
/// Invariants, which the methods below keep:
/// - the clock never shrinks but by [#empty]; whatever is synced is in the clock;
/// - the counter never falls, and the floor never falls but by [#empty];
/// - every change of what others are told, the synced dots and the floor, counts as a turn.
///
/// Threads: the shard's loop.
public final class Partition {
  private final PartitionRecords records;

  /// The id under which this member was admitted to the groups, see
  /// [dev.tern.core.topology.ReplicaGroups#replicaId]: what is stored here belongs to it. 0 where
  /// this member was never a replica of the partition. It only grows.
  private int admission;

  /// The dots that the store holds or has held, pending ones included.
  private final DotSet clock = new DotSet();

  /// Those of them that are on disk: what may be told to others.
  private final DotSet synced = new DotSet();

  /// Whether the clock came to its bound of runs, so that it may have forgotten dots. Only
  /// assertions look.
  private boolean overflowed;

  /// The dots whose entries in the log of dots are gone: all replicas had them; with too many gaps
  /// also some that are not in the clock. In a row of its own, written with the removal.
  private final DotSet trimmed = new DotSet();

  /// The hashes of its records, as far as they are known.
  private final HashTree tree = new HashTree();

  /// The greatest stamp of a delete that was stripped here or at a replica that was heard: what is
  /// absent counts as deleted at it. In a row of its own, written with the removal.
  private Stamp floor = Stamp.NONE;

  /// The sequence of the log with which a delete was stripped or the floor rose last; never falls.
  private long floorSequence;

  private final PartitionBallots ballots = new PartitionBallots();

  /// Counts what was removed here because all replicas had its delete; since the start.
  private long strips;

  /// The last counter minted here; grows, and jumps to the reservation at a restart.
  private long counter;

  /// Whether other nodes hold the partition too, so that they may have to be told of its dots.
  private boolean replicated;

  /// Deletes that were stored here since the start, or may have been before: whether there may be
  /// some to strip.
  private long graves = 1;

  /// Whether this store ever had all that the other replicas had: one whose directory was empty may
  /// lack what a disk before it has acknowledged. In a row of its own.
  private boolean filled;

  /// Whether something of the partition's row was changed since the row was written.
  private boolean changed;

  /// Whether this replica does not know yet, since the start, what the other replicas have.
  private boolean behind;

  /// The oldest epoch of the partition's entry that writes of clients may carry.
  private long writableFrom;

  /// Whether this replica waits to be filled by the others.
  private boolean pending;

  /// Whether writes of its keys wait, as a snapshot is taken in.
  private boolean parked;

  /// Whether a snapshot waits to be taken in, or is.
  private boolean arriving;

  /// While the partition is taken whole from another replica: where the pages have come to, as u8
  /// family and record key. Null else.
  private byte @Nullable [] rebuiltTo;

  /// The dots that the pages before [#rebuiltTo] leave no doubt about; empty where that is null.
  private DotSet rebuilt = new DotSet();

  /// Counts the changes of [#synced] and of [#floor].
  private long turns;

  /// A partition of which nothing is known.
  ///
  /// @param counter that no dot of this store's id in the partition is above
  Partition(PartitionRecords records, long counter) {
    this.records = records;
    this.counter = counter;
  }

  /// Where its records lie, and what they count.
  public PartitionRecords records() {
    return records;
  }

  /// The number of its groups.
  int set() {
    return records.set();
  }

  /// Its number in the ring.
  public int number() {
    return records.number();
  }

  /// What the store holds or has held, pending or not.
  public DotView clock() {
    return clock;
  }

  /// Of these what is on disk and may be told to others.
  public DotView synced() {
    return synced;
  }

  /// A dot was appended, or found to be replaced already. It is pending until [#synced].
  void learn(int replica, long counter) {
    clock.add(replica, counter);
    assert watch();
  }

  /// A run of dots is here, or replaced by what is here. It is pending until [#synced].
  void learn(int replica, long from, long to) {
    clock.addRun(replica, from, to);
    assert watch();
  }

  private boolean watch() {
    overflowed |= clock.runs() >= DotSet.MAX_RUNS;
    return true;
  }

  private boolean has(int replica, long from, long to) {
    return overflowed || clock.contains(replica, from) && clock.contains(replica, to);
  }

  /// A run of dots that was learnt is on disk.
  ///
  /// @param to the last counter; below `from` if the partition was emptied meanwhile
  void synced(int replica, long from, long to) {
    assert to < from || has(replica, from, to) : "dots are on disk that the clock does not have";
    synced.addRun(replica, from, to);
    turns++;
  }

  /// A run of dots was read from the disk.
  void load(int replica, long from, long to) {
    clock.addRun(replica, from, to);
    synced.addRun(replica, from, to);
  }

  /// A clock was read from the disk.
  void load(DotView dots) {
    clock.addAll(dots);
    synced.addAll(dots);
  }

  /// Grows whenever [#synced] or [#floor] does.
  public long turns() {
    return turns;
  }

  /// What was removed from the log of dots.
  public DotView trimmed() {
    return trimmed;
  }

  /// The log of dots has no entries of some dots any more.
  void trim(DotView dots) {
    trimmed.addAllWidely(dots);
    assert trimmed.covers(dots) : "a dot was trimmed and is not known to be";
  }

  /// The hashes of its records.
  HashTree tree() {
    return tree;
  }

  /// The greatest stamp of a delete that was stripped here or at a replica that was heard.
  public Stamp floor() {
    return floor;
  }

  /// What is absent counts as deleted at a stamp from now on.
  ///
  /// @param stamp above the floor
  void raiseFloor(Stamp stamp) {
    assert stamp.compareTo(floor) > 0 : "the floor would fall to " + stamp;
    floor = stamp;
    // So that the other replicas are told soon.
    turns++;
  }

  /// A floor was read from the disk.
  void loadFloor(Stamp stamp) {
    assert floor.equals(Stamp.NONE) : "a floor was read over another one";
    floor = stamp;
  }

  /// The sequence of the log up to which must be durable what reads answer by the floor.
  long floorSequence() {
    return floorSequence;
  }

  /// The floor, or a strip below it, was appended with a sequence.
  void floorWritten(long sequence) {
    assert sequence >= floorSequence : "the log went back to " + sequence;
    floorSequence = sequence;
  }

  /// A delete was stripped, or a record removed whose delete was.
  void countStrip() {
    strips++;
  }

  /// Counts what was removed here because all replicas had its delete; since the start.
  long strips() {
    return strips;
  }

  /// What is known of those who lead updates of its keys.
  PartitionBallots ballots() {
    return ballots;
  }

  /// The last counter that was minted here.
  long counter() {
    return counter;
  }

  /// Gives out the next counter. The caller has looked that it is reserved.
  long nextCounter() {
    return ++counter;
  }

  /// Counters are given out again from above one on, which a test plants.
  void repeatCounters(long last) {
    counter = last;
  }

  /// Whether other nodes hold the partition too.
  boolean isReplicated() {
    return replicated;
  }

  /// Says whether other nodes hold the partition too.
  void replicated(boolean is) {
    replicated = is;
  }

  /// A delete was stored.
  void countGrave() {
    graves++;
  }

  /// Counts the deletes that were stored, from a number on that means none.
  long graves() {
    return graves;
  }

  /// None was found when there were so many: there is none to strip unless one came since.
  void noGraves(long then) {
    if (graves == then) {
      graves = 0;
    }
  }

  /// Whether there may be deletes to strip.
  public boolean mayHaveGraves() {
    return graves > 0;
  }

  /// Whether this store ever had all that the other replicas had.
  public boolean isFilled() {
    return filled;
  }

  /// Says whether this store ever had all that the other replicas had. [Store] writes the row.
  void filled(boolean is) {
    filled = is;
  }

  /// The row is to be written anew.
  ///
  /// @return whether it was not before
  boolean change() {
    boolean first = !changed;
    changed = true;
    return first;
  }

  /// The row was added to a batch.
  void rowWritten() {
    assert changed : "a row was written without a change";
    changed = false;
  }

  /// Whether this replica does not know yet, since its start, what the others have, so that its
  /// word counts for nothing beside theirs.
  public boolean isBehind() {
    return behind;
  }

  /// Says whether this replica does not know what the others have.
  public void behind(boolean is) {
    behind = is;
  }

  /// What the topology says of it from now on.
  ///
  /// @param from the oldest epoch of its entry that writes of clients may carry
  /// @param waits whether this replica waits to be filled, and does nothing but store
  void enter(long from, boolean waits) {
    writableFrom = from;
    if (pending && !waits) {
      ballots.succeed();
    }
    pending = waits;
  }

  /// The highest ballot of a leader of updates that was heard of, 0 for none.
  public long heardBallot() {
    return ballots.heard();
  }

  /// Another replica has heard of a ballot.
  void hearBallot(long ballot) {
    ballots.hear(ballot);
  }

  /// Whether a write of a client comes too late: by the replicas of an epoch before.
  boolean refusesWritesOf(long epoch) {
    return epoch < writableFrom;
  }

  /// The oldest epoch of its entry that writes of clients may carry.
  long writableFrom() {
    return writableFrom;
  }

  /// Whether this replica waits to be filled by the others, see
  /// [dev.tern.core.topology.ReplicaSet#isPending]: its word counts for nothing.
  public boolean isPending() {
    return pending;
  }

  /// Pages of a rebuild have passed all keys before a place. A dot among `known` of such a key that
  /// is not here was replaced or deleted: what carries it comes too late.
  ///
  /// @param to u8 family, record key; empty for the end of the partition
  public void rebuilt(byte[] to, DotView known) {
    rebuiltTo = to.clone();
    rebuilt = known.copy();
  }

  /// No rebuild is under way: the clock says what was seen.
  public void rebuildEnded() {
    rebuiltTo = null;
    rebuilt = new DotSet();
  }

  /// The dots of which this replica has what there is of a key.
  ///
  /// @param family the place of the key's family among
  ///   [dev.tern.core.store.RecordStore#dataFamilies]
  DotView seen(int family, byte[] storageKey) {
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

  /// All that another replica had at a moment is here. Of the floor [#raiseFloor] is told.
  void install(DotSet dots, DotSet gone) {
    clock.addAll(dots);
    synced.addAll(dots);
    trim(gone);
    tree.forget();
    graves = Math.max(graves, 1);
    turns++;
  }

  /// Whether writes of its keys wait, and its log of dots is left alone.
  boolean isParked() {
    return parked;
  }

  void park(boolean is) {
    parked = is;
  }

  /// Whether a snapshot of another replica waits to be taken in, or is: nothing else is fetched.
  public boolean isArriving() {
    return arriving;
  }

  void arriving(boolean is) {
    arriving = is;
  }

  /// Whether nothing was ever stored or learnt here, nor is about to be readable.
  boolean isBlank() {
    return !arriving
        && clock.isEmpty()
        && trimmed.isEmpty()
        && records.isEmpty()
        && floor.equals(Stamp.NONE)
        && !filled
        && tree.known() == 0;
  }

  /// All that it held is dropped: it is a replica whose disk was lost. Its counter and what it
  /// promised to leaders stay. Its figures are [dev.tern.core.store.RecordStore#emptied].
  void empty() {
    assert records.isEmpty() : "a partition without records counts some";
    clock.clear();
    synced.clear();
    trimmed.clear();
    tree.forget();
    floor = Stamp.NONE;
    filled = false;
    graves = 1;
    rebuildEnded();
    turns++;
  }

  /// The id of this member's admission to the partition's groups; another one is another replica.
  public int admission() {
    return admission;
  }

  /// What is stored from now on belongs to an admission of this member.
  void admit(int id) {
    assert id >= admission : "admission %d after %d".formatted(id, admission);
    admission = id;
  }
}
