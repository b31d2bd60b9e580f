package dev.tern.lsm.memtable;

import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.entry.BatchEntries;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.Lookup;
import dev.tern.lsm.entry.RangeTombstones;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A skip list of keys (Pugh, 1990) with a hash index beside it and a chain of versions below each
/// key, in two arenas: nodes and versions in `int[]` chunks linked by index, keys and values in
/// `byte[]` chunks. Never overwritten, never shrunk.
///
/// One writer at a time (the store's lock), any number of readers without locks: a node or version
/// is filled before a release store links it, and links are read with acquire.
///
/// A new key goes to the index and to a list of *young* keys, which is small and stays in the
/// processor's cache; [#order] moves these to the list, in their order, when there are many or when
/// somebody wants to walk. So the cost of a place in a list of hundreds of thousands is shared by
/// neighbours. The index is cut into parts by the hash, and a part grows by copying: that takes
/// microseconds, and who still reads the old part began before what it lacks was written.
///
/// Chunks come from [Chunks] and go back by [#recycle], when no state that readers may see holds
/// the memtable.
///
/// ```
///   index: 64 x [hash][node] ...      open addressing, each at most half full
///             |
///   node:  [0]-[3] first sixteen key bytes  [4] key address  [5] key length  [6] newest version
///             |   [7] height                [8..] links, level 0 first
///             v
///   version: [0][1] sequence  [2] kind  [3] value address  [4] value length  [5] older version
/// ```
public final class Memtable {
  private static final int MAX_HEIGHT = 14;
  private static final int KEY_ADDRESS = 4;
  private static final int KEY_LENGTH = 5;
  private static final int NEWEST = 6;
  private static final int HEIGHT = 7;
  private static final int LINKS = 8;

  /// Bytes of a key in its node.
  private static final int INLINE_BYTES = 16;

  private static final int VERSION_INTS = 6;

  private static final int NODE_CHUNK_BITS = Chunks.NODE_BITS;
  private static final int NODE_CHUNK = 1 << NODE_CHUNK_BITS;

  /// An address is the number of a data chunk and, in units, the place in it; as unsigned.
  private static final int UNIT_BITS = 3;

  private static final int DATA_CHUNK_BITS = 20 - UNIT_BITS;
  private static final int MAX_DATA_CHUNKS = 1 << Integer.SIZE - DATA_CHUNK_BITS;

  /// What is longer gets an array of its own. The chunk being filled stays open behind it.
  private static final int OWN_BYTES = Chunks.DATA_BYTES / 8;

  private static final int INDEX_PARTS = 64;
  private static final int FIRST_INDEX = 16;

  /// A part with no room, for a start: no key is found in it.
  private static final int[] NO_INDEX = new int[2];

  private static final VarHandle INT = MethodHandles.arrayElementVarHandle(int[].class);
  private static final VarHandle PART = MethodHandles.arrayElementVarHandle(int[][].class);

  /// The head of the young keys' list.
  private static final int YOUNG = LINKS + MAX_HEIGHT;

  /// Levels of the young keys' list.
  private static final int YOUNG_HEIGHT = 6;

  private static final int MAX_YOUNG = 1 << 2 * YOUNG_HEIGHT;

  /// Bytes of the first chunks, which are short, so that a store of many small families costs
  /// little.
  private static final int[] SHORT_CHUNKS = {1 << 10, 1 << 12, 1 << 15, 1 << 18};

  /// What a memtable takes of the heap in which nothing was written: it has no arrays yet.
  static final long EMPTY_BYTES = 400;

  /// What the arrays of the index's parts take, and those that name the chunks.
  private static final long PARTS_BYTES = 600;

  /// The head and no node; never written.
  private static final int[][] NO_NODES = {new int[2 * (LINKS + MAX_HEIGHT)]};

  private static final int[][] NO_PARTS = new int[INDEX_PARTS][];

  static {
    Arrays.fill(NO_PARTS, NO_INDEX);
  }

  private volatile int[][] nodes = NO_NODES;
  private volatile byte[][] data = new byte[0][];
  private volatile int[][] index = NO_PARTS;

  /// Keys of each part of the index; the writer's.
  private int[] indexed = {};

  private final Chunks chunks;
  private final MemoryAccount memory;

