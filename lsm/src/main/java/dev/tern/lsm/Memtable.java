package dev.tern.lsm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A skip list of keys (Pugh, 1990) with a hash index beside it and a chain of versions below each
/// key, in two arenas: nodes and versions in `int[]` chunks linked by index, keys and values in
/// `byte[]` chunks. Never overwritten, never shrunk.
///
/// One writer at a time (the store's lock), any number of readers without locks: a node or version
/// is filled before a release store links it, and links are read with acquire. A key is in the
/// index only after it is in the list. The index grows by copying: who still reads the old one
/// began before what it lacks was written.
///
/// ```
///   index: [hash][node] ...           open addressing, at most half full
///             |
///   node:  [0][1] first eight key bytes  [2] key address  [3] key length  [4] newest version
///             |   [5] height             [6..] links, level 0 first
///             v
///   version: [0][1] sequence  [2] kind  [3] value address  [4] value length  [5] older version
/// ```
final class Memtable {
  private static final int MAX_HEIGHT = 14;
  private static final int LINKS = 6;
  private static final int NEWEST = 4;
  private static final int VERSION_INTS = 6;
  private static final int NODE_CHUNK_BITS = 16;
  private static final int NODE_CHUNK = 1 << NODE_CHUNK_BITS;
  private static final int DATA_CHUNK_BITS = 18;
  private static final int DATA_CHUNK = 1 << DATA_CHUNK_BITS;
  private static final int FIRST_INDEX = 1 << 10;
  private static final VarHandle LONG =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
  private static final VarHandle INT = MethodHandles.arrayElementVarHandle(int[].class);

  private volatile int[][] nodes = {new int[NODE_CHUNK]};
  private volatile byte[][] data = {new byte[DATA_CHUNK]};
  private volatile int[] index = new int[FIRST_INDEX];
  private int nodeChunks = 1;
  private int nodeEnd = LINKS + MAX_HEIGHT;
  private int dataChunks = 1;
  private int dataEnd;
  private long bytes;
  private int keys;
  private int entries;
  private long random = 0x9e3779b97f4a7c15L;
  private final int[] path = new int[MAX_HEIGHT];

  /// Approximate bytes held; the writer.
  long bytes() {
    return bytes;
  }

