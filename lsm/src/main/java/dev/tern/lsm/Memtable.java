package dev.tern.lsm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A skip list (Pugh, 1990) in two arenas: nodes in `int[]` chunks linked by index, keys and values
/// in `byte[]` chunks. Ordered by key, then newest sequence first; never overwritten, never shrunk.
///
/// One writer at a time (the store's lock), any number of readers without locks: a node is filled
/// before a release store links it, and links are read with acquire.
///
/// ```
///   node: [0][1] first eight key bytes  [2] data address  [3] key length  [4] value length
///         [5][6] sequence  [7] kind << 8 | height  [8..] links, level 0 first
/// ```
final class Memtable {
  private static final int MAX_HEIGHT = 14;
  private static final int LINKS = 8;
  private static final int NODE_CHUNK_BITS = 16;
  private static final int NODE_CHUNK = 1 << NODE_CHUNK_BITS;
  private static final int DATA_CHUNK_BITS = 18;
  private static final int DATA_CHUNK = 1 << DATA_CHUNK_BITS;
  private static final VarHandle INT = MethodHandles.arrayElementVarHandle(int[].class);

  private volatile int[][] nodes = {new int[NODE_CHUNK]};
  private volatile byte[][] data = {new byte[DATA_CHUNK]};
  private int nodeChunks = 1;
  private int nodeEnd = LINKS + MAX_HEIGHT;
  private int dataChunks = 1;
  private int dataEnd;
  private long bytes;
  private int entries;
  private long random = 0x9e3779b97f4a7c15L;
  private final int[] path = new int[MAX_HEIGHT];

  /// Approximate bytes held; the writer.
  long bytes() {
    return bytes;
  }

  int entries() {
    return entries;
  }

  /// Node 0 is the head.
  private int at(int node, int field) {
    return nodes[node >>> NODE_CHUNK_BITS][(node & (NODE_CHUNK - 1)) + field];
  }

  private int link(int node, int level) {
    return (int)
        INT.getAcquire(nodes[node >>> NODE_CHUNK_BITS], (node & (NODE_CHUNK - 1)) + LINKS + level);
  }

  void add(byte[] source, WriteBatch.Slice key, WriteBatch.Slice value, long sequence, int kind) {
    long prefix = prefix(source, key.offset, key.length);
    findPath(source, key.offset, key.length, prefix, sequence);
    int height = height();
    int node = allocateNode(LINKS + height);
    int address = allocateData(key.length + value.length);
    byte[] chunk = data[address >>> DATA_CHUNK_BITS];
    int offset = address & (DATA_CHUNK - 1);
    System.arraycopy(source, key.offset, chunk, offset, key.length);
    System.arraycopy(source, value.offset, chunk, offset + key.length, value.length);
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    int base = node & (NODE_CHUNK - 1);
    ints[base] = (int) (prefix >>> 32);
    ints[base + 1] = (int) prefix;
    ints[base + 2] = address;
    ints[base + 3] = key.length;
    ints[base + 4] = value.length;
    ints[base + 5] = (int) (sequence >>> 32);
    ints[base + 6] = (int) sequence;
    ints[base + 7] = kind << 8 | height;
    for (int level = 0; level < height; level++) {
      ints[base + LINKS + level] = link(path[level], level);
    }
    for (int level = 0; level < height; level++) {
      int before = path[level];
      INT.setRelease(
          nodes[before >>> NODE_CHUNK_BITS], (before & (NODE_CHUNK - 1)) + LINKS + level, node);
    }
    bytes += 4L * (LINKS + height) + key.length + value.length;
    entries++;
  }

  private int height() {
    random ^= random << 13;
    random ^= random >>> 7;
    random ^= random << 17;
    int height = 1 + Long.numberOfTrailingZeros(random | 1L << 40) / 2;
    return Math.min(MAX_HEIGHT, height);
  }

  private int allocateNode(int ints) {
    if ((nodeEnd & (NODE_CHUNK - 1)) + ints > NODE_CHUNK
        || nodeEnd >>> NODE_CHUNK_BITS >= nodeChunks) {
      int[][] grown = Arrays.copyOf(nodes, nodeChunks + 1);
      grown[nodeChunks] = new int[NODE_CHUNK];
      nodes = grown;
      nodeEnd = nodeChunks++ << NODE_CHUNK_BITS;
    }
    int node = nodeEnd;
    nodeEnd += ints;
    return node;
  }