  /// States that hold it; guarded by the lock of whoever counts them.
  private int holders;

  private int nodeChunks = 1;
  private int nodeEnd = 2 * YOUNG;
  private int dataChunks = 1;

  /// The chunk being filled: its number, and where its free part begins.
  private int dataOpen;

  private int dataEnd;
  private int shortNodes = 1;
  private int shortData = 1;
  private long bytes;

  /// Of all arrays; written by the writer.
  private volatile long heldBytes;

  private int entries;

  /// The sequence of the last entry, ranges apart. Who reads up to a sequence that the store has
  /// published sees that of the last entry up to it, or a later one.
  private long newest;

  private int deletes;

  private final GrowingTombstones tombstones = new GrowingTombstones();

  /// Dead entries that iterators stepped over here.
  public final AtomicInteger skips = new AtomicInteger();

  private long random = 0x9e3779b97f4a7c15L;

  /// Keys that only the index and the young list have; written by the writer.
  private volatile int young;

  /// Where the last young node was linked.
  private final int[] path = new int[YOUNG_HEIGHT];

  /// @param memory told what is held
  public Memtable(Chunks chunks, MemoryAccount memory) {
    this.chunks = chunks;
    this.memory = memory;
    Arrays.fill(path, YOUNG);
    hold(EMPTY_BYTES);
  }

  /// Makes the first arrays, before the first key; the writer. Who still sees none finds no key.
  private void begin() {
    int[][] parts = new int[INDEX_PARTS][];
    Arrays.fill(parts, NO_INDEX);
    indexed = new int[INDEX_PARTS];
    data = new byte[][] {new byte[SHORT_CHUNKS[0]]};
    nodes = new int[][] {new int[SHORT_CHUNKS[0] / Integer.BYTES]};
    index = parts;
    hold(PARTS_BYTES + 2L * SHORT_CHUNKS[0]);
  }

  /// One more state holds it; under the lock of whoever counts them.
  public void hold() {
    holders++;
  }

  /// One state holds it no more; true if none is left. Under the lock of whoever counts them.
  public boolean letGo() {
    if (--holders < 0) {
      throw new IllegalStateException("a memtable was let go that nobody held");
    }
    return holders == 0;
  }

  /// Gives its memory back; nobody reads or writes it any more, and who does fails.
  public void recycle() {
    int[][] oldNodes = nodes;
    byte[][] oldData = data;
    nodes = new int[0][];
    data = new byte[0][];
    chunks.give(oldNodes, oldData);
    hold(-heldBytes);
  }

  /// What counts for its flush: the bytes used, or most of those held if little of them is used;
  /// the writer.
  public long bytes() {
    return Math.max(bytes, (heldBytes - EMPTY_BYTES) * 2 / 3);
  }