  /// Versions; the writer.
  int entries() {
    return entries;
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

  /// Adds a version, newer than all there are.
  void add(byte[] source, WriteBatch.Slice key, WriteBatch.Slice value, long sequence, int kind) {
    long hash = Bloom.hash(source, key.offset, key.length);
    int node = findNode(hash, source, key.offset, key.length);
    int version = newVersion(source, value, sequence, kind, node == 0 ? 0 : at(node, NEWEST));
    if (node == 0) {
      insert(hash, source, key, version);
    } else {
      publish(node, NEWEST, version);
    }
    entries++;
  }

  private int newVersion(
      byte[] source, WriteBatch.Slice value, long sequence, int kind, int older) {
    int address = store(source, value);
    int version = allocateNode(VERSION_INTS);
    int[] ints = nodes[version >>> NODE_CHUNK_BITS];
    int base = offset(version);
    ints[base] = (int) (sequence >>> 32);
    ints[base + 1] = (int) sequence;
    ints[base + 2] = kind;
    ints[base + 3] = address;
    ints[base + 4] = value.length;
    ints[base + 5] = older;
    return version;
  }

  private void insert(long hash, byte[] source, WriteBatch.Slice key, int version) {
    long prefix = prefix(source, key.offset, key.length);
    findPath(source, key.offset, key.length, prefix);
    int height = height();
    int address = store(source, key);
    int node = allocateNode(LINKS + height);
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    int base = offset(node);
    ints[base] = (int) (prefix >>> 32);
    ints[base + 1] = (int) prefix;
    ints[base + 2] = address;
    ints[base + 3] = key.length;
    ints[base + NEWEST] = version;
    ints[base + 5] = height;
    for (int level = 0; level < height; level++) {
      ints[base + LINKS + level] = link(path[level], LINKS + level);
    }
    for (int level = 0; level < height; level++) {
      publish(path[level], LINKS + level, node);
    }
    if (++keys * 4 > index.length) {
      growIndex();
    }
    toIndex(index, (int) hash, node);
  }

  private void growIndex() {
    int[] old = index;
    int[] grown = new int[old.length * 2];
    for (int i = 0; i < old.length; i += 2) {
      if (old[i + 1] != 0) {
        toIndex(grown, old[i], old[i + 1]);
      }
    }
    bytes += 4L * old.length;
    index = grown;
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
    int[] table = index;
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
    if (ints[base + 3] != length) {
      return false;
    }
    int address = ints[base + 2];
    int start = address & (DATA_CHUNK - 1);
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
    if (offset(nodeEnd) + ints > NODE_CHUNK || nodeEnd >>> NODE_CHUNK_BITS >= nodeChunks) {
      int[][] grown = Arrays.copyOf(nodes, nodeChunks + 1);
      grown[nodeChunks] = new int[NODE_CHUNK];
      nodes = grown;
      nodeEnd = nodeChunks++ << NODE_CHUNK_BITS;
    }
    int node = nodeEnd;
    nodeEnd += ints;
    bytes += 4L * ints;
    return node;
  }

  /// Copies bytes into the arena.
  private int store(byte[] source, WriteBatch.Slice slice) {
    int count = slice.length;
    if (dataEnd + count > DATA_CHUNK || count > DATA_CHUNK / 4) {
      byte[][] grown = Arrays.copyOf(data, dataChunks + 1);
      boolean own = count > DATA_CHUNK / 4;
      grown[dataChunks] =
          own
              ? Arrays.copyOfRange(source, slice.offset, slice.offset + count)
              : new byte[DATA_CHUNK];
      data = grown;
      int chunk = dataChunks++;
      if (own) {
        // The chunk being filled stays behind: the next small entry opens a new one.
        dataEnd = DATA_CHUNK;
        bytes += count;
        return chunk << DATA_CHUNK_BITS;
      }
      dataEnd = 0;
    }
    int address = (dataChunks - 1) << DATA_CHUNK_BITS | dataEnd;
    System.arraycopy(source, slice.offset, data[dataChunks - 1], dataEnd, count);
    dataEnd += count;
    bytes += count;
    return address;
  }

  private static long prefix(byte[] key, int offset, int length) {
    if (length >= 8) {
      return (long) LONG.get(key, offset);
    }
    long prefix = 0;
    for (int i = 0; i < length; i++) {
      prefix |= (key[offset + i] & 0xffL) << (56 - 8 * i);
    }
    return prefix;
  }

  /// Negative if the node comes before the key.
  private int compare(int node, byte[] key, int offset, int length, long prefix) {
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    int base = offset(node);
    long nodePrefix = (long) ints[base] << 32 | ints[base + 1] & 0xffffffffL;
    if (nodePrefix != prefix) {
      return Long.compareUnsigned(nodePrefix, prefix);
    }
    int address = ints[base + 2];
    byte[] chunk = data[address >>> DATA_CHUNK_BITS];
    int start = address & (DATA_CHUNK - 1);
    return Arrays.compareUnsigned(
        chunk, start, start + ints[base + 3], key, offset, offset + length);
  }

  private void findPath(byte[] key, int offset, int length, long prefix) {
    int node = 0;
    for (int level = MAX_HEIGHT - 1; level >= 0; level--) {
      int next = link(node, LINKS + level);
      while (next != 0 && compare(next, key, offset, length, prefix) < 0) {
        node = next;
        next = link(node, LINKS + level);
      }
      path[level] = node;
    }
  }

  /// The first node at or after a key, 0 for none.
  private int seek(byte[] key) {
    long prefix = prefix(key, 0, key.length);
    int node = 0;
    for (int level = MAX_HEIGHT - 1; level >= 0; level--) {
      int next = link(node, LINKS + level);
      while (next != 0 && compare(next, key, 0, key.length, prefix) < 0) {
        node = next;
        next = link(node, LINKS + level);
      }
    }
    return link(node, LINKS);
  }

  private long sequence(int version) {
    return (long) at(version, 0) << 32 | at(version, 1) & 0xffffffffL;
  }

  int kind(int version) {
    return at(version, 2);
  }

  private byte[] key(int node) {
    return copy(at(node, 2), at(node, 3));
  }

  byte[] value(int version) {
    return copy(at(version, 3), at(version, 4));
  }

  private byte[] copy(int address, int length) {
    int start = address & (DATA_CHUNK - 1);
    return Arrays.copyOfRange(data[address >>> DATA_CHUNK_BITS], start, start + length);
  }

  /// The newest version of `key` up to `maxSequence`, 0 for none.
  ///
  /// @param hash [Bloom#hash] of the key
  int find(byte[] key, long hash, long maxSequence) {
    int node = findNode(hash, key, 0, key.length);
    int version = node == 0 ? 0 : link(node, NEWEST);
    while (version != 0 && sequence(version) > maxSequence) {
      version = at(version, 5);
    }
    return version;
  }

  /// Walks all versions, by key, of one key the newest first.
  Cursor cursor() {
    return new Cursor() {
      private int node;
      private int version;

      private void to(int next) {
        node = next;
        version = next == 0 ? 0 : link(next, NEWEST);
      }

      @Override
      public void seek(byte @Nullable [] key) {
        to(key == null ? link(0, LINKS) : Memtable.this.seek(key));
      }

      @Override
      public boolean valid() {
        return node != 0;
      }

      @Override
      public void next() {
        version = at(version, 5);
        if (version == 0) {
          to(link(node, LINKS));
        }
      }

      @Override
      public byte[] key() {
        return Memtable.this.key(node);
      }

      @Override
      public long sequence() {
        return Memtable.this.sequence(version);
      }

      @Override
      public int kind() {
        return Memtable.this.kind(version);
      }

      @Override
      public byte[] value() {
        return Memtable.this.value(version);
      }
    };
  }
}
