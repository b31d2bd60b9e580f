package dev.tern.lsm.table;

import dev.tern.env.ByteWriter;
import dev.tern.env.FileHeader;
import dev.tern.env.FileKind;
import dev.tern.env.FileLife;
import dev.tern.env.FileSystem;
import dev.tern.lsm.budget.MemoryAccount;
import dev.tern.lsm.budget.MemoryPart;
import dev.tern.lsm.entry.Cursor;
import dev.tern.lsm.entry.Keys;
import dev.tern.lsm.entry.Kind;
import dev.tern.lsm.entry.RangeTombstones;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/// Writes a table; entries come in order, all versions of a key one after the other. One thread.
///
/// The memory it takes is bounded by the blocks and by a part of the filter, not by the table: but
/// for the top index and the bounds of the filter's parts, which are some millionths of it. An
/// account is told of it until the writer is closed.
public final class TableWriter implements AutoCloseable {
  private static final int DATA_RESTARTS = 16;
  private static final int INDEX_RESTARTS = 4;
  private static final int INDEX_BLOCK_BYTES = 4 << 10;
  private static final int FILTER_BYTES = 256 << 10;
  private static final int LEAST_OUT_BYTES = 32 << 10;

  /// An index block of a table of 1 GiB is as large as one 65,536th of it; up to the bound. So the
  /// top index of the largest tables stays small.
  private static final int INDEX_SHARE_BITS = 16;

  private static final int MOST_INDEX_BLOCK_BYTES = 64 << 10;

  private final FileSystem.WritableFile file;
  private final FileLife life;
  private final int blockBytes;
  private final int bitsPerKey;
  private final int mostFilterKeys;
  private final Compressor compressor;
  private final BlockBuilder data = new BlockBuilder(DATA_RESTARTS);
  private final BlockBuilder index = new BlockBuilder(INDEX_RESTARTS);
  private final BlockBuilder top = new BlockBuilder(INDEX_RESTARTS);
  private final ByteWriter handle = new ByteWriter(16);
  private final CRC32C crc = new CRC32C();
  private final CRC32C fileCrc = new CRC32C();

  /// Bytes that the file has not got yet.
  private final byte[] out;

  private int outBytes;
  private long position;

  /// Of the keys of the filter's part that is being gathered.
  private final Bloom.Hashes hashes = new Bloom.Hashes();

  /// The parts of the filter that are written: of each its last key, and where it lies.
  private final ByteWriter filters = new ByteWriter(64);

  private int filterParts;
  private byte[] smallest = {};
  private final List<RangeTombstones.Range> ranges = new ArrayList<>();
  private long entries;
  private long deletes;
  private long keyBytes;
  private long valueBytes;
  private long smallestSequence = Long.MAX_VALUE;
  private long largestSequence;
  private long firstExpiry;
  private long lastExpiry;

  private final MemoryAccount memory;

  /// What the account was told.
  private long toldBytes;

  /// With a filter in parts of 256 KiB; its memory counts nowhere.
  public TableWriter(
      FileSystem.WritableFile file, FileLife life, int blockBytes, int bitsPerKey, int compression)
      throws IOException {
    this(file, life, blockBytes, FILTER_BYTES, bitsPerKey, compression, MemoryAccount.unbounded());
  }

  /// @param filterBytes of a part of the filter, about, and of what is written at once: the memory
  ///   that the writing of a table takes for it does not depend on the number of keys
  /// @param bitsPerKey of the filter
  /// @param compression one of [Compressor]'s
  /// @param memory told what is held
  public TableWriter(
      FileSystem.WritableFile file,
      FileLife life,
      int blockBytes,
      int filterBytes,
      int bitsPerKey,
      int compression,
      MemoryAccount memory)
      throws IOException {
    this.memory = memory;
    this.out = new byte[Math.max(LEAST_OUT_BYTES, filterBytes)];
    this.mostFilterKeys = Math.max(1, (int) (filterBytes * 8L / bitsPerKey));
    this.file = file;
    this.life = life;
    write(FileHeader.of(FileKind.TABLE, life).toBytes(), FileHeader.BYTES);
    this.blockBytes = blockBytes;
    this.bitsPerKey = bitsPerKey;
    this.compressor = new Compressor(compression);
    tell();
  }