  private int allocateData(int count) {
    if (dataEnd + count > DATA_CHUNK || count > DATA_CHUNK / 4) {
      byte[][] grown = Arrays.copyOf(data, dataChunks + 1);
      boolean own = count > DATA_CHUNK / 4;
      grown[dataChunks] = new byte[own ? count : DATA_CHUNK];
      data = grown;
      int chunk = dataChunks++;
      if (own) {
        // The chunk being filled stays behind: the next small entry opens a new one.
        dataEnd = DATA_CHUNK;
        return chunk << DATA_CHUNK_BITS;
      }
      dataEnd = 0;
    }
    int address = (dataChunks - 1) << DATA_CHUNK_BITS | dataEnd;
    dataEnd += count;
    return address;
  }

  private static long prefix(byte[] key, int offset, int length) {
    long prefix = 0;
    int count = Math.min(8, length);
    for (int i = 0; i < count; i++) {
      prefix |= (key[offset + i] & 0xffL) << (56 - 8 * i);
    }
    return prefix;
  }

  /// Negative if the node comes before (key, sequence).
  private int compare(int node, byte[] key, int offset, int length, long prefix, long sequence) {
    int[] ints = nodes[node >>> NODE_CHUNK_BITS];
    int base = node & (NODE_CHUNK - 1);
    long nodePrefix = (long) ints[base] << 32 | ints[base + 1] & 0xffffffffL;
    if (nodePrefix != prefix) {
      return Long.compareUnsigned(nodePrefix, prefix);
    }
    int address = ints[base + 2];
    byte[] chunk = data[address >>> DATA_CHUNK_BITS];
    int nodeOffset = address & (DATA_CHUNK - 1);
    int byKey =
        Arrays.compareUnsigned(
            chunk, nodeOffset, nodeOffset + ints[base + 3], key, offset, offset + length);
    if (byKey != 0) {
      return byKey;
    }
    long nodeSequence = (long) ints[base + 5] << 32 | ints[base + 6] & 0xffffffffL;
    return Long.compare(sequence, nodeSequence);
  }

  private void findPath(byte[] key, int offset, int length, long prefix, long sequence) {
    int node = 0;
    for (int level = MAX_HEIGHT - 1; level >= 0; level--) {
      int next = link(node, level);
      while (next != 0 && compare(next, key, offset, length, prefix, sequence) < 0) {
        node = next;
        next = link(node, level);
      }
      path[level] = node;
    }
  }

  /// The first node at or after (key, newest sequence up to `maxSequence`), 0 for none.
  int seek(byte[] key, long maxSequence) {
    long prefix = prefix(key, 0, key.length);
    int node = 0;
    for (int level = MAX_HEIGHT - 1; level >= 0; level--) {
      int next = link(node, level);
      while (next != 0 && compare(next, key, 0, key.length, prefix, maxSequence) < 0) {
        node = next;
        next = link(node, level);
      }
    }
    return link(node, 0);
  }

  int first() {
    return link(0, 0);
  }

  int next(int node) {
    return link(node, 0);
  }

  long sequence(int node) {
    return (long) at(node, 5) << 32 | at(node, 6) & 0xffffffffL;
  }

  int kind(int node) {
    return at(node, 7) >>> 8;
  }

  byte[] key(int node) {
    int address = at(node, 2);
    int offset = address & (DATA_CHUNK - 1);
    return Arrays.copyOfRange(data[address >>> DATA_CHUNK_BITS], offset, offset + at(node, 3));
  }

  byte[] value(int node) {
    int address = at(node, 2);
    int offset = (address & (DATA_CHUNK - 1)) + at(node, 3);
    return Arrays.copyOfRange(data[address >>> DATA_CHUNK_BITS], offset, offset + at(node, 4));
  }

  /// The node of the newest version of `key` up to `maxSequence`, 0 for none.
  int find(byte[] key, long maxSequence) {
    int node = seek(key, maxSequence);
    if (node == 0 || at(node, 3) != key.length) {
      return 0;
    }
    int address = at(node, 2);
    int offset = address & (DATA_CHUNK - 1);
    byte[] chunk = data[address >>> DATA_CHUNK_BITS];
    return Arrays.equals(chunk, offset, offset + key.length, key, 0, key.length) ? node : 0;
  }

  /// Walks all versions in order.
  Cursor cursor() {
    return new Cursor() {
      private int node;

      @Override
      public void seek(byte @Nullable [] key) {
        node = key == null ? first() : Memtable.this.seek(key, Long.MAX_VALUE);
      }

      @Override
      public boolean valid() {
        return node != 0;
      }

      @Override
      public void next() {
        node = Memtable.this.next(node);
      }

      @Override
      public byte[] key() {
        return Memtable.this.key(node);
      }

      @Override
      public long sequence() {
        return Memtable.this.sequence(node);
      }

      @Override
      public int kind() {
        return Memtable.this.kind(node);
      }

      @Override
      public byte[] value() {
        return Memtable.this.value(node);
      }
    };
  }
}
