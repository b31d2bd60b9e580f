package dev.tern.lsm;

import dev.tern.env.ByteReader;
import dev.tern.env.ByteWriter;
import dev.tern.env.DecodeException;
import dev.tern.env.FileSystem;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.zip.CRC32C;
import net.jpountz.lz4.LZ4Factory;
import org.jspecify.annotations.Nullable;

/// A sorted table, open for reading; any thread. Format 1:
///
/// ```
///   data blocks   index block   filter block   footer
///   block:  payload   u8 compression (0 none, 1 LZ4 led by u32 raw length)   u32 crc32c of both
///   data:   entries: varint shared, varint unshared, varint value bytes, u64 sequence << 8 | kind,
///           key suffix, value; every 16th shares nothing (a restart point)
///           then u32 per restart point, u32 their number
///   index:  per data block: blob last key, varint offset, varint length; u32 blocks last
///   footer: u64 index offset, u32 length, u64 filter offset, u32 length, u64 entries,
///           u64 largest sequence, u32 crc32c, u64 magic
/// ```
final class Table {
  static final long MAGIC = 0x7465726e_74626c31L;
  static final int FOOTER_BYTES = 8 + 4 + 8 + 4 + 8 + 8 + 4 + 8;
  static final int TRAILER_BYTES = 5;

  final long number;
  final long sizeBytes;
  final long largestSequence;
  final String path;
  private final FileSystem.ReadableFile file;
  private final BlockCache cache;
  private final byte[] filter;
  private final byte[][] lastKeys;
  private final long[] offsets;
  private final int[] lengths;

  private Table(
      String path,
      long number,
      FileSystem.ReadableFile file,
      BlockCache cache,
      long largestSequence,
      byte[] filter,
      byte[] index)
      throws IOException {
    this.path = path;
    this.number = number;
    this.file = file;
    this.cache = cache;
    this.sizeBytes = file.size();
    this.largestSequence = largestSequence;
    this.filter = filter;
    int blocks = new ByteReader(index, index.length - 4, 4).readInt();
    lastKeys = new byte[blocks][];
    offsets = new long[blocks];
    lengths = new int[blocks];
    ByteReader in = new ByteReader(index);
    for (int i = 0; i < blocks; i++) {
      lastKeys[i] = in.readBlob();
      offsets[i] = in.readVarLong();
      lengths[i] = in.readVarInt();
    }
  }

  static Table open(FileSystem files, String path, long number, BlockCache cache)
      throws IOException {
    FileSystem.ReadableFile file = files.open(path);
    try {
      if (file.size() < FOOTER_BYTES) {
        throw new CorruptionException(path, 0, "shorter than a footer");
      }
      long at = file.size() - FOOTER_BYTES;
      byte[] footer = read(file, path, at, FOOTER_BYTES);
      CRC32C crc = new CRC32C();
      crc.update(footer, 0, FOOTER_BYTES - 12);
      ByteReader in = new ByteReader(footer);
      long indexOffset = in.readLong();
      int indexLength = in.readInt();
      long filterOffset = in.readLong();
      int filterLength = in.readInt();
      in.readLong();
      long largest = in.readLong();
      if (in.readInt() != (int) crc.getValue() || in.readLong() != MAGIC) {
        throw new CorruptionException(path, at, "the footer's checksum does not match");
      }
      byte[] index = block(file, path, indexOffset, indexLength);
      byte[] filter = block(file, path, filterOffset, filterLength);
      return new Table(path, number, file, cache, largest, filter, index);
    } catch (DecodeException e) {
      file.close();
      throw new CorruptionException(path, 0, String.valueOf(e.getMessage()));
    } catch (IOException e) {
      file.close();
      throw e;
    }
  }

  void close() throws IOException {
    file.close();
  }

  static byte[] readAll(FileSystem files, String path) throws IOException {
    try (FileSystem.ReadableFile file = files.open(path)) {
      return read(file, path, 0, (int) file.size());
    }
  }

  private static byte[] read(FileSystem.ReadableFile file, String path, long at, int length)
      throws IOException {
    if (at < 0 || length < 0 || at + length > file.size()) {
      throw new CorruptionException(path, at, "a reference to " + length + " bytes beyond the end");
    }
    ByteBuffer buffer = ByteBuffer.allocate(length);
    while (buffer.hasRemaining()) {
      if (file.read(at + buffer.position(), buffer) < 0) {
        throw new CorruptionException(path, at, "the file ended early");
      }
    }
    return buffer.array();
  }