  private void tell() {
    long held =
        out.length
            + compressor.heldBytes()
            + data.heldBytes()
            + index.heldBytes()
            + top.heldBytes()
            + hashes.heldBytes()
            + filters.array().length;
    memory.add(MemoryPart.JOBS, held - toldBytes);
    toldBytes = held;
  }

  /// Gives its memory back; the file is its owner's. Idempotent.
  @Override
  public void close() {
    memory.add(MemoryPart.JOBS, -toldBytes);
    toldBytes = 0;
  }

  /// About how large the file is by now.
  public long bytes() {
    return position + data.bytes();
  }

  boolean isEmpty() {
    return entries == 0 && ranges.isEmpty();
  }

  /// Adds the entry a cursor stands on, perhaps with another sequence or kind.
  public void add(Cursor entry, long sequence, int kind) throws IOException {
    int valueLength = kind == Kind.DELETE ? 0 : entry.valueLength();
    int order = entries == 0 ? 1 : entry.compareKey(data.lastKey(), data.lastKeyLength());
    if (order < 0) {
      throw new IllegalStateException("a key that comes before the last one of the table");
    }
    if (order > 0) {
      beginKey(entry, valueLength);
    }
    long held = data.heldBytes();
    int at = data.add(entry.key, entry.keyOffset, entry.keyLength, sequence, kind, valueLength);
    if (data.heldBytes() != held) {
      tell();
    }
    if (valueLength > 0) {
      entry.copyValue(data.values(), at);
    }
    if (kind == Kind.EXPIRING_PUT) {
      long expiry = (long) Keys.LONG.get(data.values(), at);
      firstExpiry = firstExpiry == 0 ? expiry : Math.min(firstExpiry, expiry);
      lastExpiry = Math.max(lastExpiry, expiry);
    }
    entries++;
    deletes += kind == Kind.DELETE ? 1 : 0;
    keyBytes += entry.keyLength;
    valueBytes += valueLength;
    note(sequence);
  }

  private void note(long sequence) {
    smallestSequence = Math.min(smallestSequence, sequence);
    largestSequence = Math.max(largestSequence, sequence);
  }

  private void beginKey(Cursor entry, int valueLength) throws IOException {
    if (entries == 0) {
      smallest = entry.keyCopy();
    }
    if (hashes.count() == mostFilterKeys) {
      endFilter(Arrays.copyOf(data.lastKey(), data.lastKeyLength()));
    }
    hashes.add(Keys.hash(entry.key, entry.keyOffset, entry.keyLength));
    if (!data.isEmpty() && data.bytesWith(entry.keyLength, valueLength) > blockBytes) {
      byte[] key = entry.keyCopy();
      endDataBlock(Keys.separator(data.lastKey(), data.lastKeyLength(), key, key.length));
    }
  }

  /// Writes a part of the filter.
  ///
  /// @param last the last of its keys; empty if no key of the table follows
  private void endFilter(byte[] last) throws IOException {
    byte[] filter = Bloom.build(hashes, bitsPerKey);
    hashes.clear();
    filters.writeBlob(last).writeVarLong(position);
    filters.writeVarInt(store(filter, filter.length, false));
    filterParts++;
  }

  private void endDataBlock(byte[] separator) throws IOException {
    data.finish();
    long at = position;
    int bytes = store(data.array(), data.length(), true);
    data.clear();
    addHandle(index, separator, at, bytes);
    long share = Math.min(MOST_INDEX_BLOCK_BYTES, position >>> INDEX_SHARE_BITS);
    if (index.bytes() >= Math.max(INDEX_BLOCK_BYTES, share)) {
      endIndexBlock(separator);
    }
  }

  private void endIndexBlock(byte[] last) throws IOException {
    index.finish();
    long at = position;
    int bytes = store(index.array(), index.length(), true);
    index.clear();
    addHandle(top, last, at, bytes);
  }

  private void addHandle(BlockBuilder to, byte[] key, long at, int bytes) {
    handle.clear().writeVarLong(at).writeVarInt(bytes);
    int place = to.add(key, 0, key.length, 0, 0, handle.length());
    System.arraycopy(handle.array(), 0, to.values(), place, handle.length());
  }

  /// Adds a deleted range; in any order.
  public void add(RangeTombstones.Range range) {
    ranges.add(range);
    note(range.sequence());
  }