  /// Bytes of the heap that it takes, what is free in its arrays among them; any thread.
  public long heldBytes() {
    return heldBytes;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // One writer.
  private void hold(long more) {
    memory.add(MemoryPart.MEMTABLES, more);
    heldBytes = heldBytes + more;
  }

  /// Versions; the writer, and anybody once it is immutable.
  int entries() {
    return entries;
  }

  public boolean isEmpty() {
    return entries == 0 && tombstones.isEmpty();
  }

  /// Whether mostly deletions were written lately.
  public boolean isMostlyDeletes() {
    return deletes * 2L > entries;
  }

  /// Deletes a range; the writer.
  void addRange(byte[] from, byte[] to, long sequence) {
    tombstones.add(new RangeTombstones.Range(from, to, sequence));
    bytes += from.length + to.length + RangeTombstones.RANGE_BYTES;
    hold(from.length + to.length + RangeTombstones.RANGE_BYTES);
  }

  /// The deleted ranges; any thread.
  public GrowingTombstones tombstones() {
    return tombstones;
  }

  /// Node 0 is the head, version 0 is none.
  private int at(int node, int field) {
    return nodes[node >>> NODE_CHUNK_BITS][(node & (NODE_CHUNK - 1)) + field];
  }

  private int link(int node, int field) {
    return (int) INT.getAcquire(nodes[node >>> NODE_CHUNK_BITS], offset(node) + field);
  }

  private void publish(int node, int field, int target) {
    INT.setRelease(nodes[node >>> NODE_CHUNK_BITS], offset(node) + field, target);
  }

  private static int offset(int node) {
    return node & (NODE_CHUNK - 1);
  }

  /// Takes an entry of a batch, newer than all there are; the writer.
  public void apply(BatchEntries entry) {
    if (entry.kind == Kind.RANGE_DELETE) {
      addRange(entry.key(), entry.value(), entry.sequence);
    } else {
      add(entry);
    }
  }

  private void add(BatchEntries entry) {
    if (index == NO_PARTS) {
      begin();
    }
    long hash = Keys.hash(entry.array, entry.keyAt, entry.keyLength);
    int node = findNode(hash, entry.array, entry.keyAt, entry.keyLength);
    int version = newVersion(entry, node == 0 ? 0 : at(node, NEWEST));
    if (node == 0) {
      insert(hash, entry.array, entry.keyAt, entry.keyLength, version);
    } else {
      publish(node, NEWEST, version);
    }
    assert entry.sequence > newest : "an entry that is older than one before it";
    entries++;
    newest = entry.sequence;
    deletes = entry.kind == Kind.DELETE ? deletes + 1 : deletes;
  }

  private int newVersion(BatchEntries entry, int older) {
    int address = store(entry.array, entry.valueAt, entry.valueLength);
    int version = allocateNode(VERSION_INTS);
    int[] ints = nodes[version >>> NODE_CHUNK_BITS];
    int base = offset(version);
    ints[base] = (int) (entry.sequence >>> 32);
    ints[base + 1] = (int) entry.sequence;
    ints[base + 2] = entry.kind;
    ints[base + 3] = address;
    ints[base + 4] = entry.valueLength;
    ints[base + 5] = older;
    return version;
  }

  private void insert(long hash, byte[] source, int offset, int length, int version) {
    long prefix = Keys.prefix(source, offset, length);
    long second = second(source, offset, length);
    findPath(source, offset, length, prefix, second);
    int height = height();
    int address = store(source, offset, length);
    int node = allocateNode(LINKS + height);
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    int base = offset(node);
    ints[base] = (int) (prefix >>> 32);
    ints[base + 1] = (int) prefix;
    ints[base + 2] = (int) (second >>> 32);
    ints[base + 3] = (int) second;
    ints[base + KEY_ADDRESS] = address;
    ints[base + KEY_LENGTH] = length;
    ints[base + NEWEST] = version;
    ints[base + HEIGHT] = height;
    link(node, Math.min(height, YOUNG_HEIGHT), path);
    int part = part(hash);
    int[][] parts = index;
    if (++indexed[part] * 4 > parts[part].length) {
      growIndex(parts, part);
    }
    toIndex(parts[part], (int) hash, node);
    int count = young + 1;
    young = count;
    if (count == MAX_YOUNG) {
      order();
    }
  }

  /// Links a node behind those of a path, which then ends in it.
  private void link(int node, int height, int[] behind) {
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    for (int level = 0; level < height; level++) {
      ints[offset(node) + LINKS + level] = link(behind[level], LINKS + level);
    }
    for (int level = 0; level < height; level++) {
      publish(behind[level], LINKS + level, node);
      behind[level] = node;
    }
  }

  /// Makes sure that the list has every key that is there now; any thread.
  ///
  /// @param writers held by who writes
  public void order(ReentrantLock writers) {
    if (young > 0) {
      writers.lock();
      try {
        order();
      } finally {
        writers.unlock();
      }
    }
  }

  /// Moves the young keys to the list; the writer. They come in order, so the search for one begins
  /// where the last one stands.
  public void order() {
    if (young == 0) {
      return;
    }
    int node = link(YOUNG, LINKS);
    int[] ends = new int[MAX_HEIGHT];
    while (node != 0) {
      int next = link(node, LINKS);
      advance(ends, node);
      link(node, at(node, HEIGHT), ends);
      node = next;
    }
    for (int level = 0; level < YOUNG_HEIGHT; level++) {
      publish(YOUNG, LINKS + level, 0);
    }
    Arrays.fill(path, YOUNG);
    young = 0;
  }

  /// Moves the ends of a path to the last nodes before a node, from nodes before it: up to the
  /// first level on which nothing lies between, and down again.
  private void advance(int[] ends, int node) {
    int address = at(node, KEY_ADDRESS);
    byte[] key = data[address >>> DATA_CHUNK_BITS];
    int offset = place(address);
    int length = at(node, KEY_LENGTH);
    long prefix = Keys.prefix(key, offset, length);
    long second = second(key, offset, length);
    int level = 0;
    while (level < MAX_HEIGHT) {
      int next = link(ends[level], LINKS + level);
      if (next == 0 || compare(next, key, offset, length, prefix, second) >= 0) {
        break;
      }
      level++;
    }
    int from = level == 0 ? 0 : ends[level - 1];
    while (--level >= 0) {
      from = lastBefore(from, level, key, offset, length, prefix, second);
      ends[level] = from;
    }
  }

  static int part(long hash) {
    return (int) (hash >>> 32) & (INDEX_PARTS - 1);
  }

  private void growIndex(int[][] parts, int part) {
    int[] old = parts[part];
    int[] grown = new int[Math.max(FIRST_INDEX, old.length * 2)];
    for (int i = 0; i < old.length; i += 2) {
      if (old[i + 1] != 0) {
        toIndex(grown, old[i], old[i + 1]);
      }
    }
    bytes += 4L * (grown.length - old.length);
    hold(4L * (grown.length - old.length));
    PART.setRelease(parts, part, grown);
  }

  private static void toIndex(int[] index, int hash, int node) {
    int place = hash * 2 & (index.length - 1);
    while (index[place + 1] != 0) {
      place = (place + 2) & (index.length - 1);
    }
    index[place] = hash;
    INT.setRelease(index, place + 1, node);
  }

  /// The node of a key, 0 for none.
  private int findNode(long hash, byte[] key, int offset, int length) {
    int[] table = (int[]) PART.getAcquire(index, part(hash));
    int place = (int) hash * 2 & (table.length - 1);
    while (true) {
      int node = (int) INT.getAcquire(table, place + 1);
      if (node == 0) {
        return 0;
      }
      if (table[place] == (int) hash && holds(node, key, offset, length)) {
        return node;
      }
      place = (place + 2) & (table.length - 1);
    }
  }

  private boolean holds(int node, byte[] key, int offset, int length) {
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    int base = offset(node);
    if (ints[base + KEY_LENGTH] != length) {
      return false;
    }
    int address = ints[base + KEY_ADDRESS];
    int start = place(address);
    byte[] chunk = data[address >>> DATA_CHUNK_BITS];
    return Arrays.equals(chunk, start, start + length, key, offset, offset + length);
  }

  private int height() {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    int height = 1 + Long.numberOfTrailingZeros(random | 1L << 40) / 2;
    return Math.min(MAX_HEIGHT, height);
  }

  private int allocateNode(int ints) {
    if (offset(nodeEnd) + ints > nodes[nodeChunks - 1].length
        || nodeEnd >>> NODE_CHUNK_BITS >= nodeChunks) {
      int[][] grown = Arrays.copyOf(nodes, nodeChunks + 1);
      boolean isShort = shortNodes < SHORT_CHUNKS.length;
      int[] chunk = isShort ? new int[SHORT_CHUNKS[shortNodes++] / 4] : chunks.takeNodes();
      grown[nodeChunks] = chunk;
      nodes = grown;
      nodeEnd = nodeChunks++ << NODE_CHUNK_BITS;
      hold(4L * chunk.length);
    }
    int node = nodeEnd;
    nodeEnd += ints;
    bytes += 4L * ints;
    return node;
  }

  /// Copies bytes into the arena.
  private int store(byte[] source, int offset, int count) {
    bytes += count;
    if (count > OWN_BYTES) {
      return addData(Arrays.copyOfRange(source, offset, offset + count)) << DATA_CHUNK_BITS;
    }
    if (dataEnd + count > data[dataOpen].length) {
      openData(count);
    }
    int address = dataOpen << DATA_CHUNK_BITS | dataEnd >>> UNIT_BITS;
    System.arraycopy(source, offset, data[dataOpen], dataEnd, count);
    dataEnd = (dataEnd + count + (1 << UNIT_BITS) - 1) >>> UNIT_BITS << UNIT_BITS;
    return address;
  }

  private void openData(int count) {
    while (shortData < SHORT_CHUNKS.length && SHORT_CHUNKS[shortData] < count) {
      shortData++;
    }
    boolean isShort = shortData < SHORT_CHUNKS.length;
    dataOpen = addData(isShort ? new byte[SHORT_CHUNKS[shortData++]] : chunks.takeData());
    dataEnd = 0;
  }

  private int addData(byte[] chunk) {
    if (dataChunks == MAX_DATA_CHUNKS) {
      throw new IllegalStateException("a memtable of " + heldBytes + " bytes is full");
    }
    byte[][] grown = Arrays.copyOf(data, dataChunks + 1);
    grown[dataChunks] = chunk;
    data = grown;
    hold(chunk.length);
    return dataChunks++;
  }

  /// Where in its chunk an address is.
  private static int place(int address) {
    return (address & (1 << DATA_CHUNK_BITS) - 1) << UNIT_BITS;
  }

  private static long second(byte[] key, int offset, int length) {
    return length <= 8 ? 0 : Keys.prefix(key, offset + 8, length - 8);
  }

  /// Negative if the node comes before the key.
  private int compare(int node, byte[] key, int offset, int length, long prefix, long second) {
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    int base = offset(node);
    long nodePrefix = (long) ints[base] << 32 | ints[base + 1] & 0xffffffffL;
    if (nodePrefix != prefix) {
      return Long.compareUnsigned(nodePrefix, prefix);
    }
    long nodeSecond = (long) ints[base + 2] << 32 | ints[base + 3] & 0xffffffffL;
    if (nodeSecond != second) {
      return Long.compareUnsigned(nodeSecond, second);
    }
    int nodeLength = ints[base + KEY_LENGTH];
    if (nodeLength <= INLINE_BYTES && length <= INLINE_BYTES) {
      return nodeLength - length;
    }
    int address = ints[base + KEY_ADDRESS];
    return Keys.compare(
        data[address >>> DATA_CHUNK_BITS], place(address), nodeLength, key, offset, length);
  }

  /// Finds the last young node before a key on each level. A key that comes right behind the last
  /// one added is found from there.
  private void findPath(byte[] key, int offset, int length, long prefix, long second) {
    if (follows(path[0], LINKS, key, offset, length, prefix, second)) {
      for (int above = 1; above < YOUNG_HEIGHT; above++) {
        path[above] = lastBefore(path[above], above, key, offset, length, prefix, second);
      }
      return;
    }
    int node = YOUNG;
    for (int level = YOUNG_HEIGHT - 1; level >= 0; level--) {
      node = lastBefore(node, level, key, offset, length, prefix, second);
      path[level] = node;
    }
  }

  /// Whether a key belongs right behind a node.
  private boolean follows(
      int node, int link, byte[] key, int offset, int length, long prefix, long second) {
    if (node == YOUNG || compare(node, key, offset, length, prefix, second) >= 0) {
      return false;
    }
    int next = link(node, link);
    return next == 0 || compare(next, key, offset, length, prefix, second) >= 0;
  }

  private int lastBefore(
      int from, int level, byte[] key, int offset, int length, long prefix, long second) {
    int node = from;
    int next = link(node, LINKS + level);
    while (next != 0 && compare(next, key, offset, length, prefix, second) < 0) {
      node = next;
      next = link(node, LINKS + level);
    }
    return node;
  }

  /// The last node before a key, or before the end if it is null; the head, 0, if there is none.
  private int before(byte @Nullable [] key) {
    int node = 0;
    if (key == null) {
      for (int level = MAX_HEIGHT - 1; level >= 0; level--) {
        for (int next = link(node, LINKS + level); next != 0; next = link(node, LINKS + level)) {
          node = next;
        }
      }
      return node;
    }
    long prefix = Keys.prefix(key, 0, key.length);
    long second = second(key, 0, key.length);
    for (int level = MAX_HEIGHT - 1; level >= 0; level--) {
      node = lastBefore(node, level, key, 0, key.length, prefix, second);
    }
    return node;
  }

  private long sequence(int version) {
    return (long) at(version, 0) << 32 | at(version, 1) & 0xffffffffL;
  }

  /// The newest version of a node up to a sequence, 0 for none.
  private int visible(int node, long maxSequence) {
    int version = link(node, NEWEST);
    while (version != 0 && sequence(version) > maxSequence) {
      version = at(version, 5);
    }
    return version;
  }

  /// Looks the lookup's key up; see [Lookup] for the outcomes.
  public int find(Lookup lookup) {
    byte[] key = lookup.key;
    int node = findNode(lookup.hash, key, 0, key.length);
    int version = node == 0 ? 0 : visible(node, lookup.maxSequence);
    long sequence = version == 0 ? 0 : sequence(version);
    // What was written after all deletions needs no look at them.
    if (tombstones.newestSequence() > sequence) {
      lookup.covered = Math.max(lookup.covered, tombstones.covering(key, lookup.maxSequence));
    }
    if (version == 0) {
      return Lookup.ABSENT;
    }
    int address = at(version, 3);
    lookup.kind = at(version, 2);
    lookup.sequence = sequence;
    lookup.array = data[address >>> DATA_CHUNK_BITS];
    lookup.valueAt = place(address);
    lookup.valueLength = at(version, 4);
    return Lookup.FOUND;
  }

  /// Walks, of each key, the newest version up to a sequence.
  public Cursor cursor(long maxSequence) {
    return new Walk(maxSequence, false, false);
  }

  /// Walks all versions, forward only.
  ///
  /// @param oldest only the oldest of each key: a planted mistake
  public Cursor allVersions(boolean oldest) {
    return new Walk(Long.MAX_VALUE, true, oldest);
  }

  private final class Walk extends Cursor {
    private final long maxSequence;
    private final boolean all;
    private final boolean oldest;
    private final long largest;
    private int node;
    private int version;

    Walk(long maxSequence, boolean all, boolean oldest) {
      this.maxSequence = maxSequence;
      this.largest = Math.min(maxSequence, newest);
      this.all = all;
      this.oldest = oldest;
    }

    /// Stands on the first node from `from` on that has a visible version.
    private void settle(int from) {
      node = from;
      version = 0;
      while (node != 0) {
        version = visible(node, maxSequence);
        if (version != 0) {
          take();
          return;
        }
        node = link(node, LINKS);
      }
      valid = false;
    }

    private void take() {
      while (oldest && at(version, 5) != 0) {
        version = at(version, 5);
      }
      int address = at(node, KEY_ADDRESS);
      key = data[address >>> DATA_CHUNK_BITS];
      keyOffset = place(address);
      keyLength = at(node, KEY_LENGTH);
      sequence = Memtable.this.sequence(version);
      kind = at(version, 2);
      valid = true;
    }

    @Override
    public void seek(byte @Nullable [] target) {
      settle(link(target == null ? 0 : before(target), LINKS));
    }

    @Override
    public void seekBefore(byte @Nullable [] target) {
      settleBack(before(target));
    }

    private void settleBack(int from) {
      node = from;
      while (node != 0) {
        version = visible(node, maxSequence);
        if (version != 0) {
          take();
          return;
        }
        node = before(keyOf(node));
      }
      valid = false;
    }

    private byte[] keyOf(int of) {
      int address = at(of, KEY_ADDRESS);
      int start = place(address);
      int end = start + at(of, KEY_LENGTH);
      return Arrays.copyOfRange(data[address >>> DATA_CHUNK_BITS], start, end);
    }

    @Override
    public void next() {
      int older = all ? at(version, 5) : 0;
      if (older != 0) {
        version = older;
        take();
      } else {
        settle(link(node, LINKS));
      }
    }

    @Override
    public void prev() {
      settleBack(before(keyOf(node)));
    }

    @Override
    public int valueLength() {
      return at(version, 4);
    }

    @Override
    public void copyValue(byte[] target, int start) {
      int address = at(version, 3);
      System.arraycopy(
          data[address >>> DATA_CHUNK_BITS], place(address), target, start, at(version, 4));
    }

    @Override
    public long valueHead() {
      int address = at(version, 3);
      return (long) Keys.LONG.get(data[address >>> DATA_CHUNK_BITS], place(address));
    }

    @Override
    public long largestSequence() {
      return largest;
    }

    @Override
    public void skipped(int count) {
      skips.addAndGet(count);
    }
  }
}