  /// Reads, verifies and uncompresses a block.
  private static byte[] block(FileSystem.ReadableFile file, String path, long at, int length)
      throws IOException {
    byte[] bytes = read(file, path, at, length);
    if (length < TRAILER_BYTES) {
      throw new CorruptionException(path, at, "a block of " + length + " bytes");
    }
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, length - 4);
    if (new ByteReader(bytes, length - 4, 4).readInt() != (int) crc.getValue()) {
      throw new CorruptionException(path, at, "a block whose checksum does not match");
    }
    int compression = bytes[length - TRAILER_BYTES];
    if (compression == 0) {
      return Arrays.copyOf(bytes, length - TRAILER_BYTES);
    }
    byte[] raw = new byte[new ByteReader(bytes, 0, 4).readInt()];
    LZ4Factory.fastestInstance()
        .safeDecompressor()
        .decompress(bytes, 4, length - TRAILER_BYTES - 4, raw, 0);
    return raw;
  }

  /// The block that may hold a key: the first whose last key is not before it; -1 for none.
  private int blockFor(byte[] key) {
    int low = 0;
    int high = lastKeys.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Arrays.compareUnsigned(lastKeys[middle], key) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low < lastKeys.length ? low : -1;
  }

  private byte @Nullable [] load(int block, boolean mayRead) throws IOException {
    byte[] bytes = cache.get(number, offsets[block]);
    if (bytes == null && mayRead) {
      bytes = block(file, path, offsets[block], lengths[block]);
      cache.put(number, offsets[block], bytes);
    }
    return bytes;
  }

  /// Looks a key up: puts the newest version up to `maxSequence` into `found`.
  ///
  /// @return 1 found, 0 not here, -1 a block would have to be read and `mayRead` is false
  int find(byte[] key, long hash, long maxSequence, boolean mayRead, Entry found)
      throws IOException {
    if (!Bloom.mayContain(filter, hash)) {
      return 0;
    }
    for (int block = blockFor(key); block >= 0 && block < lastKeys.length; block++) {
      byte[] bytes = load(block, mayRead);
      if (bytes == null) {
        return -1;
      }
      BlockCursor cursor = new BlockCursor(bytes);
      cursor.seek(key);
      while (cursor.valid() && cursor.compareKey(key) == 0) {
        if (cursor.sequence <= maxSequence) {
          found.set(cursor.kind, cursor.value());
          return 1;
        }
        cursor.next();
      }
      if (cursor.valid()) {
        return 0;
      }
    }
    return 0;
  }

  /// What a lookup found.
  static final class Entry {
    int kind;
    byte[] value = {};

    void set(int newKind, byte[] newValue) {
      kind = newKind;
      value = newValue;
    }
  }

  /// Walks all versions, reading blocks as needed.
  Cursor cursor() {
    return new TableCursor();
  }

  private final class TableCursor implements Cursor {
    private int block;
    private @Nullable BlockCursor in;

    @Override
    public void seek(byte @Nullable [] key) throws IOException {
      block = key == null ? 0 : blockFor(key);
      in = null;
      if (block >= 0 && block < lastKeys.length) {
        in = new BlockCursor(java.util.Objects.requireNonNull(load(block, true)));
        if (key == null) {
          in.first();
        } else {
          in.seek(key);
        }
        skipEmpty();
      }
    }

    private void skipEmpty() throws IOException {
      while (in != null && !in.valid()) {
        block++;
        in = null;
        if (block < lastKeys.length) {
          in = new BlockCursor(java.util.Objects.requireNonNull(load(block, true)));
          in.first();
        }
      }
    }

    private BlockCursor in() {
      return java.util.Objects.requireNonNull(in);
    }

    @Override
    public boolean valid() {
      return in != null;
    }

    @Override
    public void next() throws IOException {
      in().next();
      skipEmpty();
    }

    @Override
    public byte[] key() {
      return in().key();
    }

    @Override
    public long sequence() {
      return in().sequence;
    }

    @Override
    public int kind() {
      return in().kind;
    }

    @Override
    public byte[] value() {
      return in().value();
    }
  }

  /// Walks the entries of one block.
  private static final class BlockCursor {
    private final byte[] block;
    private final ByteReader in;
    private final int restarts;
    private final int entriesEnd;
    private byte[] key = new byte[64];
    private int keyLength;
    private int valueOffset;
    private int valueLength;
    private boolean valid;
    long sequence;
    int kind;

    BlockCursor(byte[] block) {
      this.block = block;
      this.restarts = new ByteReader(block, block.length - 4, 4).readInt();
      this.entriesEnd = block.length - 4 - 4 * restarts;
      this.in = new ByteReader(block, 0, entriesEnd);
    }

    boolean valid() {
      return valid;
    }

    void first() {
      in.reset(block, 0, entriesEnd);
      next();
    }

    private int restart(int i) {
      return new ByteReader(block, entriesEnd + 4 * i, 4).readInt();
    }

    void seek(byte[] target) {
      int low = 0;
      int high = restarts - 1;
      while (low < high) {
        int middle = (low + high + 1) >>> 1;
        startAt(restart(middle));
        if (compareKey(target) < 0) {
          low = middle;
        } else {
          high = middle - 1;
        }
      }
      startAt(restart(low));
      while (valid && compareKey(target) < 0) {
        next();
      }
    }

    private void startAt(int offset) {
      in.reset(block, offset, entriesEnd - offset);
      next();
    }

    int compareKey(byte[] other) {
      return Arrays.compareUnsigned(key, 0, keyLength, other, 0, other.length);
    }

    void next() {
      if (in.remaining() == 0) {
        valid = false;
        return;
      }
      int shared = in.readVarInt();
      int unshared = in.readVarInt();
      valueLength = in.readVarInt();
      long packed = in.readLong();
      sequence = packed >>> 8;
      kind = (int) (packed & 0xff);
      keyLength = shared + unshared;
      if (key.length < keyLength) {
        key = Arrays.copyOf(key, keyLength * 2);
      }
      System.arraycopy(block, in.position(), key, shared, unshared);
      in.skip(unshared);
      valueOffset = in.position();
      in.skip(valueLength);
      valid = true;
    }

    byte[] key() {
      return Arrays.copyOf(key, keyLength);
    }

    byte[] value() {
      return Arrays.copyOfRange(block, valueOffset, valueOffset + valueLength);
    }
  }

  /// Writes a table; entries come in order.
  static final class Writer {
    private static final int RESTART_INTERVAL = 16;

    private final FileSystem.WritableFile file;
    private final int blockBytes;
    private final ByteWriter block = new ByteWriter(16 << 10);
    private final ByteWriter index = new ByteWriter();
    private final ByteWriter restarts = new ByteWriter();
    private final CRC32C crc = new CRC32C();
    private byte[] lastKey = {};
    private long[] hashes = new long[1024];
    private int keys;
    private int inBlock;
    private int blocks;
    private long entries;
    private long largestSequence;

    Writer(FileSystem.WritableFile file, int blockBytes) {
      this.file = file;
      this.blockBytes = blockBytes;
    }

    void add(byte[] key, long sequence, int kind, byte[] value) throws IOException {
      if (entries == 0 || !Arrays.equals(key, lastKey)) {
        if (keys == hashes.length) {
          hashes = Arrays.copyOf(hashes, keys * 2);
        }
        hashes[keys++] = Bloom.hash(key);
      }
      int shared = 0;
      if (inBlock % RESTART_INTERVAL == 0) {
        restarts.writeInt(block.length());
      } else {
        int mismatch = Arrays.mismatch(key, lastKey);
        shared = mismatch < 0 ? key.length : mismatch;
      }
      block.writeVarInt(shared).writeVarInt(key.length - shared).writeVarInt(value.length);
      block.writeLong(sequence << 8 | kind);
      block.writeBytes(key, shared, key.length - shared).writeBytes(value);
      lastKey = key;
      inBlock++;
      entries++;
      largestSequence = Math.max(largestSequence, sequence);
      if (block.length() >= blockBytes) {
        finishBlock();
      }
    }

    private void finishBlock() throws IOException {
      block.writeBytes(restarts.array(), 0, restarts.length()).writeInt(restarts.length() / 4);
      long offset = file.position();
      int length = append(block, true);
      index.writeBlob(lastKey).writeVarLong(offset).writeVarInt(length);
      blocks++;
      block.clear();
      restarts.clear();
      inBlock = 0;
    }

    private int append(ByteWriter payload, boolean compress) throws IOException {
      ByteWriter out = payload;
      int compression = 0;
      if (compress && payload.length() > 128) {
        byte[] packed =
            LZ4Factory.fastestInstance()
                .fastCompressor()
                .compress(payload.array(), 0, payload.length());
        if (packed.length + 4 < payload.length() - payload.length() / 8) {
          out = new ByteWriter(packed.length + 16);
          out.writeInt(payload.length()).writeBytes(packed);
          compression = 1;
        }
      }
      out.writeByte(compression);
      crc.reset();
      crc.update(out.array(), 0, out.length());
      out.writeInt((int) crc.getValue());
      file.append(ByteBuffer.wrap(out.array(), 0, out.length()));
      return out.length();
    }

    /// Writes index, filter and footer, and forces the file.
    void finish(boolean force) throws IOException {
      if (inBlock > 0) {
        finishBlock();
      }
      index.writeInt(blocks);
      long indexOffset = file.position();
      int indexLength = append(index, false);
      long filterOffset = file.position();
      ByteWriter filter = new ByteWriter().writeBytes(Bloom.build(hashes, keys));
      int filterLength = append(filter, false);
      ByteWriter footer = new ByteWriter(FOOTER_BYTES);
      footer.writeLong(indexOffset).writeInt(indexLength);
      footer.writeLong(filterOffset).writeInt(filterLength);
      footer.writeLong(entries).writeLong(largestSequence);
      crc.reset();
      crc.update(footer.array(), 0, footer.length());
      footer.writeInt((int) crc.getValue()).writeLong(MAGIC);
      file.append(ByteBuffer.wrap(footer.array(), 0, footer.length()));
      if (force) {
        file.force();
      }
    }
  }
}