  private int store(byte[] payload, int length, boolean compress) throws IOException {
    int packed = compress ? compressor.compress(payload, length) : 0;
    tell();
    byte[] bytes = packed > 0 ? compressor.out() : payload;
    int count = packed > 0 ? packed : length;
    byte kind = (byte) (packed > 0 ? compressor.kind() : Compressor.NONE);
    crc.reset();
    crc.update(bytes, 0, count);
    crc.update(kind);
    int sum = (int) crc.getValue();
    write(bytes, count);
    write(
        new byte[] {kind, (byte) (sum >>> 24), (byte) (sum >>> 16), (byte) (sum >>> 8), (byte) sum},
        Table.TRAILER_BYTES);
    return count + Table.TRAILER_BYTES;
  }

  private void write(byte[] bytes, int count) throws IOException {
    int done = 0;
    while (done < count) {
      if (outBytes == out.length) {
        drain();
      }
      int part = Math.min(count - done, out.length - outBytes);
      System.arraycopy(bytes, done, out, outBytes, part);
      outBytes += part;
      done += part;
    }
    position += count;
  }

  private void drain() throws IOException {
    fileCrc.update(out, 0, outBytes);
    file.append(ByteBuffer.wrap(out, 0, outBytes));
    outBytes = 0;
  }

  /// Writes indexes, filter, properties and footer.
  ///
  /// @param force whether the file is durable on return
  public void finish(long createdMillis, boolean force) throws IOException {
    byte[] upper = {};
    if (!data.isEmpty()) {
      byte[] last = Arrays.copyOf(data.lastKey(), data.lastKeyLength());
      upper = Keys.successor(last);
      endDataBlock(last);
    }
    if (!index.isEmpty()) {
      endIndexBlock(Arrays.copyOf(index.lastKey(), index.lastKeyLength()));
    }
    top.finish();
    long[] at = new long[4];
    int[] bytes = new int[4];
    at[0] = position;
    bytes[0] = store(top.array(), top.length(), false);
    if (hashes.count() > 0) {
      endFilter(new byte[0]);
    }
    ByteWriter directory = new ByteWriter(filters.length() + 8).writeVarInt(filterParts);
    directory.writeBytes(filters.array(), 0, filters.length());
    at[1] = position;
    bytes[1] = store(directory.array(), directory.length(), false);
    at[2] = position;
    if (!ranges.isEmpty()) {
      ByteWriter encoded = new ByteWriter();
      TableProperties.encode(ranges, encoded);
      bytes[2] = store(encoded.array(), encoded.length(), false);
    }
    at[3] = position;
    ByteWriter encoded = new ByteWriter();
    properties(upper, createdMillis).encode(encoded);
    bytes[3] = store(encoded.array(), encoded.length(), false);
    footer(at, bytes);
    if (force) {
      file.force();
    }
  }

  private TableProperties properties(byte[] lastUpper, long createdMillis) {
    byte[] from = smallest;
    byte[] upper = lastUpper;
    for (RangeTombstones.Range range : ranges) {
      boolean isFirst = entries == 0 && range == ranges.getFirst();
      from = isFirst || Keys.compare(range.from(), from) < 0 ? range.from() : from;
      upper = isFirst || Keys.compare(range.to(), upper) > 0 ? range.to() : upper;
    }
    return new TableProperties(
        from,
        upper,
        entries,
        deletes,
        ranges.size(),
        keyBytes,
        valueBytes,
        smallestSequence,
        largestSequence,
        firstExpiry,
        lastExpiry,
        createdMillis,
        compressor.kind());
  }

  private void footer(long[] at, int[] bytes) throws IOException {
    drain();
    ByteWriter footer = new ByteWriter(Table.FOOTER_BYTES);
    for (int i = 0; i < at.length; i++) {
      footer.writeLong(at[i]).writeInt(bytes[i]);
    }
    life.encode(footer);
    footer.writeInt((int) fileCrc.getValue()).writeInt(FileKind.TABLE.format());
    crc.reset();
    crc.update(footer.array(), 0, footer.length());
    footer.writeInt((int) crc.getValue()).writeLong(Table.MAGIC);
    file.append(ByteBuffer.wrap(footer.array(), 0, footer.length()));
  }
}
